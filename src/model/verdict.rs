//! What a whole document says: one word, which decides the exit code.

use super::document::{Cell, Document, Status};
use crate::exit;

/// Verdict over all cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// No cell failed, or only where `carnet.toml` expects it.
    Good,
    /// Nothing was run: no cells, or all were skipped.
    Nothing,
    /// The analysis failed nowhere, but some places failed us.
    Infrastructure,
    /// The analysis failed somewhere.
    Analysis,
}

impl Verdict {
    /// The exit code of a run that ends so.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Good => exit::GOOD,
            Self::Nothing => exit::NOTHING,
            Self::Infrastructure => exit::INFRASTRUCTURE,
            Self::Analysis => exit::ANALYSIS,
        }
    }
}

impl Cell {
    /// Whether a failure here is one that `carnet.toml` expects. A place that failed us is never forgiven:
    /// nothing was learned there.
    pub fn is_forgiven(&self) -> bool {
        self.status == Status::Failed && self.forgiven.is_some()
    }
}

/// The verdict: a failure of the analysis weighs more than one of a place, and that more than nothing at all.
pub fn verdict(document: &Document) -> Verdict {
    let has = |status| document.cells.iter().any(|cell| cell.status == status && !cell.is_forgiven());
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
