//! Signs, words and style classes of results, so that color is never the only distinction.

use crate::model::document::{Cell, Document, Status};
use crate::model::finding::Severity;
use crate::model::text::count;
use crate::model::verdict::{Verdict, verdict};

/// The representation of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Style class and name in the filter.
    pub(super) class: &'static str,
    /// Sign of one character.
    pub(super) sign: &'static str,
    /// Text for screen readers and tooltips.
    pub(super) word: &'static str,
    /// Sort key, the worst first.
    pub(super) rank: u8,
}

/// All marks of cells, the worst first.
pub(super) const MARKS: [Mark; 6] = [FAILED, ERROR, EXPECTED, FLAKY, SKIPPED, PASSED];

const FAILED: Mark = Mark { class: "failed", sign: "✗", word: "failed", rank: 0 };
const ERROR: Mark = Mark { class: "error", sign: "!", word: "infrastructure error", rank: 1 };
const EXPECTED: Mark = Mark { class: "expected", sign: "✗", word: "failed as expected", rank: 2 };
const FLAKY: Mark = Mark { class: "flaky", sign: "~", word: "flaky", rank: 3 };
const SKIPPED: Mark = Mark { class: "skipped", sign: "–", word: "not run", rank: 4 };
const PASSED: Mark = Mark { class: "passed", sign: "✓", word: "passed", rank: 5 };

impl Mark {
    pub(super) fn of(cell: &Cell) -> Self {
        Self::status(cell.status, cell.is_expected_failure())
    }

    pub(super) fn status(status: Status, is_expected: bool) -> Self {
        match status {
            Status::Passed => PASSED,
            Status::Flaky => FLAKY,
            Status::Failed if is_expected => EXPECTED,
            Status::Failed => FAILED,
            Status::Error => ERROR,
            Status::Skipped => SKIPPED,
        }
    }

    /// Returns the mark of the verdict on the document.
    pub(super) fn verdict(document: &Document) -> Self {
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

    /// Returns a number of cells with this mark: `2 failed`, `2 infrastructure errors`.
    pub(super) fn count(self, number: usize) -> String {
        if self == ERROR { count(number, self.word) } else { format!("{number} {}", self.word) }
    }

    /// Reports whether it marks a failure or an error.
    pub(super) fn is_bad(self) -> bool {
        self == FAILED || self == ERROR
    }
}
