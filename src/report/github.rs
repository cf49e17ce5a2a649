//! Annotations of GitHub Actions for a document: cells that did not pass and their tests, then the audit.
//!
//! A step shows ten of a kind. So every cell says one thing before any says a second, and a last annotation tells how many
//! are left. What is written is escaped as the runner reads it.

use super::markup::code;
use super::scan::annotation::{Annotation, Level, SourceRange, data, render};
use crate::model::cell::{Outcome, TestCase};
use crate::model::document::{Cell, Document, Status};
use crate::model::text::one_line;

/// A failure of carnet itself, as one command on one line.
pub fn failure(message: &str, hint: Option<&str>, place: Option<(&str, u64)>) -> String {
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    let place = place.map(|(file, line)| SourceRange { file: file.to_owned(), line, ..SourceRange::default() });
    let text = format!("{message}{hint}");
    render(&[Annotation { level: Level::Error, place, title: "carnet".to_owned(), text }], "")
}

/// Something that went on without what it could not have, as one command on one line.
pub fn warning(message: &str) -> String {
    render(
        &[Annotation { level: Level::Warning, place: None, title: "carnet".to_owned(), text: message.to_owned() }],
        "",
    )
}

/// The command that begins a part of the log which is folded under its title; [`GROUP_END`] ends it.
pub fn group(title: &str) -> String {
    format!("::group::{}\n", data(title))
}

/// The end of a part of the log.
pub const GROUP_END: &str = "::endgroup::\n";

/// A failure of carnet itself, as Markdown for a step's summary.
pub fn failure_summary(message: &str, hint: Option<&str>) -> String {
    let help = hint.map(|hint| format!("**Help:** {}\n\n", code(hint))).unwrap_or_default();
    format!("## carnet\n\n⚠️ Nothing was checked: {}\n\n{help}", code(message))
}

/// One command a line.
pub(super) fn document(document: &Document) -> String {
    annotations(document, &|_| true)
}

/// One command a line, for those cells that are to be told and for the audit.
pub fn annotations(document: &Document, is_told: &dyn Fn(&Cell) -> bool) -> String {
    let below = &document.analysis.directory;
    let told = document.cells.iter().filter(|cell| is_told(cell));
    let of_cells: Vec<Vec<Annotation>> = told.map(|cell| of_cell(cell, below)).collect();
    let mut all = in_turn(of_cells);
    if let Some(scan) = &document.scan {
        all.extend(super::scan::github::annotations(&scan.clone().below(below)));
    }
    render(&all, "the other reports have them all")
}

/// The first of every list, then the second of every list, and so on.
fn in_turn(lists: Vec<Vec<Annotation>>) -> Vec<Annotation> {
    let mut ranked: Vec<(usize, Annotation)> =
        lists.into_iter().flat_map(|list| list.into_iter().enumerate()).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, annotation)| annotation).collect()
}

fn of_cell(cell: &Cell, below: &str) -> Vec<Annotation> {
    let level = match cell.status {
        Status::Failed | Status::Error if !cell.is_forgiven() => Level::Error,
        Status::Failed | Status::Flaky => Level::Warning,
        Status::Error => Level::Error,
        Status::Passed | Status::Skipped => return Vec::new(),
    };
    let told = |outcome| matches!(outcome, Outcome::Failed | Outcome::Errored | Outcome::Flaky);
    let cases = cell.steps.iter().flat_map(|step| &step.cases).filter(|case| told(case.outcome));
    let mut annotations: Vec<Annotation> = cases.map(|case| of_case(cell, case, level, below)).collect();
    // A hint says more than the tests that failed for it.
    if annotations.is_empty() || cell.status == Status::Error || cell.hint.is_some() {
        let reason = cell.reason.as_deref().unwrap_or("no test passed to a verdict");
        let hint = cell.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
        annotations.insert(0, Annotation { level, place: None, title: title(cell), text: format!("{reason}{hint}") });
    }
    annotations
}

fn of_case(cell: &Cell, case: &TestCase, level: Level, below: &str) -> Annotation {
    let join = |file: &str| if below.is_empty() { file.to_owned() } else { format!("{below}/{file}") };
    let at = |file: &str| SourceRange { file: join(file), line: case.line.unwrap_or(1), ..SourceRange::default() };
    let place = case.file.as_deref().map(at);
    let name = one_line(&case.name, 200);
    Annotation { level, place, title: title(cell), text: format!("{name}: {}", case.message) }
}

fn title(cell: &Cell) -> String {
    format!("carnet: {}", cell.id)
}
