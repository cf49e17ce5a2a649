//! The result of a static scan: `carnet/scan@1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Confidence, Finding, Severity};
use super::inventory::Inventory;

/// Name and version of the format.
pub const SCHEMA: &str = "carnet/scan@1";

/// The result of one scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scan {
    /// Always `carnet/scan@1`.
    pub schema: String,
    /// Version of carnet that wrote it.
    pub version: String,
    /// The scanned analysis.
    pub analysis: Subject,
    /// Ids of the target facilities, sorted.
    pub facilities: Vec<String>,
    /// The active rules, sorted by id.
    pub rules: Vec<RuleInfo>,
    /// Findings, including suppressed ones, sorted by path, position and rule.
    pub findings: Vec<Finding>,
    /// Files and directories that could not be scanned completely, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The declared dependencies.
    #[serde(default)]
    pub inventory: Inventory,
    /// Number of scanned files.
    pub files: FileCounts,
    /// Start time and duration.
    #[serde(default)]
    pub timing: ScanTiming,
}

impl Scan {
    /// Returns the highest severity of the findings that are not suppressed.
    pub fn worst(&self) -> Option<Severity> {
        let reported = self.findings.iter().filter(|finding| finding.suppressed.is_none());
        reported.map(|finding| finding.severity).max()
    }

    /// Returns the scan with paths relative to the root of the repository, which contains the analysis at `directory`.
    /// CI systems expect such paths.
    #[must_use]
    pub fn below(mut self, directory: &str) -> Self {
        let directory = directory.trim_matches('/');
        if directory.is_empty() {
            return self;
        }
        let below = |path: &str| if path == "." { directory.to_owned() } else { format!("{directory}/{path}") };
        for finding in &mut self.findings {
            finding.path = below(&finding.path);
            for location in &mut finding.locations {
                location.path = below(&location.path).into();
            }
        }
        for note in &mut self.notes {
            note.path = below(&note.path);
        }
        self
    }
}

/// The scanned analysis.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Subject {
    /// Name from `carnet.toml`, otherwise the name of the directory.
    pub name: String,
    /// Checked-out commit, or the newest commit of the scanned range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Whether the working tree differs from the commit.
    pub dirty: bool,
    /// URL of the remote, without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

/// A rule, as listed in reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleInfo {
    /// Id in kebab-case.
    pub id: String,
    /// Default severity of its findings.
    pub severity: Severity,
    /// Default confidence of its findings.
    pub confidence: Confidence,
    /// Summary in one line.
    pub summary: String,
    /// The documentation page in Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub page: String,
}

/// A file or directory that could not be scanned completely.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// File or directory, relative to the analysis directory.
    pub path: String,
    /// The problem: a lowercase fragment.
    pub message: String,
}

/// Number of scanned files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FileCounts {
    /// Number of scanned files.
    pub scanned: u64,
    /// Number of skipped files: binary files, generated and vendored directories.
    pub skipped: u64,
    /// Number of scanned bytes.
    pub bytes: u64,
}

/// Start time and duration of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ScanTiming {
    /// Start time, RFC 3339 in UTC, with a precision of one second.
    pub started: String,
    /// Wall time in milliseconds.
    pub milliseconds: u64,
}
