//! The text and the size of the HTML report, without a browser.

use carnet::model::cell::Outcome;
use carnet::model::digest::Digest;
use carnet::model::document::{Document, Status};
use carnet::report;
use carnet::report::history::State;
use insta::assert_snapshot;

use crate::browser::document::many_cells;
use crate::support::document_fixture::{assemble, case, cell, document, environment, old_environment, passed, step};

/// The largest size of a report in bytes.
const MAX_PAGE: usize = 16 << 20;

fn page(document: &Document, past: &[State]) -> String {
    report::page(document, past).expect("a page")
}

/// The text from `start` to the next `end`.
#[track_caller]
fn part<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("no `{start}` in the page"));
    rest.split_once(end).unwrap_or_else(|| panic!("no `{end}` after `{start}`")).0
}

/// A document of one cell, from a day in November 2026.
fn document_of_day(day: u32, status: Status, tree: &str, has_old_environment: bool) -> Document {
    let environment = if has_old_environment { old_environment() } else { environment() };
    let mut cell = cell("naf", status, vec![step(passed(1))]);
    cell.environment = Some(environment.digest().expect("JSON"));
    let mut document = assemble(vec![cell], vec![environment]);
    document.timing.started = format!("2026-11-{day}T10:00:00Z");
    document.analysis.tree.digest = Digest::of(tree.as_bytes());
    document
}

/// The history of a cell that passed on the 20th with this tree and environment, and failed on the 21st and 22nd.
fn since(tree: &str, has_old_environment: bool) -> String {
    let past = [
        document_of_day(21, Status::Failed, "new", true),
        document_of_day(20, Status::Passed, tree, has_old_environment),
    ];
    let past: Vec<State> = past.iter().map(State::new).collect();
    let page = page(&document_of_day(22, Status::Failed, "newest", true), &past);
    part(&page, "<p class=\"since\">", "</p>").to_owned()
}

fn page_states_since_when_cell_fails_and_what_changed() {
    assert_snapshot!(since("new", false), @"Failed since 2026-11-21 10:00 UTC (3f2a1bc, with uncommitted changes); passed at 2026-11-20 10:00 UTC (3f2a1bc, with uncommitted changes). The environment changed in between; the analysis did not.");
    assert_snapshot!(since("old", true), @"Failed since 2026-11-21 10:00 UTC (3f2a1bc, with uncommitted changes); passed at 2026-11-20 10:00 UTC (3f2a1bc, with uncommitted changes). The analysis changed in between; the environment did not.");
    assert_snapshot!(since("old", false), @"Failed since 2026-11-21 10:00 UTC (3f2a1bc, with uncommitted changes); passed at 2026-11-20 10:00 UTC (3f2a1bc, with uncommitted changes). The analysis and the environment changed in between.");
    assert_snapshot!(since("new", true), @"Failed since 2026-11-21 10:00 UTC (3f2a1bc, with uncommitted changes); passed at 2026-11-20 10:00 UTC (3f2a1bc, with uncommitted changes). Neither the analysis nor the environment changed in between.");
}

fn timeline_requires_earlier_reports() {
    let now = document();
    let without_past = page(&now, &[]);
    assert!(!without_past.contains("id=\"timeline\""));
    assert!(!without_past.contains("class=\"since\""));
    // The current document is part of the history only once.
    assert_eq!(page(&now, &[State::new(&now)]).matches("class=\"now\"").count(), 1);
}

fn page_lists_each_environment_once() {
    let page = page(&document(), &[]);
    assert_eq!(page.matches("<details class=\"environment\">").count(), 2);
    // Two cells have the first environment.
    let summary = part(&page, "<details class=\"environment\">", "</summary>");
    assert_eq!(part(summary, "<span class=\"why\">", "</span>"), "laptop, unl-coffea-casa/notebook");
}

fn page_omits_output_above_its_limit() {
    let long = "a line of output\n".repeat(4000);
    let failed = |number: usize| case(&format!("test_{number}"), Outcome::Failed, &long, &long);
    let cells = (0..100)
        .map(|number| cell(&format!("site-{number}"), Status::Failed, vec![step((0..300).map(failed).collect())]));
    let page = page(&assemble(cells.collect(), Vec::new()), &[]);
    assert!(page.len() < MAX_PAGE, "{} bytes", page.len());
    assert_snapshot!(part(&page, "<details class=\"names\"><summary>", "</summary>"), @"280 more failed tests");
    assert_snapshot!(part(&page, "[... ", " ...]"), @"3178 bytes left out");
}

fn page_of_same_document_is_identical() {
    let document = many_cells();
    assert!(page(&document, &[]) == page(&document, &[]), "the two pages differ");
}

crate::support::harness::register!(
    []:
    page_lists_each_environment_once,
    page_of_same_document_is_identical,
    page_omits_output_above_its_limit,
    page_states_since_when_cell_fails_and_what_changed,
    timeline_requires_earlier_reports,
);
