//! The output of a command.

use std::process::{Command, Output};

/// Exit code and output of a finished command.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    /// The exit code; -1 if a signal ended the command.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl CommandOutput {
    /// Converts the output of a finished command.
    pub(crate) fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn run(command: &mut Command) -> Self {
        Self::new(&command.output().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Standard output followed by standard error.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Fails with the whole output unless the exit code is `code`.
    #[track_caller]
    pub(crate) fn assert_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails with the whole output unless it contains each of these texts.
    #[track_caller]
    pub(crate) fn assert_contains(&self, texts: &[&str]) -> &Self {
        let output = self.text();
        for text in texts {
            assert!(output.contains(text), "no `{text}` in\n{output}");
        }
        self
    }

    /// Fails with the whole output if it contains this text.
    #[track_caller]
    pub(crate) fn assert_lacks(&self, text: &str) -> &Self {
        let output = self.text();
        assert!(!output.contains(text), "`{text}` in\n{output}");
        self
    }
}
