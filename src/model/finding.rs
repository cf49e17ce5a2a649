//! One hit of a static rule, and everything that is known about it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; nothing has to change.
    Note,
    /// A risk: it works at many places, or for a while.
    Warning,
    /// It breaks at a target facility, or for another user.
    Error,
}

impl Severity {
    /// The word of the JSON form.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How sure a rule is of its finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The text alone suggests it.
    Low,
    /// The context fits.
    Medium,
    /// A fact of the catalogue or of the file format says so.
    High,
}

/// One finding, or several of one kind in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Id of the rule.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// File, relative to the top of the analysis; `.` for the repository as a whole.
    pub path: String,
    /// Where in it; none when the finding stands for the file or for several places of it.
    #[serde(flatten)]
    pub span: Option<Span>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// An edit that mends it and is safe to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// The facilities it concerns.
    #[serde(default, skip_serializing_if = "Reach::is_empty")]
    pub facilities: Reach,
    /// The line of the file where it starts, cut at 400 characters; none when it has no place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Key of its content, which stays when lines move: 32 hexadecimal digits.
    pub fingerprint: String,
    /// Why it is not reported, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppression>,
    /// How many places it stands for, when it stands for several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Those places, at most [`MOST_PLACES`] of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Location>,
}

/// Most places that one finding names.
pub const MOST_PLACES: usize = 10_000;

/// A part of a file. Lines and columns count from 1, columns in characters; the end is the character after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last character.
    pub end_column: u32,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// File, relative to the top of the analysis. Thousands of places share one.
    pub path: Arc<str>,
    /// Line, from 1.
    pub line: u32,
}

/// An edit of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// What it does, in a few words.
    pub title: String,
    /// First byte of the file that is replaced.
    pub start: u64,
    /// The byte after the last that is replaced.
    pub end: u64,
    /// What stands there afterwards.
    pub replacement: String,
}

/// At which facilities something breaks and at which it works, by their ids, sorted. One that stands in neither list
/// is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Reach {
    /// It breaks there.
    pub breaks: Vec<String>,
    /// It works there.
    pub works: Vec<String>,
}

impl Reach {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.breaks.is_empty() && self.works.is_empty()
    }
}

/// Why a finding is not reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppression {
    /// What suppressed it.
    pub by: Suppressor,
    /// The reason given.
    pub reason: String,
}

/// What can suppress a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Suppressor {
    /// A comment on its line or the line above.
    Inline,
    /// `[scan] ignore` of `carnet.toml`.
    Config,
    /// The baseline file.
    Baseline,
}
