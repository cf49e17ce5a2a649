//! `python -m unittest -v`: reads its verbose output.
//!
//! The format is that of `unittest.runner.TextTestResult`: `test_x (mod.Class) ... ok`, since Python 3.11
//! `test_x (mod.Class.test_x) ... ok`. The first line of a docstring is on a separate line between the two. Tracebacks
//! follow in sections after a line of `=`.

use super::{MAX_CASE_OUTPUT, ParsedOutput, Reader, first_line};
use crate::model::capture::Capture;
use crate::model::cell::{Outcome, Seconds, TestCase};
use crate::model::limit::MAX_CASES;

/// The line before the heading of a traceback.
const DOUBLE: &str = "======================================================================";
/// The line between heading and traceback, and before the count at the end.
const SINGLE: &str = "----------------------------------------------------------------------";

/// A reader of verbose output.
#[derive(Debug, Default)]
pub(super) struct Unittest {
    cases: Vec<TestCase>,
    /// The case without an outcome yet.
    pending: Option<(String, String)>,
    section: Option<Section>,
    ran: Option<u64>,
    /// Whether the output is verbose, because an outcome was read.
    verbose: bool,
}

/// A traceback being read.
#[derive(Debug)]
struct Section {
    id: Option<(String, String)>,
    outcome: Outcome,
    text: Capture,
    last: String,
    ruled: bool,
}

impl Reader for Unittest {
    fn line(&mut self, line: &str) {
        if line == DOUBLE {
            self.close();
            self.section = Some(Section {
                id: None,
                outcome: Outcome::Failed,
                text: Capture::new(MAX_CASE_OUTPUT),
                last: String::new(),
                ruled: false,
            });
        } else if let Some(section) = &mut self.section {
            if section.take(line) {
                self.close();
            }
        } else {
            self.verdict(line);
        }
        if let Some(rest) = line.strip_prefix("Ran ") {
            self.ran = rest.split(' ').next().and_then(|count| count.parse().ok()).or(self.ran);
        }
    }

    fn finish(mut self: Box<Self>) -> ParsedOutput {
        self.close();
        let seen = self.cases.len() as u64;
        let unread = self
            .ran
            .filter(|_| !self.verbose)
            .map(|ran| format!("only {seen} of {ran} cases are known; run unittest with -v to report all"));
        // The runner always ends with this number, but a test can end the program before.
        let doubt = (self.ran.is_none() && seen > 0).then(|| {
            "unittest did not report the number of tests that it ran; a test may have called os._exit".to_owned()
        });
        ParsedOutput { nothing_ran: self.ran.is_none_or(|ran| ran == 0) && seen == 0, cases: self.cases, unread, doubt }
    }
}

impl Unittest {
    fn verdict(&mut self, line: &str) {
        let (front, back) = match line.rsplit_once(" ... ") {
            Some((front, back)) => (front, back),
            None if self.pending.is_some() && outcome(line).is_some() => ("", line),
            None => {
                self.pending = heading(line).or(self.pending.take());
                return;
            }
        };
        // Before Python 3.11, neither outcome nor line end are written for a test with failed subtests.
        let last = front.rsplit(" ... ").next().unwrap_or(front);
        let id = heading(last).or_else(|| heading(front)).or_else(|| self.pending.take());
        let Some((name, class)) = id else { return };
        // After output of the test, the outcome is on a separate line.
        let Some((outcome, message)) = outcome(back) else {
            self.pending = Some((name, class));
            return;
        };
        self.pending = None;
        self.verbose = true;
        self.add(name, class, outcome, message);
    }

    fn add(&mut self, name: String, class: String, outcome: Outcome, message: String) {
        if self.cases.len() < MAX_CASES {
            self.cases.push(TestCase {
                name,
                class,
                file: None,
                line: None,
                outcome,
                message,
                output: None,
                tried_network: false,
                timing: Seconds::default(),
            });
        }
    }

    /// Adds a traceback to its case.
    fn close(&mut self) {
        let Some(Section { id: Some((name, class)), outcome, text, last, .. }) = self.section.take() else { return };
        let message = first_line(&last);
        let index = self.cases.iter().position(|case| case.name == name && case.class == class);
        let index = index.unwrap_or_else(|| {
            // Without `-v`, failed cases are only listed here; above the limit, the case does not exist.
            let next = self.cases.len();
            self.add(name, class, outcome, String::new());
            next
        });
        let Some(case) = self.cases.get_mut(index) else { return };
        case.outcome = case.outcome.max(outcome);
        if case.output.is_none() {
            case.message = message;
            case.output = Some(text.finish());
        }
    }
}

impl Section {
    /// Reads a line and returns whether it ends the section.
    fn take(&mut self, line: &str) -> bool {
        if self.id.is_none() && !self.ruled {
            for (word, outcome) in [("FAIL: ", Outcome::Failed), ("ERROR: ", Outcome::Errored)] {
                if let Some(rest) = line.strip_prefix(word) {
                    self.outcome = outcome;
                    self.id = heading(rest);
                }
            }
        } else if line == SINGLE {
            // The second one precedes the number of tests.
            return std::mem::replace(&mut self.ruled, true);
        } else if self.ruled {
            self.text.push(line.as_bytes());
            self.text.push(b"\n");
            // The exception is in the last line of the traceback without indentation; a message may continue below.
            let is_exception = line
                .split([':', ' '])
                .next()
                .is_some_and(|word| word.ends_with("Error") || word.ends_with("Exception"));
            if is_exception || self.last.is_empty() && !line.is_empty() {
                line.clone_into(&mut self.last);
            }
        }
        false
    }
}

/// Parses `test_x (mod.Class)` into name and class.
fn heading(text: &str) -> Option<(String, String)> {
    let (name, rest) = text.trim_start().split_once(" (")?;
    let (inside, more) = rest.split_once(')')?;
    let is_name = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    if !is_name(name) || !is_name(inside) {
        return None;
    }
    let class = inside.strip_suffix(name).and_then(|class| class.strip_suffix('.')).unwrap_or(inside);
    // A subtest is followed by its parameters: `(i=1)` or `[message]`.
    let name = if more.trim().is_empty() { name.to_owned() } else { format!("{name} {}", more.trim()) };
    Some((name, class.to_owned()))
}

/// Parses an outcome of `TextTestResult` with its message.
fn outcome(text: &str) -> Option<(Outcome, String)> {
    let verdict = match text.trim_end() {
        "ok" => (Outcome::Passed, String::new()),
        "FAIL" => (Outcome::Failed, String::new()),
        "ERROR" => (Outcome::Errored, String::new()),
        "expected failure" => (Outcome::Skipped, "expected failure".to_owned()),
        "unexpected success" => (Outcome::Failed, "unexpected success".to_owned()),
        other => {
            let reason = other.strip_prefix("skipped ")?;
            let quoted = ['\'', '"'].iter().find_map(|&quote| reason.strip_prefix(quote)?.strip_suffix(quote));
            (Outcome::Skipped, first_line(quoted.unwrap_or(reason)))
        }
    };
    Some(verdict)
}

#[cfg(test)]
mod tests {
    use super::{Reader as _, Unittest};

    fn read(text: &str) -> Vec<String> {
        let mut reader = Box::new(Unittest::default());
        text.lines().for_each(|line| reader.line(line));
        let cases = reader.finish().cases;
        cases.iter().map(|c| format!("{}|{}|{:?}|{}", c.class, c.name, c.outcome, c.message)).collect()
    }

    #[test]
    fn output_between_name_and_outcome_is_skipped() {
        assert_eq!(
            read("test_a (m.T.test_a) ... hello\nok\ntest_b (m.T)\nWhat b does. ... FAIL\n"),
            ["m.T|test_a|Passed|", "m.T|test_b|Failed|",]
        );
    }

    #[test]
    fn similar_text_is_not_a_case() {
        assert_eq!(read("loading (a b) ... ok\nsum ... ok\nok\nf(x) ... FAIL"), Vec::<String>::new());
    }
}
