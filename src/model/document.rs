//! Everything a check learned: `carnet/document@1`. Every report is rendered from it and from nothing else.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cell::{CellTiming, FileDigest, Outcome, Step};
use super::contract::Contract;
use super::diff::Diff;
use super::digest::Digest;
use super::environment::Environment;
use super::image::ImageIdentity;
use super::scan::Scan;
use super::tree::Tree;

/// Name and version of the format.
pub const SCHEMA: &str = "carnet/document@1";

/// One check, or several merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Version of carnet that wrote it.
    pub version: String,
    /// What was checked.
    pub analysis: Analysis,
    /// Name of the cell the others are compared with; none when no cell has an environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// One entry a cell, in the order of the configuration.
    pub cells: Vec<Cell>,
    /// Environments by digest; a cell names its own.
    pub environments: BTreeMap<Digest, Environment>,
    /// Differences of each cell's environment from the reference's, in the order of the cells.
    pub diffs: Vec<CellDiff>,
    /// The static audit, with what the repository declares; none in documents of versions without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Scan>,
    /// The run was interrupted; what is here is what was learned until then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// When and how long.
    pub timing: Timing,
}

/// When a check ran.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Timing {
    /// Start, RFC 3339 in UTC, to the second.
    pub started: String,
    /// Wall time in seconds.
    pub seconds: f64,
}

/// What was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// Name from `carnet.toml`, else of the repository's directory.
    pub name: String,
    /// Its directory below the top of the repository; empty at the top and outside git.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub directory: String,
    /// Commit checked out, when it is a git repository with commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Whether the working tree differs from the commit.
    #[serde(default)]
    pub dirty: bool,
    /// URL of the remote, without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// The tree the tests saw.
    pub tree: Tree,
    /// Modules that its Python files import, sorted: what a diff puts first.
    #[serde(default)]
    pub imports: Vec<String>,
    /// Digests of lock and requirement files, sorted by path.
    #[serde(default)]
    pub locks: Vec<LockFile>,
}

/// A lock or requirements file that the repository has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockFile {
    /// Path relative to the analysis.
    pub path: String,
    /// Digest of the content.
    pub digest: Digest,
}

/// One cell: what was run where, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// Unique name: the facility's id, with `/role` when the facility has several roles.
    pub id: String,
    /// Facility id.
    pub facility: String,
    /// Role, as `login`, `notebook`, `worker`, `ci`; none when the facility has but one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Engine that ran it: `docker`, `embedded`, `host`; empty when none could.
    pub engine: String,
    /// The image; none for `host` and when it couldn't be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageIdentity>,
    /// The contract it ran under.
    pub contract: Contract,
    /// Verdict.
    pub status: Status,
    /// Why, in one line: for `error` and `skipped` always, for `failed` when no case says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about it, when something is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The expectation of `carnet.toml` that forgives a failure here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgiven: Option<String>,
    /// The result was taken from an earlier run of the same tree in the same image.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// Digest of its environment, a key of [`Document::environments`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Digest>,
    /// Commands and their test cases.
    pub steps: Vec<Step>,
    /// Files the analysis declares as inputs.
    #[serde(default)]
    pub inputs: Vec<FileDigest>,
    /// Files the analysis declares as outputs.
    #[serde(default)]
    pub outputs: Vec<FileDigest>,
    /// Parts of the contract that the engine couldn't enforce, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_enforced: Vec<String>,
    /// How long it took.
    pub timing: RunTiming,
}

/// How long a cell took, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RunTiming {
    /// Wall time from the first call of the engine to the last.
    pub seconds: f64,
    /// The part inside the image.
    pub inside: CellTiming,
}

/// Verdict of a cell. Three never mix: the analysis failed, the place failed us, it was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every test passed.
    Passed,
    /// Everything passed, some only when tried again.
    Flaky,
    /// Not run, with the reason.
    Skipped,
    /// The analysis failed: a test failed or broke, or its set-up command did.
    Failed,
    /// The place failed us: no engine, no image, no result.
    Error,
}

/// Counts of test cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed at once.
    pub passed: usize,
    /// Passed when tried again.
    pub flaky: usize,
    /// Skipped by their framework.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Couldn't be run to a verdict.
    pub errored: usize,
}

impl Counts {
    /// Cases that did not pass.
    pub fn bad(&self) -> usize {
        self.failed + self.errored
    }

    /// All cases.
    pub fn total(&self) -> usize {
        self.passed + self.flaky + self.skipped + self.failed + self.errored
    }

    /// Counts one more.
    pub fn add(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Passed => &mut self.passed,
            Outcome::Flaky => &mut self.flaky,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Failed => &mut self.failed,
            Outcome::Errored => &mut self.errored,
        } += 1;
    }
}

impl Cell {
    /// One that did not get to its tests because of the place, with the reason.
    pub fn not_run(id: String, facility: String, role: Option<String>, contract: Contract, reason: &str) -> Self {
        Self {
            id,
            facility,
            role,
            engine: String::new(),
            image: None,
            contract,
            status: Status::Error,
            reason: Some(reason.to_owned()),
            hint: None,
            forgiven: None,
            cached: false,
            environment: None,
            steps: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            not_enforced: Vec::new(),
            timing: RunTiming::default(),
        }
    }

    /// Counts of all its test cases.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for case in self.steps.iter().flat_map(|step| &step.cases) {
            counts.add(case.outcome);
        }
        counts
    }
}

/// The differences of one cell's environment from the reference's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CellDiff {
    /// The cell.
    pub cell: String,
    /// The differences, with two columns: the reference, then the cell.
    pub diff: Diff,
}
