//! A verdict as a sign, a word and a class of the style sheet: never by colour alone.

use crate::model::document::{Cell, Document, Status};
use crate::model::finding::Severity;
use crate::model::verdict::{Verdict, verdict};

/// How a verdict is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Class, and the word that the filter knows it by.
    pub(super) class: &'static str,
    /// One character.
    pub(super) sign: &'static str,
    /// For people who see no sign.
    pub(super) word: &'static str,
    /// Place in a list, the worst first.
    pub(super) rank: u8,
}

/// Every mark that a cell can have, the worst first.
pub(super) const MARKS: [Mark; 6] = [FAILED, ERROR, EXPECTED, FLAKY, SKIPPED, PASSED];

const FAILED: Mark = Mark { class: "failed", sign: "✗", word: "failed", rank: 0 };
const ERROR: Mark = Mark { class: "error", sign: "!", word: "error", rank: 1 };
const EXPECTED: Mark = Mark { class: "expected", sign: "✗", word: "failed as expected", rank: 2 };
const FLAKY: Mark = Mark { class: "flaky", sign: "~", word: "flaky", rank: 3 };
const SKIPPED: Mark = Mark { class: "skipped", sign: "–", word: "not run", rank: 4 };
const PASSED: Mark = Mark { class: "passed", sign: "✓", word: "passed", rank: 5 };

impl Mark {
    pub(super) fn of(cell: &Cell) -> Self {
        Self::status(cell.status, cell.is_forgiven())
    }

    pub(super) fn status(status: Status, forgiven: bool) -> Self {
        match status {
            Status::Passed => PASSED,
            Status::Flaky => FLAKY,
            Status::Failed if forgiven => EXPECTED,
            Status::Failed => FAILED,
            Status::Error => ERROR,
            Status::Skipped => SKIPPED,
        }
    }

    /// That of everything together.
    pub(super) fn whole(document: &Document) -> Self {
        match verdict(document) {
            Verdict::Good => PASSED,
            Verdict::Nothing => SKIPPED,
            Verdict::Infrastructure => ERROR,
            Verdict::Analysis => FAILED,
        }
    }

    pub(super) fn severity(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self { word: "error", ..FAILED },
            Severity::Warning => Self { word: "warning", ..ERROR },
            Severity::Note => Self { word: "note", sign: "i", ..SKIPPED },
        }
    }

    /// Whether it asks for somebody's attention.
    pub(super) fn is_bad(self) -> bool {
        self == FAILED || self == ERROR
    }
}
