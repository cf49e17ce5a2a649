//! Running the test commands and reading their results.

mod ctest;
mod junit;
mod offline;
mod pytest;
mod retry;
mod root_macro;
mod unittest;
mod verdict;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing {
    //! The readers of what tests leave, for `fuzz/`.

    /// A JUnit file, and the lines of an output.
    pub fn results(data: &[u8]) {
        let _ = super::junit::parse(data);
        for kind in [super::TestKind::Unittest, super::TestKind::Ctest, super::TestKind::RootMacro] {
            let test = super::TestCommand { name: "t".to_owned(), kind, run: "t".to_owned() };
            let Some(mut reader) = super::reader(&test) else { continue };
            String::from_utf8_lossy(data).lines().for_each(|line| reader.line(line));
            drop(reader.finish());
        }
    }
}

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::command::{self, Command, Ended, Supervisor};
use super::environ;
use super::network::Attempts;
use crate::model::capture::Capture;
use crate::model::cell::{Captured, Outcome, Seconds, Step, TestCase};
use crate::model::plan::{CellPlan, TestCommand, TestKind};
use verdict::Verdict;

/// Bytes of output kept of one case.
const CASE_OUTPUT_CAP: usize = 64 << 10;
/// Bytes of output kept of all cases of a cell; after that only [`HEAD_CAP`] of each.
const CELL_OUTPUT_CAP: usize = 8 << 20;
/// Bytes of output kept of a case when the cell has much already.
const HEAD_CAP: usize = 2 << 10;
/// Cases of a cell whose output is kept at all once the cell has much already.
const HEAD_COUNT: usize = 4_000;
/// Bytes of a message.
const MESSAGE_CAP: usize = 500;

/// Where and how the commands of one plan are run.
pub(super) struct Suite<'a> {
    plan: &'a CellPlan,
    supervisor: &'a Supervisor,
    /// The copy of the analysis.
    work: PathBuf,
    /// Directory commands start in.
    dir: PathBuf,
    /// Directory outside of `work` for the files that test frameworks are told to write.
    scratch: PathBuf,
    /// Whether there is no network, so that an attempt to use it is worth telling.
    offline: bool,
    room: Room,
}

impl<'a> Suite<'a> {
    /// A suite that keeps what frameworks write in `scratch`.
    pub(super) fn new(plan: &'a CellPlan, supervisor: &'a Supervisor, scratch: PathBuf, offline: bool) -> Self {
        let work = PathBuf::from(&plan.work);
        let dir = work.join(&plan.workdir);
        Self { plan, supervisor, work, dir, scratch, offline, room: Room::default() }
    }

    /// Runs the set-up command.
    pub(super) fn setup(&self, run: &str, progress: &mut dyn FnMut(&str)) -> Step {
        let ended = self.command(run, "", &[], false, progress);
        Step {
            name: "setup".to_owned(),
            kind: None,
            run: run.to_owned(),
            output: Some(ended.output).filter(|output| !ended.end.is_success() && !output.text.is_empty()),
            end: ended.end,
            attempts: 1,
            cases: Vec::new(),
            unread: None,
            timing: Seconds { seconds: ended.seconds },
        }
    }

    /// The variables that commands find: after the prelude where there is one, and else those of this process.
    ///
    /// # Errors
    /// When the prelude doesn't come to its end. Then no test would start, and one that "ends well" by the prelude's
    /// own `exit 0` would pass without having run.
    pub(super) fn variables(&self, progress: &mut dyn FnMut(&str)) -> Result<BTreeMap<String, String>, String> {
        let own = environ::own();
        let file = self.scratch.join("environ");
        let Some(run) = self.plan.prelude.as_ref().and_then(|_| environ::command(&file)) else { return Ok(own) };
        let ended = self.command(&run, "", &[], false, progress);
        let found = environ::read(&file).ok_or_else(|| verdict::prelude_failed(&ended))?;
        Ok(environ::without_shell(found, &own))
    }

    /// Runs one test command, again as often as the plan allows while it fails.
    pub(super) fn test(&mut self, index: usize, test: &TestCommand, progress: &mut dyn FnMut(&str)) -> Step {
        let mut earlier: Vec<Vec<TestCase>> = Vec::new();
        let mut seconds = 0.0;
        let mut last = loop {
            let attempt = self.attempt(index, test, progress);
            seconds += attempt.ended.seconds;
            let again = u32::try_from(earlier.len()).is_ok_and(|done| done < self.plan.retries);
            if attempt.is_good() || !again || self.supervisor.end_signal().is_some() {
                break attempt;
            }
            earlier.push(attempt.cases);
        };
        let attempts = u32::try_from(earlier.len()).unwrap_or(u32::MAX).saturating_add(1);
        let is_good = last.is_good();
        retry::mark(&mut last.cases, earlier);
        self.room.fit(&mut last.cases);
        Step {
            name: test.name.clone(),
            kind: Some(test.kind),
            run: test.run.clone(),
            end: last.ended.end,
            attempts,
            output: Some(last.ended.output).filter(|output| !is_good && !output.text.is_empty()),
            cases: last.cases,
            unread: last.unread,
            timing: Seconds { seconds },
        }
    }

    fn attempt(&self, index: usize, test: &TestCommand, progress: &mut dyn FnMut(&str)) -> Attempt {
        let file = self.scratch.join(format!("{index}.xml"));
        let _ = fs::remove_file(&file);
        let writes_junit = !matches!(test.kind, TestKind::Unittest | TestKind::RootMacro);
        let own_file = pytest::own_file(&test.run, &self.dir).filter(|_| writes_junit && test.kind != TestKind::Ctest);
        // One that lies there already must not be taken for this run's.
        let _ = own_file.as_ref().map(fs::remove_file);
        let (lines, env) = match test.kind {
            TestKind::Ctest => (ctest::prelude(&file), Vec::new()),
            TestKind::Unittest | TestKind::RootMacro => (String::new(), Vec::new()),
            TestKind::Pytest | TestKind::Make | TestKind::Script | TestKind::Command => {
                let users = std::env::var(pytest::VARIABLE).ok();
                (String::new(), vec![(pytest::VARIABLE, pytest::options(users.as_deref(), &file))])
            }
        };
        let mut reader = reader(test);
        let before = Attempts::now();
        let interrupt_first = test.kind == TestKind::Pytest;
        let ended = self.command(&test.run, &lines, &env, interrupt_first, &mut |line| {
            if let Some(reader) = &mut reader {
                reader.line(line);
            }
            progress(line);
        });
        let report = writes_junit.then(|| junit::read(own_file.as_deref().unwrap_or(&file)));
        let listed = reader.map(Reader::finish).unwrap_or_default();
        let mut attempt = self.judge(test, ended, report, listed);
        if self.offline {
            let tried = Attempts::now().since(&before);
            offline::mark(&mut attempt.cases, tried);
        }
        attempt
    }

    fn command(
        &self,
        run: &str,
        lines: &str,
        env: &[(&str, String)],
        interrupt_first: bool,
        progress: &mut dyn FnMut(&str),
    ) -> Ended {
        let prelude = self.plan.prelude.as_deref().unwrap_or_default();
        let shell = match command::find_shell(self.plan.prelude.is_some() || command::is_bash(run)) {
            Ok(shell) => shell,
            Err(error) => return Ended::not_started(error.to_string()),
        };
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
        self.supervisor.run(&command, progress)
    }

    /// Turns what a command left into cases.
    fn judge(
        &self,
        test: &TestCommand,
        ended: Ended,
        report: Option<io::Result<junit::Report>>,
        listed: Listed,
    ) -> Attempt {
        let reported = matches!(report, Some(Ok(_)));
        let mut unread = listed.unread;
        let cases = match report {
            Some(Ok(mut report)) => {
                unread = report.broken.take().or(unread);
                match test.kind {
                    TestKind::Ctest if report.cases.is_empty() => listed.cases,
                    TestKind::Ctest => ctest::cases(report, listed.cases, &test.name),
                    _ => pytest::cases(report, &test.name, &self.work, &self.dir),
                }
            }
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                unread = Some(format!("the JUnit file can't be read: {error}"));
                listed.cases
            }
            _ => listed.cases,
        };
        let mut verdict = Verdict { test, ended: &ended, cases, unread, reported, nothing_ran: listed.nothing_ran };
        verdict.complete();
        let Verdict { cases, unread, .. } = verdict;
        Attempt { ended, cases, unread }
    }
}

/// Reads the results of one command from its output as it comes.
trait Reader {
    /// Takes a line.
    fn line(&mut self, line: &str);

    /// What was found.
    fn finish(self: Box<Self>) -> Listed;
}

/// What a command's output lists.
#[derive(Debug, Default)]
struct Listed {
    cases: Vec<TestCase>,
    /// Why these may not be all cases.
    unread: Option<String>,
    /// The output says that no test was run.
    nothing_ran: bool,
}

fn reader(test: &TestCommand) -> Option<Box<dyn Reader>> {
    match test.kind {
        TestKind::Unittest => Some(Box::new(unittest::Unittest::default())),
        TestKind::Ctest => Some(Box::new(ctest::Table::new(&test.name))),
        TestKind::RootMacro => Some(Box::new(root_macro::Errors::new(&test.name))),
        TestKind::Pytest | TestKind::Make | TestKind::Script | TestKind::Command => None,
    }
}

/// One run of a command.
struct Attempt {
    ended: Ended,
    cases: Vec<TestCase>,
    unread: Option<String>,
}

impl Attempt {
    fn is_good(&self) -> bool {
        self.ended.end.is_success() && !self.cases.iter().any(is_bad)
    }
}

fn is_bad(case: &TestCase) -> bool {
    matches!(case.outcome, Outcome::Failed | Outcome::Errored)
}

/// A case that stands for a whole command.
fn whole(step: &str, outcome: Outcome, message: String) -> TestCase {
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

/// The output of a command for a case that stands for it.
fn output(whole: &Captured) -> Option<Captured> {
    if whole.text.is_empty() {
        return None;
    }
    let mut kept = shorten(whole, CASE_OUTPUT_CAP);
    kept.dropped += whole.dropped;
    Some(kept)
}

fn shorten(text: &Captured, cap: usize) -> Captured {
    let mut capture = Capture::new(cap);
    capture.push(text.text.as_bytes());
    capture.finish()
}

/// Returns the first line that is not blank, truncated to the length of a message.
fn first_line(text: &str) -> String {
    junit::head(crate::model::text::first_line(text).to_owned(), MESSAGE_CAP)
}

/// Room that the outputs of all cases of a cell share.
#[derive(Debug, Default)]
struct Room {
    used: usize,
    heads: usize,
}

impl Room {
    fn fit(&mut self, cases: &mut [TestCase]) {
        for case in cases {
            let Some(output) = &mut case.output else { continue };
            if self.used + output.text.len() > CELL_OUTPUT_CAP {
                self.heads += 1;
                if self.heads > HEAD_COUNT {
                    case.output = None;
                } else if output.text.len() > HEAD_CAP {
                    let before = output.dropped;
                    *output = shorten(output, HEAD_CAP);
                    output.dropped += before;
                }
            } else {
                self.used += output.text.len();
            }
        }
    }
}
