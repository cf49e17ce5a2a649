//! Runs the test commands and reads their results.

mod budget;
mod ctest;
mod junit;
mod offline;
mod pytest;
mod retry;
mod root_macro;
mod shell;
mod unittest;
mod verdict;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing {
    //! The readers of test results, for `fuzz/`.

    /// Reads a JUnit file and the lines of an output.
    ///
    /// # Panics
    /// If a time is not finite, which JSON does not support.
    pub fn results(data: &[u8]) {
        let report = super::junit::parse(data);
        assert!(report.cases.iter().all(|case| case.seconds.is_finite()));
        use super::TestKind::{Ctest, Pytest, RootMacro, Unittest};
        for kind in [Unittest, Ctest, RootMacro, Pytest] {
            let test = super::TestCommand { name: "t".to_owned(), kind, run: "t".to_owned() };
            let Some(mut reader) = super::reader(&test) else { continue };
            String::from_utf8_lossy(data).lines().for_each(|line| reader.line(line));
            let parsed = reader.finish();
            assert!(parsed.cases.iter().all(|case| case.timing.seconds.is_finite()));
        }
    }
}

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use budget::Budget;

use super::command::{self, Command, CommandResult, Supervisor};
use super::environ;
use super::network::Attempts;
use crate::model::capture::Capture;
use crate::model::cell::{Captured, Outcome, Seconds, Step, TestCase};
use crate::model::plan::{CellPlan, TestCommand, TestKind};
use crate::sys::environment;
use shell::ShellError;
pub(super) use verdict::PreludeError;
use verdict::Verdict;

/// Maximum output of one case in bytes.
const MAX_CASE_OUTPUT: usize = 64 << 10;
/// Maximum length of a message in bytes.
const MAX_MESSAGE_LEN: usize = 500;

/// Returns how to fix the infrastructure error of a cell, if it is known.
pub(crate) fn hint(trouble: &str) -> Option<&'static str> {
    trouble.starts_with(shell::PREFIX).then_some(shell::HINT)
}

/// The commands of one plan and their directories.
pub(super) struct Suite<'a> {
    plan: &'a CellPlan,
    supervisor: &'a Supervisor,
    /// The temporary copy of the analysis.
    work: PathBuf,
    /// Working directory of commands.
    dir: PathBuf,
    /// Directory outside `work` for the result files of test frameworks.
    scratch: PathBuf,
    /// Whether the network is disabled, so attempts to use it are reported.
    offline: bool,
    budget: Budget,
}

impl<'a> Suite<'a> {
    /// Creates a suite with `scratch` for the result files of test frameworks.
    pub(super) fn new(plan: &'a CellPlan, supervisor: &'a Supervisor, scratch: PathBuf, offline: bool) -> Self {
        let work = PathBuf::from(&plan.work);
        let dir = work.join(&plan.workdir);
        Self { plan, supervisor, work, dir, scratch, offline, budget: Budget::default() }
    }

    /// Runs the setup command.
    ///
    /// # Errors
    /// If the shell can't start.
    pub(super) fn setup(&self, run: &str, progress: &mut dyn FnMut(&str)) -> Result<Step, ShellError> {
        let result = self.command(run, "", &[], false, progress)?;
        Ok(Step {
            name: "setup".to_owned(),
            kind: None,
            run: run.to_owned(),
            output: Some(result.output).filter(|output| !result.end.is_success() && !output.text.is_empty()),
            end: result.end,
            attempts: 1,
            cases: Vec::new(),
            unread: None,
            timing: Seconds { seconds: result.seconds },
        })
    }

    /// Returns the environment variables of commands: the variables after the prelude, or those of this process if there
    /// is no prelude.
    ///
    /// # Errors
    /// If the shell can't start, or if the prelude does not complete. Otherwise no test would start; with `exit 0` in the
    /// prelude, the step would even count as passed.
    pub(super) fn variables(&self, progress: &mut dyn FnMut(&str)) -> Result<BTreeMap<String, String>, PreludeError> {
        let own = environ::process_variables();
        let file = self.scratch.join("environ");
        let Some(run) = self.plan.prelude.as_ref().and_then(|_| environ::command(&file)) else { return Ok(own) };
        let result = self.command(&run, "", &[], false, progress)?;
        let found = environ::read(&file).ok_or_else(|| PreludeError::new(&result))?;
        Ok(environ::without_shell_variables(found, &own))
    }

    /// Runs one test command; a failed command is retried as often as the plan allows.
    ///
    /// # Errors
    /// If the shell can't start.
    pub(super) fn test(
        &mut self,
        index: usize,
        test: &TestCommand,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Step, ShellError> {
        let mut earlier: Vec<Vec<TestCase>> = Vec::new();
        let mut seconds = 0.0;
        let mut last = loop {
            let attempt = self.attempt(index, test, progress)?;
            seconds += attempt.result.seconds;
            let again = u32::try_from(earlier.len()).is_ok_and(|done| done < self.plan.retries);
            if attempt.is_success() || !again || self.supervisor.end_signal().is_some() {
                break attempt;
            }
            earlier.push(attempt.cases);
        };
        let attempts = u32::try_from(earlier.len()).unwrap_or(u32::MAX).saturating_add(1);
        let is_success = last.is_success();
        retry::mark(&mut last.cases, earlier);
        let left_out = self.budget.fit(&mut last.cases);
        let output = Some(last.result.output).filter(|output| !is_success && !output.text.is_empty());
        Ok(Step {
            name: test.name.clone(),
            kind: Some(test.kind),
            run: test.run.clone(),
            end: last.result.end,
            attempts,
            output: output.and_then(|output| self.budget.output(output)),
            cases: last.cases,
            unread: last.unread.or(left_out),
            timing: Seconds { seconds },
        })
    }

    fn attempt(&self, index: usize, test: &TestCommand, progress: &mut dyn FnMut(&str)) -> Result<Attempt, ShellError> {
        let file = self.scratch.join(format!("{index}.xml"));
        let _ = fs::remove_file(&file);
        let writes_junit = !matches!(test.kind, TestKind::Unittest | TestKind::RootMacro);
        let own_file = pytest::own_file(&test.run, &self.dir).filter(|_| writes_junit && test.kind != TestKind::Ctest);
        // An existing file must not be mistaken for the result of this run.
        let _ = own_file.as_ref().map(fs::remove_file);
        let (lines, env) = match test.kind {
            TestKind::Ctest => (ctest::prelude(&file), Vec::new()),
            TestKind::Unittest | TestKind::RootMacro => (String::new(), Vec::new()),
            TestKind::Pytest | TestKind::Make | TestKind::Script | TestKind::Command => {
                let inherited = environment::var(pytest::VARIABLE);
                (String::new(), vec![(pytest::VARIABLE, pytest::options(inherited.as_deref(), &file))])
            }
        };
        let mut reader = reader(test);
        let before = Attempts::now();
        let interrupt_first = test.kind == TestKind::Pytest;
        let result = self.command(&test.run, &lines, &env, interrupt_first, &mut |line| {
            if let Some(reader) = &mut reader {
                reader.line(line);
            }
            progress(line);
        })?;
        let report = writes_junit.then(|| junit::read(own_file.as_deref().unwrap_or(&file)));
        let listed = reader.map(Reader::finish).unwrap_or_default();
        let mut attempt = self.collect(test, result, report, listed);
        if self.offline {
            let tried = Attempts::now().since(&before);
            offline::mark(&mut attempt.cases, tried);
        }
        Ok(attempt)
    }

    fn command(
        &self,
        run: &str,
        lines: &str,
        env: &[(&str, String)],
        interrupt_first: bool,
        progress: &mut dyn FnMut(&str),
    ) -> Result<CommandResult, ShellError> {
        let prelude = self.plan.prelude.as_deref().unwrap_or_default();
        let shell = command::find_shell(self.plan.prelude.is_some() || command::is_bash(run))?;
        let mut script = String::new();
        for part in [prelude, lines] {
            if !part.is_empty() {
                script.push_str(part);
                script.push('\n');
            }
        }
        script.push_str(run);
        let command = Command {
            shell: &shell,
            script: &script,
            dir: &self.dir,
            env,
            timeout: Duration::from_secs(self.plan.timeout),
            output_cap: usize::try_from(self.plan.output_cap).unwrap_or(usize::MAX),
            interrupt_first,
        };
        let result = self.supervisor.run(&command, progress);
        shell::check(&shell, &result)?;
        Ok(result)
    }

    /// Collects the cases of a completed command.
    fn collect(
        &self,
        test: &TestCommand,
        result: CommandResult,
        report: Option<io::Result<junit::Report>>,
        listed: ParsedOutput,
    ) -> Attempt {
        let reported = matches!(report, Some(Ok(_)));
        let ParsedOutput { cases: listed, mut unread, nothing_ran, mut doubt } = listed;
        let cases = match report {
            Some(Ok(mut report)) => {
                doubt = report.problem.take();
                let left_out = (report.left_out > 0).then(|| budget::left_out(report.left_out));
                unread = doubt.clone().or(left_out).or(unread);
                match test.kind {
                    TestKind::Ctest if report.cases.is_empty() => listed,
                    TestKind::Ctest => ctest::cases(report, listed, &test.name),
                    _ => pytest::cases(report, &test.name, &self.work, &self.dir),
                }
            }
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                doubt = Some(format!("failed to read the JUnit file: {error}"));
                unread = doubt.clone();
                listed
            }
            _ => listed,
        };
        let mut verdict = Verdict { test, result: &result, cases, unread, doubt, reported, nothing_ran };
        verdict.complete();
        let Verdict { cases, unread, .. } = verdict;
        Attempt { result, cases, unread }
    }
}

/// A reader of the results of one command from its output.
trait Reader {
    /// Reads a line.
    fn line(&mut self, line: &str);

    /// Returns the results.
    fn finish(self: Box<Self>) -> ParsedOutput;
}

/// The cases in the output of a command.
#[derive(Debug, Default)]
struct ParsedOutput {
    cases: Vec<TestCase>,
    /// Why cases may be missing.
    unread: Option<String>,
    /// Whether the output states that no tests were run.
    nothing_ran: bool,
    /// Why an exit code of 0 does not mean that the tests passed: the output is incomplete.
    doubt: Option<String>,
}

fn reader(test: &TestCommand) -> Option<Box<dyn Reader>> {
    match test.kind {
        TestKind::Unittest => Some(Box::new(unittest::Unittest::default())),
        TestKind::Ctest => Some(Box::new(ctest::Table::new(&test.name))),
        TestKind::RootMacro => Some(Box::new(root_macro::Errors::new(&test.name))),
        TestKind::Pytest => Some(Box::new(pytest::Summary::default())),
        TestKind::Make | TestKind::Script | TestKind::Command => None,
    }
}

/// One run of a command.
struct Attempt {
    result: CommandResult,
    cases: Vec<TestCase>,
    unread: Option<String>,
}

impl Attempt {
    fn is_success(&self) -> bool {
        self.result.end.is_success() && !self.cases.iter().any(is_failure)
    }
}

fn is_failure(case: &TestCase) -> bool {
    matches!(case.outcome, Outcome::Failed | Outcome::Errored)
}

/// Creates a case that represents a whole command.
fn command_case(step: &str, outcome: Outcome, message: String) -> TestCase {
    TestCase {
        name: step.to_owned(),
        class: step.to_owned(),
        file: None,
        line: None,
        outcome,
        message,
        output: None,
        tried_network: false,
        timing: Seconds::default(),
    }
}

/// Returns the output of a command for the case that represents it.
fn output(whole: &Captured) -> Option<Captured> {
    if whole.text.is_empty() {
        return None;
    }
    let mut kept = shorten(whole, MAX_CASE_OUTPUT);
    kept.dropped += whole.dropped;
    Some(kept)
}

fn shorten(text: &Captured, max_bytes: usize) -> Captured {
    let mut capture = Capture::new(max_bytes);
    capture.push(text.text.as_bytes());
    capture.finish()
}

/// Truncates a text to at most `max_len` bytes, between characters.
fn head(mut text: String, max_len: usize) -> String {
    text.truncate(text.floor_char_boundary(max_len));
    text
}

/// Returns the first non-empty line, truncated.
fn first_line(text: &str) -> String {
    head(crate::model::text::first_line(text).to_owned(), MAX_MESSAGE_LEN)
}
