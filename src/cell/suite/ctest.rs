//! ctest: reads its JUnit file (CMake 3.21 and later), otherwise its printed table.

use std::collections::HashMap;
use std::path::Path;

use super::junit::Report;
use super::{ParsedOutput, Reader, first_line};
use crate::model::cell::{Outcome, Seconds, TestCase};
use crate::model::limit::MAX_CASES;
use crate::model::shell::quote;

/// Returns shell lines that make every later `ctest` command write `file`, if it supports the option.
pub(super) fn prelude(file: &Path) -> String {
    let file = quote(&file.to_string_lossy());
    format!(
        "ctest() {{\n  case \"$(command ctest --help 2>/dev/null)\" in\n    \
         *--output-junit*) command ctest --output-junit {file} \"$@\" ;;\n    \
         *) command ctest \"$@\" ;;\n  esac\n}}\n"
    )
}

/// Returns the cases of a JUnit file with the outcomes of the printed table, if available: in the file, a test with a
/// missing program is skipped, and crashes and timeouts are not marked.
pub(super) fn cases(report: Report, table: Vec<TestCase>, step: &str) -> Vec<TestCase> {
    let mut table: HashMap<String, TestCase> = table.into_iter().map(|case| (case.name.clone(), case)).collect();
    let cases = report.cases.into_iter().map(|entry| {
        let message = first_line(&entry.message);
        let (outcome, message) = match table.remove(&entry.name) {
            Some(row) => (row.outcome, if message.is_empty() { row.message } else { message }),
            None if message.is_empty() && entry.outcome != Outcome::Passed => (entry.outcome, "failed".to_owned()),
            None => (entry.outcome, message),
        };
        let keeps_output = !matches!(outcome, Outcome::Passed | Outcome::Skipped);
        TestCase {
            name: entry.name,
            class: step.to_owned(),
            file: None,
            line: None,
            outcome,
            message,
            output: Some(entry.text).filter(|text| keeps_output && !text.text.is_empty()),
            tried_network: false,
            timing: Seconds { seconds: entry.seconds },
        }
    });
    cases.collect()
}

/// A reader of the table: `2/3 Test #2: name ......***Failed    0.00 sec`.
#[derive(Debug)]
pub(super) struct Table {
    step: String,
    cases: Vec<TestCase>,
}

impl Table {
    /// Creates a reader for the output of a step.
    pub(super) fn new(step: &str) -> Self {
        Self { step: step.to_owned(), cases: Vec::new() }
    }
}

impl Reader for Table {
    fn line(&mut self, line: &str) {
        let Some((name, outcome, message, seconds)) = row(line) else { return };
        if self.cases.len() >= MAX_CASES {
            return;
        }
        let case = TestCase {
            name: name.to_owned(),
            class: self.step.clone(),
            file: None,
            line: None,
            outcome,
            message,
            output: None,
            tried_network: false,
            timing: Seconds { seconds },
        };
        // A repeated test (`--repeat`) has one row per run; the last one applies.
        match self.cases.iter_mut().rev().find(|case| case.name == name) {
            Some(earlier) => *earlier = case,
            None => self.cases.push(case),
        }
    }

    fn finish(self: Box<Self>) -> ParsedOutput {
        ParsedOutput { nothing_ran: self.cases.is_empty(), cases: self.cases, ..ParsedOutput::default() }
    }
}

fn row(line: &str) -> Option<(&str, Outcome, String, f64)> {
    let (count, rest) = line.trim_start().split_once(" Test ")?;
    let (index, total) = count.split_once('/')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(index) || !is_number(total.trim()) {
        return None;
    }
    let (_, rest) = rest.trim_start().strip_prefix('#')?.split_once(": ")?;
    let (front, time) = rest.strip_suffix(" sec")?.trim_end().rsplit_once(' ')?;
    let seconds: f64 = time.parse().ok().filter(|time: &f64| time.is_finite())?;
    let front = front.trim_end();
    if let Some(name) = front.strip_suffix("Passed") {
        return Some((name.trim_end_matches(['.', ' ']), Outcome::Passed, String::new(), seconds));
    }
    let (name, verdict) = front.split_once("***")?;
    let outcome = match verdict {
        "Skipped" | "Not Run (Disabled)" => Outcome::Skipped,
        // Also "Failed  Error regular expression found in output. Regex=[...]".
        _ if verdict.starts_with("Failed") => Outcome::Failed,
        // A timeout, a crash or a missing program.
        _ => Outcome::Errored,
    };
    Some((name.trim_end_matches(['.', ' ']), outcome, first_line(verdict), seconds))
}

#[cfg(test)]
mod tests {
    use super::row;
    use crate::model::cell::Outcome;

    #[test]
    fn only_rows_are_read() {
        let read = |line| row(line).map(|(name, outcome, message, _)| (name, outcome, message));
        assert_eq!(
            read(" 1/12 Test  #1: yields ...........................   Passed    0.01 sec"),
            Some(("yields", Outcome::Passed, String::new()))
        );
        assert_eq!(
            read("2/12 Test #10: a.b ..............................***Exception: SegFault  1.50 sec"),
            Some(("a.b", Outcome::Errored, "Exception: SegFault".to_owned()))
        );
        assert_eq!(read("    Start 1: yields"), None);
        assert_eq!(read("x/2 Test #1: a ... Passed 1 sec"), None);
        assert_eq!(read("1/2 Test #1: a ... Passed nan sec"), None);
    }
}
