//! The form for a terminal.

use carnet::diff::{Interest, environments};
use carnet::model::document::Status;
use carnet::report::{Format, Options, render_diff};

use crate::report::{assert_snapshot, render};
use crate::support::document_fixture::{assemble, cell, document, environment, old_environment};

fn lines_keep_to(text: &str, width: usize) {
    for line in text.lines() {
        assert!(line.chars().count() <= width, "over {width} columns: {line}");
        assert_eq!(line, line.trim_end(), "trailing space");
    }
}

#[test]
fn a_wide_terminal_shows_versions() {
    let text = render(&document(), Format::Human, &Options { width: 120, ..Options::default() });
    lines_keep_to(&text, 120);
    assert_snapshot("human-120", &text);
}

#[test]
fn a_narrow_terminal_drops_versions_from_the_right() {
    let text = render(&document(), Format::Human, &Options { width: 80, ascii: true, ..Options::default() });
    lines_keep_to(&text, 80);
    assert!(text.is_ascii(), "not ASCII: {text}");
    assert_snapshot("human-80-ascii", &text);
}

#[test]
fn colours_are_the_only_difference_that_colour_makes() {
    let plain = render(&document(), Format::Human, &Options::default());
    let colored = render(&document(), Format::Human, &Options { color: true, ..Options::default() });
    assert!(colored.contains("\x1b[31m"), "a failed cell is red");
    let stripped = anstream::adapter::strip_str(&colored).to_string();
    assert_eq!(stripped, plain);
}

#[test]
fn a_failure_without_a_test_case_shows_the_end_of_its_output() {
    let mut document = document();
    let naf = &mut document.cells[2];
    naf.steps[0].cases.retain(|case| case.outcome == carnet::model::cell::Outcome::Passed);
    naf.steps[0].output = Some(carnet::model::cell::Captured {
        text: "collecting\n\nFatal Python error: Segmentation fault\nCore dumped\n".to_owned(),
        dropped: 0,
    });
    naf.steps[0].end = carnet::model::cell::End::Signal { signal: 11 };
    let text = render(&document, Format::Human, &Options::default());
    assert!(text.contains("pytest: killed by signal 11: pytest -q tests"), "{text}");
    assert!(text.contains("Fatal Python error: Segmentation fault"), "{text}");
}

#[test]
fn files_that_pytest_could_not_collect_are_named_once_and_the_tests_that_never_ran_are_told() {
    let mut document = document();
    let step = &mut document.cells[2].steps[0];
    step.end = carnet::model::cell::End::Exit { code: 2 };
    step.cases.retain(|case| case.outcome == carnet::model::cell::Outcome::Errored);
    let case = &mut step.cases[0];
    case.name = "tests.test_fit".to_owned();
    case.file = Some("tests/test_fit.py".to_owned());
    let text = render(&document, Format::Human, &Options::default());
    assert!(text.lines().any(|line| line.trim() == "tests/test_fit.py"), "{text}");
    assert!(text.contains("pytest stopped at that: no test was run"), "{text}");
}

#[test]
fn of_differences_that_matter_alike_those_that_the_failure_speaks_of_come_first() {
    let document = document();
    let text = render(&document, Format::Human, &Options::default());
    let at = |text: &str, name: &str| text.find(&format!("\n                {name} ")).expect("shown");
    assert!(at(&text, "awkward") < at(&text, "coffea"), "{text}");
    let mut named = document;
    named.cells[2].steps[0].cases.iter_mut().for_each(|case| case.message = "no `coffea.processor`".to_owned());
    let text = render(&named, Format::Human, &Options::default());
    assert!(at(&text, "coffea") < at(&text, "awkward"), "{text}");
}

#[test]
fn the_reason_that_most_skipped_tests_share_is_told() {
    let mut document = document();
    let step = &mut document.cells[2].steps[0];
    let mut skipped = step.cases[0].clone();
    skipped.outcome = carnet::model::cell::Outcome::Skipped;
    step.cases.clear();
    for reason in ["no dask", "no GPU", "no dask"] {
        skipped.message = reason.to_owned();
        step.cases.push(skipped.clone());
    }
    let text = render(&document, Format::Human, &Options::default());
    assert!(text.contains("3 skipped, 2 of them: no dask"), "{text}");
    let cases = &mut document.cells[2].steps[0].cases;
    cases[0].message = "another".to_owned();
    let text = render(&document, Format::Human, &Options::default());
    assert!(text.contains("3 skipped, for as many reasons"), "{text}");
}

#[test]
fn what_fails_in_the_reference_too_is_not_laid_to_differences() {
    let mut document = document();
    let failing = document.cells[2].steps.clone();
    document.cells[0].steps = failing;
    document.cells[0].status = Status::Failed;
    document.reference = Some(document.cells[0].id.clone());
    for format in [Format::Human, Format::Markdown] {
        let text = render(&document, format, &Options { width: 200, ..Options::default() });
        assert!(text.contains("is not the reason"), "{text}");
    }
}

#[test]
fn a_failed_set_up_is_told_once_with_all_of_its_last_words() {
    let mut document = document();
    let naf = &mut document.cells[2];
    naf.reason = Some("setup: exit code 1".to_owned());
    naf.steps.truncate(1);
    let step = &mut naf.steps[0];
    (step.name, step.kind, step.end) = ("setup".to_owned(), None, carnet::model::cell::End::Exit { code: 1 });
    step.cases.clear();
    let words = "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/opt/venv/lib/x'";
    step.output = Some(carnet::model::cell::Captured { text: words.to_owned(), dropped: 0 });
    let text = render(&document, Format::Human, &Options { width: 80, ..Options::default() });
    assert_eq!(text.matches("setup: exit code 1").count(), 1, "{text}");
    assert!(text.contains("/opt/venv/lib/x"), "{text}");
}

#[test]
fn a_difference_names_what_matters_and_counts_the_rest() {
    let (new, old) = (environment(), old_environment());
    let diff = environments(&[("laptop", &new), ("desy-naf", &old)], &Interest::in_modules(["coffea", "numpy"]));
    let text = render_diff(&diff, Format::Human, &Options::default()).expect("renders");
    lines_keep_to(&text, 100);
    assert_snapshot("difference", &text);
    let three = environments(
        &[("laptop", &new), ("desy-naf", &old), ("casa", &new)],
        &Interest::in_modules(["coffea", "numpy"]),
    );
    let text = render_diff(&three, Format::Human, &Options::default()).expect("renders");
    lines_keep_to(&text, 100);
    assert_snapshot("difference-3", &text);
}

#[test]
fn all_lists_every_difference() {
    let short = render(&document(), Format::Human, &Options::default());
    let long = render(&document(), Format::Human, &Options { all: true, ..Options::default() });
    assert!(short.contains("other differences in carnet.json") && !short.contains("python prefix"), "{short}");
    assert!(!long.contains("other differences") && long.contains("python prefix"), "{long}");
}

#[test]
fn an_empty_difference_says_so() {
    let env = environment();
    let diff = environments(&[("a", &env), ("b", &env)], &Interest::default());
    let text = render_diff(&diff, Format::Human, &Options::default()).expect("renders");
    assert_eq!(text, "no differences between a and b\n");
}

#[test]
fn a_document_without_cells_is_still_a_report() {
    let text = render(&assemble(Vec::new(), Vec::new()), Format::Human, &Options::default());
    assert!(text.ends_with("! nothing was run\n"), "{text}");
}

#[test]
fn no_width_is_too_small() {
    for width in 0..40 {
        render(&document(), Format::Human, &Options { width, ..Options::default() });
    }
    let mut wide = cell(&"long-name-".repeat(30), Status::Passed, Vec::new());
    wide.facility = "x".to_owned();
    render(&assemble(vec![wide], Vec::new()), Format::Human, &Options { width: 10, ..Options::default() });
}
