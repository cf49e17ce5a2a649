//! Which results make a command fail.

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::exit;
use crate::model::document::{Document, Status};
use crate::model::finding::Severity;
use crate::model::scan::Scan;
use crate::model::verdict::{Verdict, verdict};

/// The lowest level of results that makes a command fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum FailOn {
    #[default]
    Error,
    Warning,
    Never,
}

/// Help texts of the levels of one command: `error`, `warning`, `never`.
pub(super) type LevelHelp = [&'static str; 3];

/// Levels of a check.
pub(super) const OF_CHECK: LevelHelp = [
    "Failed cells",
    "Failed and flaky cells",
    "Exit with code 0 even if cells failed; infrastructure errors still exit with code 4",
];

/// Levels of a report.
pub(super) const OF_REPORT: LevelHelp = ["Failed cells", "Failed and flaky cells", "Exit with code 0 for every result"];

/// Levels of a scan.
pub(super) const OF_SCAN: LevelHelp =
    ["`error` findings", "`error` and `warning` findings", "Exit with code 0 even if there are findings"];

/// Levels of the pre-push hook.
pub(super) const OF_HOOK: LevelHelp = [
    "Block the push if there are `error` findings or failed cells",
    "Also block the push if there are `warning` findings",
    "Never block the push",
];

/// Returns a parser of the levels with the help texts of a command.
pub(super) fn fail_on_parser(help: LevelHelp) -> impl TypedValueParser<Value = FailOn> {
    let levels = FailOn::value_variants().iter().zip(help);
    let values = levels.filter_map(|(level, help)| Some(level.to_possible_value()?.help(help)));
    PossibleValuesParser::new(values.collect::<Vec<PossibleValue>>()).try_map(|name| FailOn::from_str(&name, false))
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
