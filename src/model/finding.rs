//! A finding of a scan rule.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Informational; no change is required.
    Note,
    /// A risk: it works only at some facilities or only for a limited time.
    Warning,
    /// It breaks at a target facility or for another user.
    Error,
}

impl Severity {
    /// Returns the name used in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Confidence of a rule in its finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Only the text suggests it.
    Low,
    /// The context supports it.
    Medium,
    /// The facility catalogue or the file format confirms it.
    High,
}

/// One finding, or several of the same kind in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Id of the rule.
    pub rule: String,
    /// Severity.
    pub severity: Severity,
    /// Confidence of the rule.
    pub confidence: Confidence,
    /// File, relative to the analysis directory; `.` for the whole repository.
    pub path: String,
    /// Position in the file; absent if the finding concerns the whole file or several positions.
    #[serde(flatten)]
    pub span: Option<Span>,
    /// What is wrong, in one line.
    pub message: String,
    /// How to fix it, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// A safe edit that fixes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// The affected facilities.
    #[serde(default, skip_serializing_if = "Reach::is_empty")]
    pub facilities: Reach,
    /// The first affected line of the file, truncated to 400 characters; absent if the finding has no position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Columns of the span in `source`, if a credential was removed from `source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_columns: Option<Columns>,
    /// Key derived from its content, which does not change when lines move: 32 hexadecimal digits.
    pub fingerprint: String,
    /// Why it is not reported, if it is suppressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppression>,
    /// Number of positions, if the finding covers several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The locations, at most 10,000.
    #[serde(default, rename = "places", skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
}

/// The keys of a finding. The derived implementation for a flattened field would store every unknown key.
#[derive(Deserialize)]
struct Keys {
    rule: String,
    severity: Severity,
    confidence: Confidence,
    path: String,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    message: String,
    help: Option<String>,
    fix: Option<Fix>,
    #[serde(default)]
    facilities: Reach,
    source: Option<String>,
    source_columns: Option<Columns>,
    fingerprint: String,
    suppressed: Option<Suppression>,
    count: Option<u64>,
    #[serde(default)]
    places: Vec<Location>,
}

impl<'de> Deserialize<'de> for Finding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = Keys::deserialize(deserializer)?;
        let span = match (keys.line, keys.column, keys.end_line, keys.end_column) {
            (Some(line), Some(column), Some(end_line), Some(end_column)) => {
                Some(Span { line, column, end_line, end_column })
            }
            _ => None,
        };
        Ok(Self {
            rule: keys.rule,
            severity: keys.severity,
            confidence: keys.confidence,
            path: keys.path,
            span,
            message: keys.message,
            help: keys.help,
            fix: keys.fix,
            facilities: keys.facilities,
            source: keys.source,
            source_columns: keys.source_columns,
            fingerprint: keys.fingerprint,
            suppressed: keys.suppressed,
            count: keys.count,
            locations: keys.places,
        })
    }
}

impl Finding {
    /// Returns the columns of the span in `source`; `None` if the finding has no span. The end is `u32::MAX` if the span ends
    /// on a later line.
    pub fn columns(&self) -> Option<Columns> {
        let of_span = |span: Span| {
            let end = if span.end_line > span.line { u32::MAX } else { span.end_column };
            Columns { start: span.column, end }
        };
        self.source_columns.or_else(|| self.span.map(of_span))
    }
}

/// Columns of a line, starting at 1. They count characters; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Columns {
    /// First column.
    pub start: u32,
    /// Column after the last character.
    pub end: u32,
}

/// Maximum number of locations in one finding.
pub const MAX_LOCATIONS: usize = 10_000;

/// A part of a file. Lines and columns start at 1, columns count characters; the end is exclusive.
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
    /// File, relative to the analysis directory.
    pub path: Arc<str>,
    /// Line, starting at 1.
    pub line: u32,
}

/// An edit to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// Short description.
    pub title: String,
    /// Offset of the first replaced byte in the file.
    pub start: u64,
    /// Offset after the last replaced byte.
    pub end: u64,
    /// The new text.
    pub replacement: String,
}

/// Ids of the facilities where something breaks and where it works, sorted. For a facility in neither list, the result
/// is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Reach {
    /// Facilities where it breaks.
    pub breaks: Vec<String>,
    /// Facilities where it works.
    pub works: Vec<String>,
}

impl Reach {
    /// Reports whether no facility is listed.
    pub fn is_empty(&self) -> bool {
        self.breaks.is_empty() && self.works.is_empty()
    }
}

/// Why a finding is not reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppression {
    /// The kind of suppression.
    pub by: Suppressor,
    /// The stated reason.
    pub reason: String,
}

/// A way to suppress a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Suppressor {
    /// A comment on its line or the line above.
    Inline,
    /// `[scan] ignore` in `carnet.toml`.
    Config,
    /// The baseline file.
    Baseline,
}
