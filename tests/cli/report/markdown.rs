//! Markdown reports for job summaries and comments.

use carnet::diff::{RelevantModules, environments};
use carnet::model::cell::Outcome;
use carnet::model::document::Status;
use carnet::report::{Format, Options, render_diff};
use insta::assert_snapshot;

use crate::report::{assert_file_snapshot, render};
use crate::support::document_fixture::{assemble, case, cell, document, environment, old_environment, step};

#[test]
fn markdown_report_of_the_fixture() {
    assert_file_snapshot("markdown", &render(&document(), Format::Markdown, &Options::default()));
}

#[test]
fn comparison_collapses_less_relevant_differences() {
    let (new, old) = (environment(), old_environment());
    let diff = environments(&[("laptop", &new), ("desy-naf", &old)], &RelevantModules::new(["coffea", "numpy"]));
    assert_file_snapshot(
        "difference-markdown",
        &render_diff(&diff, Format::Markdown, &Options::default()).expect("a report"),
    );
}

#[test]
fn table_rows_have_as_many_cells_as_their_header() {
    let mut document = document();
    document.cells[2].id = "a|b`c\\|d".to_owned();
    document.cells[2].steps[0].cases[11].message = "x | y || z".to_owned();
    let text = render(&document, Format::Markdown, &Options::default());
    let mut expected = None;
    for line in text.lines() {
        let pipes = line.matches('|').count();
        if !line.starts_with('|') {
            expected = None;
        } else if *expected.get_or_insert(pipes) != pipes {
            panic!("the row and its header have different numbers of cells: {line}");
        }
    }
}

#[test]
fn output_cannot_close_its_code_block() {
    let output = "```\n</details>\n# heading\n``````` more\n@everyone";
    let failed = case("test_fence", Outcome::Failed, "`broken` <b>@all #1", output);
    let document = assemble(vec![cell("here", Status::Failed, vec![step(vec![failed])])], Vec::new());
    let text = render(&document, Format::Markdown, &Options::default());
    assert_snapshot!(text, @"
    ## carnet: <code>dimuon at 3f2a1bc4d5e6, with uncommitted changes</code>

    ❌ The analysis fails at <code>here</code>.

    | | cell | result | time | <code>python</code> | relevant differences |
    |---|---|---|--:|---|--:|
    | ❌ | <code>here</code> | 1 failed | 6.0&nbsp;s |  |  |

    1 cell: 1 failed, in 21.3 s.

    <details open>
    <summary>❌ <code>here</code>: 1 failed</summary>

    **<code>tests/test&#95;yields.py&#58;&#58;test&#95;fence</code>** failed: <code>&#96;broken&#96; &#60;b&#62;&#64;<!-- -->all &#35;1</code>

    ````````text
    ```
    </details>
    # heading
    ``````` more
    @everyone
    ````````

    </details>
    ");
}

#[test]
fn large_report_omits_complete_sections() {
    let long = "x".repeat(8 << 10);
    let cases: Vec<_> = (0..20).map(|i| case(&format!("test_{i}"), Outcome::Failed, "no", &long)).collect();
    let cells = (0..50).map(|i| cell(&format!("facility-{i}"), Status::Failed, vec![step(cases.clone())])).collect();
    let text = render(&assemble(cells, Vec::new()), Format::Markdown, &Options::default());
    assert!(text.len() < 1_000_000 && text.len() > 500_000, "{} bytes", text.len());
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
    assert_snapshot!(text.lines().next_back().expect("a line"), @"_45 sections omitted because of the size limit; `carnet.json` and the JUnit report are complete._");
}
