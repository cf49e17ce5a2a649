//! The form for step summaries and comments.

use carnet::diff::{Interest, environments};
use carnet::model::cell::Outcome;
use carnet::model::document::Status;
use carnet::report::{Format, Options, render_diff};

use crate::report::{assert_snapshot, render};
use crate::support::document_fixture::{assemble, case, cell, document, environment, old_environment, step};

#[test]
fn the_table_comes_first_and_a_section_for_each_cell_that_is_not_green() {
    let text = render(&document(), Format::Markdown, &Options::default());
    assert_snapshot("markdown", &text);
}

#[test]
fn a_difference_folds_what_matters_less() {
    let (new, old) = (environment(), old_environment());
    let diff = environments(&[("laptop", &new), ("desy-naf", &old)], &Interest::in_modules(["coffea", "numpy"]));
    assert_snapshot(
        "difference-markdown",
        &render_diff(&diff, Format::Markdown, &Options::default()).expect("renders"),
    );
}

#[test]
fn every_table_row_has_as_many_cells_as_its_head() {
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
            panic!("a row with other cells than its head: {line}");
        }
    }
}

#[test]
fn output_cannot_close_its_fence() {
    let output = "```\n</details>\n# heading\n``````` more\n@everyone";
    let failed = case("test_fence", Outcome::Failed, "`broken` <b>@all #1", output);
    let document = assemble(vec![cell("here", Status::Failed, vec![step(vec![failed])])], Vec::new());
    let text = render(&document, Format::Markdown, &Options::default());
    let fence = "`".repeat(8);
    assert!(text.contains(&format!("{fence}text\n{output}\n{fence}\n")), "{text}");
    let outside = text.replace(output, "");
    assert!(!outside.contains("@all") && !outside.contains("#1") && !outside.contains("<b>"), "{outside}");
}

#[test]
fn a_report_over_the_cap_is_cut_between_sections() {
    let long = "x".repeat(8 << 10);
    let cases: Vec<_> = (0..20).map(|i| case(&format!("test_{i}"), Outcome::Failed, "no", &long)).collect();
    let cells = (0..50).map(|i| cell(&format!("place-{i}"), Status::Failed, vec![step(cases.clone())])).collect();
    let text = render(&assemble(cells, Vec::new()), Format::Markdown, &Options::default());
    assert!(text.len() < 1_000_000 && text.len() > 500_000, "{} bytes", text.len());
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
    assert!(text.trim_end().ends_with("left out for size: `carnet.json` and the JUnit report have them all._"));
}
