//! How a command ended, against the cases that were read: none is green unless something says so.

use super::{first_line, is_bad, output, pytest, whole};
use crate::cell::command::Ended;
use crate::model::cell::{End, Outcome, TestCase};
use crate::model::plan::{TestCommand, TestKind};

/// What a command left.
pub(super) struct Verdict<'a> {
    /// The command.
    pub(super) test: &'a TestCommand,
    /// How it ended.
    pub(super) ended: &'a Ended,
    /// The cases that were read.
    pub(super) cases: Vec<TestCase>,
    /// Why there may be more.
    pub(super) unread: Option<String>,
    /// Whether it wrote a JUnit file.
    pub(super) reported: bool,
    /// Whether its output says that no test was run.
    pub(super) nothing_ran: bool,
}

impl Verdict<'_> {
    /// Adds the case that stands for the whole command, where its end says more than the cases do.
    pub(super) fn complete(&mut self) {
        let end = &self.ended.end;
        let said = if self.is_pytest() { pytest::trouble(end, &self.ended.output, self.any_bad()) } else { None };
        if self.reports_cases() && self.cases.is_empty() && self.unread.is_none() {
            self.unread = Some(said.clone().unwrap_or_else(|| not_reported(self.test.kind).to_owned()));
        }
        if let Some(outcome) = self.whole() {
            let message = match outcome {
                Outcome::Passed => String::new(),
                _ if end.is_success() => "no test was run".to_owned(),
                _ => said.or_else(|| not_found(end, &self.ended.output.text)).unwrap_or_else(|| describe(end)),
            };
            self.cases.push(whole(&self.test.name, outcome, message));
        }
        let name = &self.test.name;
        for case in self.cases.iter_mut().filter(|case| is_bad(case) && case.class == *name && case.name == *name) {
            case.output = case.output.take().or_else(|| output(&self.ended.output));
        }
    }

    /// The outcome of the command as one more case; none when its cases say everything.
    fn whole(&self) -> Option<Outcome> {
        let none = self.cases.is_empty();
        match &self.ended.end {
            End::Exit { code: 0 } if none => {
                let nothing_ran = self.nothing_ran || self.reported && self.is_pytest();
                Some(if nothing_ran { Outcome::Errored } else { Outcome::Passed })
            }
            End::Exit { code: 0 } => None,
            end @ End::Exit { .. } if none && !self.reports_cases() && !self.reported => {
                Some(if is_crash(end) { Outcome::Errored } else { Outcome::Failed })
            }
            // pytest's 3 and 4 and a shell's 126 and above say more than that cases failed.
            End::Exit { code } => {
                let says_more = *code >= 126 || self.is_pytest() && matches!(code, 3 | 4);
                (says_more || !self.any_bad()).then_some(Outcome::Errored)
            }
            End::Signal { .. } | End::OutOfMemory {} | End::Timeout { .. } | End::NotStarted { .. } => {
                Some(Outcome::Errored)
            }
        }
    }

    /// Whether commands of this kind are to report case by case.
    fn reports_cases(&self) -> bool {
        matches!(self.test.kind, TestKind::Pytest | TestKind::Unittest | TestKind::Ctest)
    }

    fn is_pytest(&self) -> bool {
        self.test.kind == TestKind::Pytest || self.reported && self.test.kind != TestKind::Ctest
    }

    fn any_bad(&self) -> bool {
        self.cases.iter().any(is_bad)
    }
}

fn not_reported(kind: TestKind) -> &'static str {
    match kind {
        TestKind::Pytest => "the command wrote no JUnit file: the cases it ran are not known",
        TestKind::Unittest => "no case was seen in the output: run unittest with -v",
        _ => "no case was seen in the output",
    }
}

/// What is said of a prelude after which nothing can be started.
pub(super) fn prelude_failed(ended: &Ended) -> String {
    let last = ended.output.text.lines().map(str::trim).rfind(|line| !line.is_empty());
    let said = last.map(|line| format!("; its last line: {}", first_line(line))).unwrap_or_default();
    let how = match &ended.end {
        End::Exit { code: 0 } => "it ended the shell (`exit 0`)".to_owned(),
        end => describe(end),
    };
    format!("the facility's own `setup` failed before a test could start: {how}{said}")
}

/// Whether it is a shell's word for a signal that ended the command: 128 and its number.
fn is_crash(end: &End) -> bool {
    matches!(end, End::Exit { code } if (129..=128 + 64).contains(code))
}

/// The command that the shell didn't find, in the shell's own words: `/bin/sh: 1: root: not found` (dash),
/// `bash: line 1: root: command not found`.
fn not_found(end: &End, output: &str) -> Option<String> {
    if *end != (End::Exit { code: 127 }) {
        return None;
    }
    let said = output.lines().rev().find_map(|line| {
        line.trim_end().strip_suffix(": not found").or_else(|| line.trim_end().strip_suffix(": command not found"))
    })?;
    let command = said.rsplit(": ").next().unwrap_or(said);
    Some(first_line(&format!("{command} is not in this environment (command not found)")))
}

/// How a command ended, for people.
fn describe(end: &End) -> String {
    match end {
        End::Exit { code: 126 } => "exit code 126: a command can't be executed".to_owned(),
        End::Exit { code: 127 } => "exit code 127: a command was not found".to_owned(),
        End::Exit { code } if is_crash(end) => format!("exit code {code}: {}", signal(code - 128)),
        End::Exit { code } => format!("exit code {code}"),
        End::Signal { signal: number } => signal(*number),
        End::OutOfMemory {} => "killed: over the memory limit".to_owned(),
        End::Timeout { seconds } => format!("killed: ran longer than {seconds} s"),
        End::NotStarted { reason } => format!("not started: {reason}"),
    }
}

fn signal(number: i32) -> String {
    let name = signal_hook::low_level::signal_name(number);
    name.map_or_else(|| format!("killed by signal {number}"), |name| format!("killed by signal {number} ({name})"))
}
