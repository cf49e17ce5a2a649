//! What a static audit found: `carnet/scan@1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Confidence, Finding, Severity};
use super::inventory::Inventory;

/// Name and version of the format.
pub const SCHEMA: &str = "carnet/scan@1";

/// One audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scan {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Version of carnet that wrote it.
    pub version: String,
    /// What was scanned.
    pub analysis: Subject,
    /// Ids of the facilities that findings are told for, sorted.
    pub facilities: Vec<String>,
    /// The rules that ran, sorted by id.
    pub rules: Vec<RuleInfo>,
    /// Findings, suppressed ones too, sorted by path, place and rule.
    pub findings: Vec<Finding>,
    /// What could not be looked at, or not as it should be: one entry each, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// What the repository declares.
    #[serde(default)]
    pub inventory: Inventory,
    /// How much was looked at.
    pub files: FileCounts,
    /// When and how long.
    #[serde(default)]
    pub timing: ScanTiming,
}

impl Scan {
    /// The worst of what nothing suppresses; none when nothing was found.
    pub fn worst(&self) -> Option<Severity> {
        let reported = self.findings.iter().filter(|finding| finding.suppressed.is_none());
        reported.map(|finding| finding.severity).max()
    }

    /// The same with paths from the top of the repository, in which the analysis lies at `directory`: what CI systems want,
    /// which know nothing of analyses.
    #[must_use]
    pub fn below(mut self, directory: &str) -> Self {
        let directory = directory.trim_matches('/');
        if directory.is_empty() {
            return self;
        }
        let below = |path: &str| if path == "." { directory.to_owned() } else { format!("{directory}/{path}") };
        for finding in &mut self.findings {
            finding.path = below(&finding.path);
            for place in &mut finding.places {
                place.path = below(&place.path).into();
            }
        }
        for note in &mut self.notes {
            note.path = below(&note.path);
        }
        self
    }
}

/// What was scanned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Subject {
    /// Name from `carnet.toml`, else of the directory.
    pub name: String,
    /// Commit checked out, or the newest of a range of commits that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Whether the working tree differs from the commit.
    pub dirty: bool,
    /// URL of the remote, without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

/// A rule, as reports list it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleInfo {
    /// Id: a kebab-case name of the pattern.
    pub id: String,
    /// The severity its findings usually have.
    pub severity: Severity,
    /// The confidence its findings usually have.
    pub confidence: Confidence,
    /// What it finds, in one line.
    pub summary: String,
    /// The manual page, Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub page: String,
}

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// File or directory, relative to the top.
    pub path: String,
    /// What happened, a lowercase fragment.
    pub message: String,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FileCounts {
    /// Files that were read.
    pub scanned: u64,
    /// Files that were left out: binary ones, generated and vendored trees.
    pub skipped: u64,
    /// Bytes that were read.
    pub bytes: u64,
}

/// When an audit ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ScanTiming {
    /// Start, RFC 3339 in UTC, to the second.
    pub started: String,
    /// Wall time in milliseconds.
    pub milliseconds: u64,
}
