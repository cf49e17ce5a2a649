//! The result of one cell: `carnet/cell@1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::environment::Environment;
use super::known::Known;
use super::plan::TestKind;

/// The line before a result on standard output. The text before it is output of the image's entrypoint. The line does not
/// occur in a result, because JSON escapes line breaks in texts.
pub const RESULT_START: &str = "carnet-result:";

/// Start of the entry in [`CellResult::not_enforced`] if tests can stop or trace the carnet process that runs them.
pub const RESULT_NOT_PROTECTED: &str = "result not protected";

/// Name and version of the format.
pub const SCHEMA: &str = "carnet/cell@1";

/// The result that `carnet cell` writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CellResult {
    /// Always `carnet/cell@1`.
    pub schema: String,
    /// Version of carnet that ran inside the image.
    pub version: String,
    /// The cell's name.
    pub cell: String,
    /// The environment snapshot, taken after the setup and before the tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Every command that was run, in order, including the setup.
    pub steps: Vec<Step>,
    /// Input files listed in the plan.
    #[serde(default)]
    pub inputs: Vec<FileDigest>,
    /// Output files listed in the plan.
    #[serde(default)]
    pub outputs: Vec<FileDigest>,
    /// Parts of the contract that could not be enforced: `network: not disabled: operation not permitted`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_enforced: Vec<String>,
    /// Infrastructure error that stopped the cell; never a test failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// How long things took.
    pub timing: CellTiming,
}

/// Duration of the parts of a cell, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CellTiming {
    /// The snapshot.
    pub snapshot: f64,
    /// The temporary copy of the analysis.
    pub copy: f64,
    /// All commands.
    pub commands: f64,
    /// Total, from the start of the process in the image until the result is written.
    pub total: f64,
}

/// One command and its results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// `setup`, or the test command's name.
    pub name: String,
    /// How the results were read; absent for the setup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<TestKind>,
    /// The command as run.
    pub run: String,
    /// How the last attempt ended.
    pub end: End,
    /// Number of runs; greater than 1 only if retries are configured.
    pub attempts: u32,
    /// Standard output and standard error, interleaved and truncated; present only if the command failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Captured>,
    /// The test cases, in the order they were run.
    pub cases: Vec<TestCase>,
    /// Why test cases could not be read, if the command was expected to report them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// Duration.
    pub timing: Seconds,
}

/// A duration in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Seconds {
    /// Seconds.
    pub seconds: f64,
}

impl Seconds {
    /// Returns the sum of two durations. It is finite, because JSON has no infinite numbers.
    pub fn sum(a: f64, b: f64) -> f64 {
        (a + b).clamp(f64::MIN, f64::MAX)
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The command exited.
    Exit {
        /// Its exit code.
        code: i32,
    },
    /// A signal ended the command.
    Signal {
        /// Signal number.
        signal: i32,
    },
    /// The command exceeded the memory limit.
    OutOfMemory {},
    /// The command exceeded its time limit and was killed with all its child processes.
    Timeout {
        /// Time limit in seconds.
        seconds: u64,
    },
    /// The command could not be started, or how it ended could not be determined.
    NotStarted {
        /// Why.
        reason: String,
    },
}

impl End {
    /// Reports whether the command exited with code 0.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Exit { code: 0 })
    }
}

/// Output of a command, truncated to a maximum size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Captured {
    /// The text, with invalid UTF-8 replaced. If bytes were dropped, a line between start and end states how many.
    pub text: String,
    /// Number of bytes dropped from the middle.
    #[serde(default)]
    pub dropped: u64,
}

/// One test case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestCase {
    /// Name as reported by the test framework: `test_mass[loose]`.
    pub name: String,
    /// Class or module: `tests.test_yields`; the name of the step if the framework reports none.
    pub class: String,
    /// File relative to the analysis, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line in the file, starting at 1, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Outcome.
    pub outcome: Outcome,
    /// Failure message or skip reason, one line; empty if the test passed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Traceback and captured output, truncated; present only if the test did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Captured>,
    /// The test tried to use the network while it was disabled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tried_network: bool,
    /// Duration.
    pub timing: Seconds,
}

/// Outcome of a test case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The test passed.
    Passed,
    /// The test failed first and passed on a retry.
    Flaky,
    /// The test framework skipped the test, or the test failed as expected (`xfail`).
    Skipped,
    /// An assertion or the code under test failed.
    Failed,
    /// The test did not complete: a fixture failed, it timed out, or it crashed.
    Errored,
}

/// A file and the digest of its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileDigest {
    /// Path relative to the analysis.
    pub path: String,
    /// Digest of the content, or the reason why it could not be read.
    pub digest: Known<Digest>,
    /// Size in bytes.
    #[serde(default)]
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::Seconds;

    #[test]
    fn duration_is_unchanged_after_reading_and_writing() {
        let text = r#"{"seconds":1.9612861910000001}"#;
        let duration: Seconds = serde_json::from_str(text).expect("a duration");
        assert_eq!(serde_json::to_string(&duration).expect("JSON"), text);
    }
}
