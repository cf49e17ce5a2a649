//! GitHub Actions annotations of a document: cells that did not pass, their tests, and the findings of the scan.
//!
//! A step shows ten annotations per level. The first annotations of all cells come first, and a last annotation counts the rest.
//! Text is escaped as the runner requires it.

use super::markup::code;
use super::scan::annotation::{Annotation, Level, SourceRange, data, render};
use crate::model::cell::{Outcome, TestCase};
use crate::model::document::{Cell, Document, Status};
use crate::model::text::one_line;

/// Returns the command for a failure of carnet itself.
pub fn failure(message: &str, hint: Option<&str>, location: Option<(&str, u64)>) -> String {
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    let range = location.map(|(file, line)| SourceRange { file: file.to_owned(), line, ..SourceRange::default() });
    let text = format!("{message}{hint}");
    render(&[Annotation { level: Level::Error, range, title: "carnet".to_owned(), text }], "")
}

/// Returns the command for a warning of carnet itself.
pub fn warning(message: &str) -> String {
    render(
        &[Annotation { level: Level::Warning, range: None, title: "carnet".to_owned(), text: message.to_owned() }],
        "",
    )
}

/// Returns the command that starts a collapsible group of the log; [`GROUP_END`] ends it.
pub fn group(title: &str) -> String {
    format!("::group::{}\n", data(title))
}

/// The command that ends a group of the log.
pub const GROUP_END: &str = "::endgroup::\n";

/// Returns the Markdown of a failure of carnet itself for the summary of a step.
pub fn failure_summary(message: &str, hint: Option<&str>) -> String {
    let help = hint.map(|hint| format!("**Help:** {}\n\n", code(hint))).unwrap_or_default();
    format!("## carnet\n\n⚠️ The check did not run: {}\n\n{help}", code(message))
}

/// Returns the annotations of a document, one command per line.
pub(super) fn document(document: &Document) -> String {
    annotations(document, &|_| true)
}

/// Returns the annotations of some cells and of the scan, one command per line.
pub fn annotations(document: &Document, filter: &dyn Fn(&Cell) -> bool) -> String {
    let below = &document.analysis.directory;
    let cells = document.cells.iter().filter(|cell| filter(cell));
    let by_cell: Vec<Vec<Annotation>> = cells.map(|cell| cell_annotations(cell, below)).collect();
    let mut all = in_turn(by_cell);
    if let Some(scan) = &document.scan {
        all.extend(super::scan::github::annotations(&scan.clone().below(below)));
    }
    render(&all, "see the other reports")
}

/// Returns the first item of every list, then the second of every list, and so on.
fn in_turn(lists: Vec<Vec<Annotation>>) -> Vec<Annotation> {
    let mut ranked: Vec<(usize, Annotation)> =
        lists.into_iter().flat_map(|list| list.into_iter().enumerate()).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, annotation)| annotation).collect()
}

fn cell_annotations(cell: &Cell, below: &str) -> Vec<Annotation> {
    let level = match cell.status {
        Status::Failed | Status::Error if !cell.is_expected_failure() => Level::Error,
        Status::Failed | Status::Flaky => Level::Warning,
        Status::Error => Level::Error,
        Status::Passed | Status::Skipped => return Vec::new(),
    };
    let is_shown = |outcome| matches!(outcome, Outcome::Failed | Outcome::Errored | Outcome::Flaky);
    let cases = cell.steps.iter().flat_map(|step| &step.cases).filter(|case| is_shown(case.outcome));
    let mut annotations: Vec<Annotation> = cases.map(|case| case_annotation(cell, case, level, below)).collect();
    let no_result = annotations.is_empty().then_some("no test has a result");
    let reason = cell.reason.as_deref().or(no_result);
    // A hint explains the failed tests.
    let parts: Vec<&str> = reason.into_iter().chain(cell.hint.as_deref()).collect();
    if annotations.is_empty() || cell.hint.is_some() || (cell.status == Status::Error && reason.is_some()) {
        annotations.insert(0, Annotation { level, range: None, title: title(cell), text: parts.join("; ") });
    }
    annotations
}

fn case_annotation(cell: &Cell, case: &TestCase, level: Level, below: &str) -> Annotation {
    let join = |file: &str| if below.is_empty() { file.to_owned() } else { format!("{below}/{file}") };
    let range = |file: &str| SourceRange { file: join(file), line: case.line.unwrap_or(1), ..SourceRange::default() };
    let range = case.file.as_deref().map(range);
    let name = one_line(&case.name, 200);
    Annotation { level, range, title: title(cell), text: format!("{name}: {}", case.message) }
}

fn title(cell: &Cell) -> String {
    format!("carnet: {}", cell.id)
}
