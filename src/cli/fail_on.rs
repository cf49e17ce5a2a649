//! What makes a command fail.

use clap::ValueEnum;

use crate::exit;
use crate::model::document::{Document, Status};
use crate::model::finding::Severity;
use crate::model::scan::Scan;
use crate::model::verdict::{Verdict, verdict};

/// What makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum FailOn {
    /// A failed cell; in a scan, a finding of severity error.
    #[default]
    Error,
    /// Also a cell that passed only when tried again; in a scan, also a finding of severity warning.
    Warning,
    /// Nothing.
    Never,
}

impl FailOn {
    /// Whether it fails with this as the worst finding.
    pub(super) fn fails(self, worst: Option<Severity>) -> bool {
        match self {
            Self::Error => worst >= Some(Severity::Error),
            Self::Warning => worst >= Some(Severity::Warning),
            Self::Never => false,
        }
    }

    /// The exit code of a check.
    pub(super) fn check(self, document: &Document) -> u8 {
        if document.interrupted {
            return exit::INTERRUPTED;
        }
        let flaky = document.cells.iter().any(|cell| cell.status == Status::Flaky);
        match (verdict(document), self) {
            (Verdict::Analysis, Self::Never) => exit::GOOD,
            (Verdict::Good, Self::Warning) if flaky => exit::ANALYSIS,
            (verdict, _) => verdict.exit_code(),
        }
    }

    /// The exit code of a scan.
    pub(super) fn scan(self, scan: &Scan) -> u8 {
        if self.fails(scan.worst()) { exit::ANALYSIS } else { exit::GOOD }
    }
}
