//! What failed tests and commands printed, for the log of a job: nobody should have to download a report for it.

use crate::model::document::{Cell, Document, Status};

use super::summary;
use crate::model::text::{clean, count, ends, one_line};

/// Failed tests of a cell whose output is shown.
const MAX_CASES: usize = 20;
/// Bytes of output kept of one.
const MAX_OUTPUT: usize = 16 << 10;

/// The output of what failed in one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// One line: the cell and how much there is.
    pub title: String,
    /// The output, free of control characters; every test begins with a line that names it.
    pub text: String,
}

/// The output of what failed, cell by cell. Cells in which nothing failed, or nothing that printed, are left out.
pub fn outputs(document: &Document) -> Vec<Output> {
    let broken = |cell: &&Cell| matches!(cell.status, Status::Failed | Status::Error | Status::Flaky);
    document.cells.iter().filter(broken).filter_map(of_cell).collect()
}

fn of_cell(cell: &Cell) -> Option<Output> {
    let steps = summary::broken_steps(cell)
        .filter_map(|step| Some((format!("$ {}", step.run), summary::step_reason(step), step.output.as_ref()?)));
    let cases = summary::cases(cell, summary::is_bad)
        .filter_map(|(_, case)| Some((summary::case_name(case), summary::case_reason(case), case.output.as_ref()?)));
    let all: Vec<_> = steps.chain(cases).filter(|(_, _, output)| !output.text.trim().is_empty()).collect();
    if all.is_empty() {
        return None;
    }
    let mut text = String::new();
    for (name, reason, output) in all.iter().take(MAX_CASES) {
        let head = format!("{}: {}", one_line(name, 300), one_line(reason, 300));
        let said = clean(&output.text);
        text.extend(["--- ", &head, "\n", ends(said.trim_end(), MAX_OUTPUT).as_ref(), "\n\n"]);
    }
    if all.len() > MAX_CASES {
        text.extend(["and ", &count(all.len() - MAX_CASES, "other"), " in the reports\n"]);
    }
    Some(Output { title: format!("{}: output of {}", one_line(&cell.id, 100), count(all.len(), "failure")), text })
}
