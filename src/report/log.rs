//! Output of failed tests and commands for the log of a CI job.

use crate::model::document::{Cell, Document, Status};

use super::summary;
use crate::model::text::{clean, count, ends, one_line};

/// Maximum number of failed tests of a cell whose output is shown.
const MAX_CASES: usize = 20;
/// Maximum size of one output in bytes.
const MAX_OUTPUT: usize = 16 << 10;

/// The output of the failed tests and commands of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// One line with the cell and the number of failures.
    pub title: String,
    /// The output without control characters. A line with the name precedes the output of each test.
    pub text: String,
}

/// Returns the output of failed tests and commands by cell, without cells that have none.
pub fn outputs(document: &Document) -> Vec<Output> {
    let has_failed = |cell: &&Cell| matches!(cell.status, Status::Failed | Status::Error | Status::Flaky);
    document.cells.iter().filter(has_failed).filter_map(output).collect()
}

fn output(cell: &Cell) -> Option<Output> {
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
        let printed = clean(&output.text);
        text.extend(["--- ", &head, "\n", ends(printed.trim_end(), MAX_OUTPUT).as_ref(), "\n\n"]);
    }
    if all.len() > MAX_CASES {
        text.extend([&count(all.len() - MAX_CASES, "more failure"), " in the reports\n"]);
    }
    Some(Output { title: format!("{}: output of {}", one_line(&cell.id, 100), count(all.len(), "failure")), text })
}
