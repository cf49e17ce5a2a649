//! The result of a check: `carnet/document@1`. Every report is rendered only from this document.

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

/// The result of one check, or of several merged checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// Always `carnet/document@1`.
    pub schema: String,
    /// Version of carnet that wrote it.
    pub version: String,
    /// The checked analysis.
    pub analysis: Analysis,
    /// Name of the cell that the other cells are compared with; absent if no cell has an environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// One entry per cell, in the order of the configuration.
    pub cells: Vec<Cell>,
    /// Environments by digest; each cell refers to its environment.
    pub environments: BTreeMap<Digest, Environment>,
    /// Differences between the environment of each cell and that of the reference, in the order of the cells.
    pub diffs: Vec<CellDiff>,
    /// The static scan and the declared inventory; absent in documents of versions without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Scan>,
    /// The run was interrupted and the document is partial.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Start time and duration.
    pub timing: Timing,
}

/// Start time and duration of a check.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Timing {
    /// Start time, RFC 3339 in UTC, with a precision of one second.
    pub started: String,
    /// Wall time in seconds.
    pub seconds: f64,
}

/// The checked analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// Name from `carnet.toml`, otherwise the name of the repository directory.
    pub name: String,
    /// Directory relative to the root of the repository; empty at the root and outside git.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub directory: String,
    /// Checked-out commit, if it is a git repository with commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Whether the working tree differs from the commit.
    #[serde(default)]
    pub dirty: bool,
    /// URL of the remote, without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// The file tree that the tests ran on.
    pub tree: Tree,
    /// Modules that its Python files import, sorted; differences in them are listed first.
    #[serde(default)]
    pub imports: Vec<String>,
    /// Digests of lock and requirement files, sorted by path.
    #[serde(default)]
    pub locks: Vec<LockFile>,
}

/// A lock file or requirements file of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockFile {
    /// Path relative to the analysis.
    pub path: String,
    /// Digest of the content.
    pub digest: Digest,
}

/// One cell: the test run at one facility in one role, and its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// Unique name: the facility id, followed by `/role` if the facility has several roles.
    pub id: String,
    /// Facility id.
    pub facility: String,
    /// Role, such as `login`, `notebook`, `worker` or `ci`; absent if the facility has only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Engine that ran the cell: `docker`, `embedded` or `host`; empty if no engine could run it.
    pub engine: String,
    /// The image; absent for `host` and if the image could not be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageIdentity>,
    /// The applied contract.
    pub contract: Contract,
    /// Status.
    pub status: Status,
    /// Reason, in one line; always present for `error` and `skipped`, and for `failed` if no test case states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How to fix it, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The reason from `carnet.toml` why a failure is expected here.
    #[serde(rename = "forgiven", default, skip_serializing_if = "Option::is_none")]
    pub expected_failure: Option<String>,
    /// The result is a cached result of the same tree in the same image.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// Digest of the environment, a key of `environments`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Digest>,
    /// Commands and their test cases.
    pub steps: Vec<Step>,
    /// Declared input files.
    #[serde(default)]
    pub inputs: Vec<FileDigest>,
    /// Declared output files.
    #[serde(default)]
    pub outputs: Vec<FileDigest>,
    /// Parts of the contract that could not be enforced, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_enforced: Vec<String>,
    /// Duration.
    pub timing: RunTiming,
}

/// Duration of a cell, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RunTiming {
    /// Wall time from the first to the last engine call.
    pub seconds: f64,
    /// Time spent inside the image.
    pub inside: CellTiming,
}

/// Status of a cell. A failure of the analysis, an infrastructure error and a skipped cell are always distinct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every test passed.
    Passed,
    /// Every test passed, some only on a retry.
    Flaky,
    /// The cell was not run.
    Skipped,
    /// The analysis failed: a test failed or did not complete, or the setup command failed.
    Failed,
    /// Infrastructure error: no engine, no image, or no result.
    Error,
}

/// Number of test cases by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed on the first attempt.
    pub passed: usize,
    /// Passed on a retry.
    pub flaky: usize,
    /// Skipped by the test framework.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Did not complete.
    pub errored: usize,
}

impl Counts {
    /// Returns the number of cases that failed or did not complete.
    pub fn failures(&self) -> usize {
        self.failed + self.errored
    }

    /// Returns the number of all cases.
    pub fn total(&self) -> usize {
        self.passed + self.flaky + self.skipped + self.failed + self.errored
    }

    /// Adds one case.
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
    /// Creates a cell whose tests did not run because of an infrastructure error.
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
            expected_failure: None,
            cached: false,
            environment: None,
            steps: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            not_enforced: Vec::new(),
            timing: RunTiming::default(),
        }
    }

    /// Returns the number of its test cases by outcome.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for case in self.steps.iter().flat_map(|step| &step.cases) {
            counts.add(case.outcome);
        }
        counts
    }
}

/// Differences between the environment of one cell and that of the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CellDiff {
    /// Name of the cell.
    pub cell: String,
    /// The differences in two columns: the reference, then the cell.
    pub diff: Diff,
}
