//! Annotations of GitHub Actions for a document: cells that did not pass and their tests, then the audit.
//!
//! What is written is escaped as the runner reads it; of more than a step shows, a last annotation tells how many there are.

use super::scan::annotation::{Annotation, Level, Place, render};
use super::text::one_line;
use crate::model::cell::{Outcome, TestCase};
use crate::model::document::{Cell, Document, Status};

/// One command a line.
pub(super) fn document(document: &Document) -> String {
    let below = &document.analysis.directory;
    let mut all: Vec<Annotation> = document.cells.iter().flat_map(|cell| of_cell(cell, below)).collect();
    if let Some(scan) = &document.scan {
        all.extend(super::scan::annotations(&scan.clone().below(below)));
    }
    render(&all, "the other reports have them all")
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
    if annotations.is_empty() || cell.status == Status::Error {
        let reason = cell.reason.as_deref().unwrap_or("no test passed to a verdict");
        let hint = cell.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
        annotations.insert(0, Annotation { level, place: None, title: title(cell), text: format!("{reason}{hint}") });
    }
    annotations
}

fn of_case(cell: &Cell, case: &TestCase, level: Level, below: &str) -> Annotation {
    let join = |file: &str| if below.is_empty() { file.to_owned() } else { format!("{below}/{file}") };
    let at = |file: &str| Place { file: join(file), line: case.line.unwrap_or(1), ..Place::default() };
    let place = case.file.as_deref().map(at);
    let name = one_line(&case.name, 200);
    Annotation { level, place, title: title(cell), text: format!("{name}: {}", case.message) }
}

fn title(cell: &Cell) -> String {
    format!("carnet: {}", cell.id)
}
