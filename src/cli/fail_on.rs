//! Which results make a command fail.

use clap::ValueEnum;

use crate::exit;
use crate::model::document::{Document, Status};
use crate::model::finding::Severity;
use crate::model::scan::Scan;
use crate::model::verdict::{Verdict, verdict};

/// The lowest level that results in exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum FailOn {
    /// Fail on failed cells and `error` findings.
    #[default]
    Error,
    /// Also fail on flaky cells and `warning` findings.
    Warning,
    /// Never fail because of results.
    Never,
}

impl FailOn {
    /// Reports whether a command fails if this is its worst finding.
    pub(super) fn fails(self, worst: Option<Severity>) -> bool {
        match self {
            Self::Error => worst >= Some(Severity::Error),
            Self::Warning => worst >= Some(Severity::Warning),
            Self::Never => false,
        }
    }

    /// Returns the exit code of a check.
    pub(super) fn check(self, document: &Document) -> u8 {
        if document.interrupted {
            return exit::INTERRUPTED;
        }
        let has_flaky_cell = document.cells.iter().any(|cell| cell.status == Status::Flaky);
        match (verdict(document), self) {
            (Verdict::Analysis, Self::Never) => exit::GOOD,
            (Verdict::Good, Self::Warning) if has_flaky_cell => exit::ANALYSIS,
            (verdict, _) => verdict.exit_code(),
        }
    }

    /// Returns the exit code of a scan.
    pub(super) fn scan(self, scan: &Scan) -> u8 {
        if self.fails(scan.worst()) { exit::ANALYSIS } else { exit::GOOD }
    }
}
