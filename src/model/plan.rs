//! What one cell is told to do: `carnet/plan@1`, written by the side that starts the cell and read inside.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and version of the format.
pub const SCHEMA: &str = "carnet/plan@1";

/// Everything `carnet cell` needs to know. Paths are as seen inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellPlan {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The cell's name: `facility` or `facility/role`.
    pub cell: String,
    /// What to do this time.
    pub phase: Phase,
    /// Directory with the analysis, read-only.
    pub source: String,
    /// Directory of the throw-away copy, made by the cell when it isn't there yet.
    pub work: String,
    /// Directory that tests start in: absolute, or relative to `work`.
    pub workdir: String,
    /// File the result is written to.
    pub result: String,
    /// Shell lines run before each command, in the same shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prelude: Option<String>,
    /// The command of the set-up, with network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<String>,
    /// The tests, in order.
    pub tests: Vec<TestCommand>,
    /// Seconds each command may take.
    pub timeout: u64,
    /// How often a failed command is tried again.
    #[serde(default)]
    pub retries: u32,
    /// Whether the tests may use the network.
    #[serde(default)]
    pub network: bool,
    /// The network is still there although the tests may not use it: the cell takes it away itself where it can.
    #[serde(default)]
    pub cut_network: bool,
    /// Outputs to hash after the tests: paths or globs relative to `work`.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// Input files to hash before the tests, relative to `work`.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// Bytes of output kept of each command, half from its start and half from its end.
    pub output_cap: u64,
    /// Names of variables whose values may be recorded, besides the built-in list.
    #[serde(default)]
    pub allow_env: Vec<String>,
    /// Variables set by carnet for this run alone, left out of the snapshot.
    #[serde(default)]
    pub own_env: BTreeMap<String, String>,
}

/// Which part of a cell is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Copy the analysis and run the set-up command; what it changed is kept for the tests.
    Setup,
    /// Take the snapshot, run the tests, hash the outputs.
    Test,
    /// Copy the analysis and run the set-up command, then all of `test`: where nothing can be kept between two starts.
    Whole,
    /// Take the snapshot alone.
    Snapshot,
}

/// One command that tests.
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
    /// pytest: case by case from the JUnit file it is told to write.
    Pytest,
    /// `python -m unittest`: case by case from its verbose output.
    Unittest,
    /// ctest: case by case from its JUnit file, or its output before CMake 3.21.
    Ctest,
    /// `make test` or `make check`: one case.
    Make,
    /// A ROOT macro: one case; ROOT's own error lines fail it even when its exit code is 0.
    RootMacro,
    /// A shell script: one case.
    Script,
    /// Any command: one case by its exit code, or case by case when it runs pytest below.
    Command,
}

impl TestKind {
    /// How the results of this command are read, by the program it starts; `Command` when it is none we know.
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
    fn the_program_decides_the_kind() {
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
