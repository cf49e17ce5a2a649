//! Combines the exit status of a command with its cases.

use super::shell::ShellError;
use super::{command_case, first_line, is_failure, output, pytest};
use crate::cell::command::CommandResult;
use crate::model::cell::{End, Outcome, TestCase};
use crate::model::plan::{TestCommand, TestKind};

/// The results of a command.
pub(super) struct Verdict<'a> {
    /// The command.
    pub(super) test: &'a TestCommand,
    /// How the command ended.
    pub(super) result: &'a CommandResult,
    /// The cases that were read.
    pub(super) cases: Vec<TestCase>,
    /// Why cases may be missing.
    pub(super) unread: Option<String>,
    /// Why an exit code of 0 does not mean that the tests passed: its report is missing or incomplete.
    pub(super) doubt: Option<String>,
    /// Whether it wrote a JUnit file.
    pub(super) reported: bool,
    /// Whether its output states that no tests were run.
    pub(super) nothing_ran: bool,
}

impl Verdict<'_> {
    /// Adds a case for the whole command if its exit status is not explained by the cases.
    pub(super) fn complete(&mut self) {
        let end = &self.result.end;
        let trouble = if self.is_pytest() { pytest::trouble(end, &self.result.output, self.any_bad()) } else { None };
        if self.reports_cases() && self.cases.is_empty() && self.unread.is_none() {
            self.unread = Some(trouble.clone().unwrap_or_else(|| not_reported(self.test.kind).to_owned()));
        }
        if let Some(outcome) = self.whole() {
            let message = match outcome {
                Outcome::Passed => String::new(),
                _ if end.is_success() => match &self.doubt {
                    Some(doubt) => first_line(&format!("exit code 0, but {doubt}")),
                    None => "no tests were run".to_owned(),
                },
                _ => trouble.or_else(|| not_found(end, &self.result.output.text)).unwrap_or_else(|| describe(end)),
            };
            self.cases.push(command_case(&self.test.name, outcome, message));
        }
        let name = &self.test.name;
        for case in self.cases.iter_mut().filter(|case| is_failure(case) && case.class == *name && case.name == *name) {
            case.output = case.output.take().or_else(|| output(&self.result.output));
        }
    }

    /// Returns the outcome of the case for the whole command. `None` if the cases explain the exit status.
    fn whole(&self) -> Option<Outcome> {
        let none = self.cases.is_empty();
        match &self.result.end {
            End::Exit { code: 0 } if self.doubt.is_some() => Some(Outcome::Errored),
            End::Exit { code: 0 } if none => {
                let nothing_ran = self.nothing_ran || self.reported && self.is_pytest();
                Some(if nothing_ran { Outcome::Errored } else { Outcome::Passed })
            }
            End::Exit { code: 0 } => None,
            end @ End::Exit { .. } if none && !self.reports_cases() && !self.reported => {
                Some(if is_crash(end) { Outcome::Errored } else { Outcome::Failed })
            }
            // Codes 3 and 4 of pytest, and 126 and above of a shell, do not only mean that cases failed.
            End::Exit { code } => {
                let is_unexplained = *code >= 126 || self.is_pytest() && matches!(code, 3 | 4);
                (is_unexplained || !self.any_bad()).then_some(Outcome::Errored)
            }
            End::Signal { .. } | End::OutOfMemory {} | End::Timeout { .. } | End::NotStarted { .. } => {
                Some(Outcome::Errored)
            }
        }
    }

    /// Reports whether commands of this kind report individual cases.
    fn reports_cases(&self) -> bool {
        matches!(self.test.kind, TestKind::Pytest | TestKind::Unittest | TestKind::Ctest)
    }

    fn is_pytest(&self) -> bool {
        self.test.kind == TestKind::Pytest || self.reported && self.test.kind != TestKind::Ctest
    }

    fn any_bad(&self) -> bool {
        self.cases.iter().any(is_failure)
    }
}

fn not_reported(kind: TestKind) -> &'static str {
    match kind {
        TestKind::Pytest => "the command wrote no JUnit file, so its cases are unknown",
        TestKind::Unittest => "the output contains no cases; run unittest with -v",
        _ => "the output contains no cases",
    }
}

/// The prelude of a facility did not complete, so no test can start.
#[derive(Debug, thiserror::Error)]
pub(in crate::cell) enum PreludeError {
    /// It failed, for this reason.
    #[error("`setup` of the facility failed before the tests: {0}")]
    Failed(String),
    /// The shell can't start.
    #[error(transparent)]
    Shell(#[from] ShellError),
}

impl PreludeError {
    pub(super) fn new(result: &CommandResult) -> Self {
        let last = result.output.text.lines().map(str::trim).rfind(|line| !line.is_empty());
        let output = last.map(|line| format!("; last line of output: {}", first_line(line))).unwrap_or_default();
        let how = match &result.end {
            End::Exit { code: 0 } => "it exited the shell (`exit 0`)".to_owned(),
            end => describe(end),
        };
        Self::Failed(format!("{how}{output}"))
    }
}

/// Reports whether the exit code of a shell means that a signal ended the command: 128 plus its number.
fn is_crash(end: &End) -> bool {
    matches!(end, End::Exit { code } if (129..=128 + 64).contains(code))
}

/// Returns a message for the command that the shell did not find: `/bin/sh: 1: root: not found` (dash),
/// `bash: line 1: root: command not found`.
fn not_found(end: &End, output: &str) -> Option<String> {
    if *end != (End::Exit { code: 127 }) {
        return None;
    }
    let prefix = output.lines().rev().find_map(|line| {
        line.trim_end().strip_suffix(": not found").or_else(|| line.trim_end().strip_suffix(": command not found"))
    })?;
    let command = prefix.rsplit(": ").next().unwrap_or(prefix);
    Some(first_line(&format!("{command} is not in this environment (command not found)")))
}

/// Describes how a command ended.
fn describe(end: &End) -> String {
    match end {
        End::Exit { code: 126 } => "exit code 126: command is not executable".to_owned(),
        End::Exit { code: 127 } => "exit code 127: command not found".to_owned(),
        End::Exit { code } if is_crash(end) => format!("exit code {code}: {}", signal(code - 128)),
        End::Exit { code } => format!("exit code {code}"),
        End::Signal { signal: number } => signal(*number),
        End::OutOfMemory {} => "killed: memory limit exceeded".to_owned(),
        End::Timeout { seconds } => format!("killed: time limit of {seconds} s exceeded"),
        End::NotStarted { reason } => format!("not started: {reason}"),
    }
}

fn signal(number: i32) -> String {
    let name = signal_hook::low_level::signal_name(number);
    name.map_or_else(|| format!("killed by signal {number}"), |name| format!("killed by signal {number} ({name})"))
}
