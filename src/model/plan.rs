//! The plan of one cell: `carnet/plan@1`, written by the engine and read inside the image.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and version of the format.
pub const SCHEMA: &str = "carnet/plan@1";

/// Value of [`CellPlan::result`] for standard output.
pub const STDOUT: &str = "-";

/// The input of `carnet cell`. Paths are paths inside the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellPlan {
    /// Always `carnet/plan@1`.
    pub schema: String,
    /// The cell's name: `facility` or `facility/role`.
    pub cell: String,
    /// The phase to run.
    pub phase: Phase,
    /// Directory with the analysis, read-only.
    pub source: String,
    /// Directory of the temporary copy; created by the cell if it does not exist.
    pub work: String,
    /// Working directory of the tests: absolute, or relative to `work`.
    pub workdir: String,
    /// File for the result, or `-` for standard output.
    pub result: String,
    /// Shell lines run before each command, in the same shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prelude: Option<String>,
    /// The setup command; it may use the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<String>,
    /// The tests, in order.
    pub tests: Vec<TestCommand>,
    /// Time limit of each command in seconds.
    pub timeout: u64,
    /// Number of times a failed command is retried.
    #[serde(default)]
    pub retries: u32,
    /// Whether the tests may use the network.
    #[serde(default)]
    pub network: bool,
    /// The tests may not use the network but it is still available, so the cell disables it if it can.
    #[serde(default)]
    pub cut_network: bool,
    /// Outputs to hash after the tests: paths or globs relative to `work`.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// Input files to hash before the tests, relative to `work`.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// Maximum size in bytes of the recorded output of each command, half from its start and half from its end.
    pub output_cap: u64,
    /// Names of variables whose values may be recorded, in addition to the built-in list.
    #[serde(default)]
    pub allow_env: Vec<String>,
    /// Variables set by carnet only for this run, excluded from the snapshot.
    #[serde(default)]
    pub own_env: BTreeMap<String, String>,
}

/// The part of a cell to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Copy the analysis and run the setup command; its changes are kept for the tests.
    Setup,
    /// Take the snapshot, run the tests and hash the outputs.
    Test,
    /// Run `setup` and `test` in one process, if changes cannot be kept between two starts.
    Whole,
    /// Only take the snapshot.
    Snapshot,
}

/// One test command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestCommand {
    /// Short name, unique in the plan: `pytest`, `ctest`, `check.sh`.
    pub name: String,
    /// How its results are read.
    pub kind: TestKind,
    /// The shell command.
    pub run: String,
}

/// How the results of a test command are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TestKind {
    /// pytest: one case per test, from its JUnit file.
    Pytest,
    /// `python -m unittest`: one case per test, from its verbose output.
    Unittest,
    /// ctest: one case per test, from its JUnit file, or from its output before CMake 3.21.
    Ctest,
    /// `make test` or `make check`: one case.
    Make,
    /// A ROOT macro: one case; error lines of ROOT fail it even if the exit code is 0.
    RootMacro,
    /// A shell script: one case.
    Script,
    /// Any command: one case from its exit code, or one case per test if it runs pytest.
    Command,
}

impl TestKind {
    /// Returns how the results of a command are read, depending on the program it starts; `Command` for unknown
    /// programs.
    pub fn of_command(command: &str) -> Self {
        let words: Vec<&str> = command.split_whitespace().collect();
        let program = |word: &str| word.rsplit('/').next().map(str::to_owned).unwrap_or_default();
        let has = |name: &str| words.iter().any(|word| program(word) == name);
        let first = words.first().map(|word| program(word)).unwrap_or_default();
        if has("pytest") || has("py.test") {
            Self::Pytest
        } else if has("unittest") {
            Self::Unittest
        } else if has("ctest") {
            Self::Ctest
        } else if first == "make" {
            Self::Make
        } else if has("root") || has("root.exe") {
            Self::RootMacro
        } else if first.ends_with(".sh") || matches!(first.as_str(), "sh" | "bash") && first != command {
            Self::Script
        } else {
            Self::Command
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TestKind;

    #[test]
    fn kind_depends_on_the_program() {
        let cases = [
            ("pytest -q tests", TestKind::Pytest),
            ("python3 -m pytest -x", TestKind::Pytest),
            ("/opt/venv/bin/pytest", TestKind::Pytest),
            ("python -m unittest discover", TestKind::Unittest),
            ("ctest --test-dir build", TestKind::Ctest),
            ("make check", TestKind::Make),
            ("root -l -b -q tests/fit.C", TestKind::RootMacro),
            ("bash tests/run.sh", TestKind::Script),
            ("./run_tests.sh", TestKind::Script),
            ("python3 analysis.py --test", TestKind::Command),
        ];
        for (command, kind) in cases {
            assert_eq!(TestKind::of_command(command), kind, "{command}");
        }
    }
}
