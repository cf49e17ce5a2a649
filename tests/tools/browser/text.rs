//! What the page says and how large it gets, without a browser.

use carnet::model::cell::Outcome;
use carnet::model::digest::Digest;
use carnet::model::document::{Document, Status};
use carnet::report;
use carnet::report::history::State;

use crate::support::document_fixture::{assemble, case, cell, document, environment, old_environment, passed, step};

/// A cell in a state of the analysis.
fn state(status: Status, day: u32, tree: &str, old: bool) -> Document {
    let environment = if old { old_environment() } else { environment() };
    let mut one = cell("naf", status, vec![step(passed(1))]);
    one.environment = Some(environment.digest().expect("JSON"));
    let mut document = assemble(vec![one], vec![environment]);
    document.timing.started = format!("2026-11-{day}T10:00:00Z");
    document.analysis.tree.digest = Digest::of(tree.as_bytes());
    document
}

/// What the page says of the cell when it failed on the 22nd, and on the 21st, and passed on the 20th.
fn since(tree: &str, old: bool) -> String {
    let past = [state(Status::Failed, 21, "new", true), state(Status::Passed, 20, tree, old)];
    let past: Vec<State> = past.iter().map(State::new).collect();
    let page = report::page(&state(Status::Failed, 22, "newest", true), &past).expect("renders");
    let (_, rest) = page.split_once("<p class=\"since\">").expect("it says since when");
    rest.split_once("</p>").expect("an end").0.to_owned()
}

fn a_cell_says_since_when_it_is_as_it_is_and_what_changed_then() {
    let said = since("new", false);
    assert!(
        said.starts_with("Failed since 2026-11-21 10:00 UTC (3f2a1bc, with changes); passed at 2026-11-20"),
        "{said}"
    );
    assert!(said.ends_with("In between the environment changed, the analysis did not."), "{said}");
    assert!(since("old", true).ends_with("In between the analysis changed, the environment did not."));
    assert!(since("old", false).ends_with("In between both the analysis and the environment changed."));
    assert!(since("new", true).ends_with("In between neither the analysis nor the environment changed."));
}

fn without_a_past_there_is_no_timeline() {
    let now = document();
    let page = report::page(&now, &[]).expect("renders");
    assert!(!page.contains("id=\"timeline\"") && !page.contains("class=\"since\""));
    let same = report::page(&now, &[State::new(&now)]).expect("renders");
    assert_eq!(same.matches("class=\"now\"").count(), 1, "the report itself is no past of its own");
}

fn identical_environments_stand_there_once() {
    let page = report::page(&document(), &[]).expect("renders");
    assert_eq!(page.matches("<details class=\"environment\">").count(), 2);
    assert!(page.contains("laptop, unl-coffea-casa/notebook"), "both cells of one environment are named");
}

fn a_page_stays_small_whatever_tests_print() {
    let long = "a line of output that says nothing\n".repeat(2000);
    let bad = |n: usize| case(&format!("test_{n}"), Outcome::Failed, &long, &long);
    let cells =
        (0..100).map(|at| cell(&format!("place-{at}"), Status::Failed, vec![step((0..300).map(bad).collect())]));
    let page = report::page(&assemble(cells.collect(), Vec::new()), &[]).expect("renders");
    assert!(page.len() < 16 << 20, "{} bytes", page.len());
    assert!(page.contains("bytes left out") && page.contains("280 more failed"));
}

fn a_page_of_one_document_is_always_the_same() {
    let page = || report::page(&crate::browser::document::many(), &[]).expect("renders");
    assert!(page() == page(), "two pages of one document differ");
}

crate::support::harness::register!(
    []:
    a_cell_says_since_when_it_is_as_it_is_and_what_changed_then,
    without_a_past_there_is_no_timeline,
    identical_environments_stand_there_once,
    a_page_stays_small_whatever_tests_print,
    a_page_of_one_document_is_always_the_same,
);
