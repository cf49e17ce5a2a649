//! The result of one cell: `carnet/cell@1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::environment::Environment;
use super::known::Known;
use super::plan::TestKind;

/// Name and version of the format.
pub const SCHEMA: &str = "carnet/cell@1";

/// What `carnet cell` brings back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CellResult {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Version of carnet that ran inside.
    pub version: String,
    /// The cell's name.
    pub cell: String,
    /// The snapshot, taken before the tests and after the set-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Every command that was run, in order, set-up included.
    pub steps: Vec<Step>,
    /// Files the plan named as inputs.
    #[serde(default)]
    pub inputs: Vec<FileDigest>,
    /// Files the plan named as outputs.
    #[serde(default)]
    pub outputs: Vec<FileDigest>,
    /// What the tests were promised and didn't get: `network not cut: operation not permitted`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_enforced: Vec<String>,
    /// Set when the cell itself couldn't go on: a failure of the place, never of a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// How long things took.
    pub timing: CellTiming,
}

/// How long the parts of a cell took, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CellTiming {
    /// The snapshot.
    pub snapshot: f64,
    /// The throw-away copy.
    pub copy: f64,
    /// All commands.
    pub commands: f64,
    /// Everything, from the start of the process in the image to the writing of the result.
    pub total: f64,
}

/// One command and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// `setup`, or the test command's name.
    pub name: String,
    /// How the results were read; none for the set-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<TestKind>,
    /// The command as run.
    pub run: String,
    /// How it ended, the last attempt's.
    pub end: End,
    /// How often it was run; more than one only when retries were asked for.
    pub attempts: u32,
    /// Its standard output and error as they came, capped; kept only when it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Captured>,
    /// The test cases, in the order they were run.
    pub cases: Vec<TestCase>,
    /// Why the cases couldn't be read, when the command was to report them and didn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// How long it took.
    pub timing: Seconds,
}

/// A duration in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Seconds {
    /// Seconds.
    pub seconds: f64,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// It exited.
    Exit {
        /// Its exit code.
        code: i32,
    },
    /// A signal ended it.
    Signal {
        /// Number of the signal.
        signal: i32,
    },
    /// It was over its memory limit.
    OutOfMemory {},
    /// It ran over its time and was killed with all its children.
    Timeout {
        /// The limit in seconds.
        seconds: u64,
    },
    /// It couldn't be started.
    NotStarted {
        /// Why.
        reason: String,
    },
}

impl End {
    /// Whether it exited with 0.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Exit { code: 0 })
    }
}

/// Output of a command within its cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Captured {
    /// The text; bytes that are no UTF-8 replaced. When bytes were dropped, a line between start and end says so.
    pub text: String,
    /// Bytes dropped in the middle.
    #[serde(default)]
    pub dropped: u64,
}

/// One test case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestCase {
    /// Name as its framework has it: `test_mass[loose]`.
    pub name: String,
    /// Class or module: `tests.test_yields`; the step's name when the framework has none.
    pub class: String,
    /// File relative to the analysis, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line in the file, counted from 1, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Verdict.
    pub outcome: Outcome,
    /// Message of a failure or the reason of a skip, one line; empty when it passed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Traceback and captured output, capped; kept only when it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Captured>,
    /// It tried to use the network while that was off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tried_network: bool,
    /// How long it took.
    pub timing: Seconds,
}

/// Verdict of a test case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed first and passed when tried again: never plain green.
    Flaky,
    /// Its framework skipped it, or it was expected to fail and did.
    Skipped,
    /// An assertion or the code under test failed.
    Failed,
    /// It couldn't be run to a verdict: a fixture failed, a time-out, a crash.
    Errored,
}

/// A file and its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileDigest {
    /// Path relative to the analysis.
    pub path: String,
    /// Digest of the content, or why there is none.
    pub digest: Known<Digest>,
    /// Bytes.
    #[serde(default)]
    pub bytes: u64,
}
