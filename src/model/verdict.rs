//! The verdict over a document, which determines the exit code.

use super::document::{Cell, Document, Status};
use crate::exit;

/// Verdict over all cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// No cell failed, or only cells with an expected failure.
    Good,
    /// No cell was run: there are none, or all were skipped.
    Nothing,
    /// The analysis did not fail, but there were infrastructure errors.
    Infrastructure,
    /// The analysis failed in at least one cell.
    Analysis,
}

impl Verdict {
    /// Returns the exit code for this verdict.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Good => exit::GOOD,
            Self::Nothing => exit::NOTHING_TO_CHECK,
            Self::Infrastructure => exit::INFRASTRUCTURE,
            Self::Analysis => exit::ANALYSIS,
        }
    }
}

impl Cell {
    /// Reports whether the cell has an expected failure (`expect` in `carnet.toml`). An infrastructure error is never
    /// an expected failure because the tests did not run.
    pub fn is_expected_failure(&self) -> bool {
        self.status == Status::Failed && self.expected_failure.is_some()
    }
}

/// Returns the verdict: a failure of the analysis takes precedence over an infrastructure error, and that over a check
/// without cells.
pub fn verdict(document: &Document) -> Verdict {
    let has = |status| document.cells.iter().any(|cell| cell.status == status && !cell.is_expected_failure());
    if has(Status::Failed) {
        Verdict::Analysis
    } else if has(Status::Error) {
        Verdict::Infrastructure
    } else if document.cells.iter().all(|cell| cell.status == Status::Skipped) {
        Verdict::Nothing
    } else {
        Verdict::Good
    }
}
