//! pytest: `PYTEST_ADDOPTS` makes it write a JUnit file with its cases.

use std::path::{Path, PathBuf};

use super::junit::{Entry, Report};
use super::{ParsedOutput, Reader, first_line};
use crate::model::cell::{Captured, End, Outcome, Seconds, TestCase};
use crate::model::shell::quote;
use crate::model::text::clean;

/// The variable with additional options of pytest (docs.pytest.org, "Environment Variables").
pub(super) const VARIABLE: &str = "PYTEST_ADDOPTS";

/// Returns the value of [`VARIABLE`] that makes pytest write `file`, appended to the value set by the user.
///
/// The family `xunit1` contains the file and the line of each case; captured output is only written for failed cases.
pub(super) fn options(inherited: Option<&str>, file: &Path) -> String {
    // pytest splits the variable like a shell.
    let file = quote(&file.to_string_lossy());
    let options =
        format!("--junitxml={file} -o junit_family=xunit1 -o junit_logging=all -o junit_log_passing_tests=false");
    match inherited.map(str::trim).filter(|users| !users.is_empty()) {
        Some(inherited) => format!("{inherited} {options}"),
        None => options,
    }
}

/// Returns the JUnit file that the command itself requests: its option overrides [`VARIABLE`].
pub(super) fn own_file(run: &str, dir: &Path) -> Option<PathBuf> {
    let mut words = run.split_ascii_whitespace();
    let mut found = None;
    while let Some(word) = words.next() {
        let Some(rest) = ["--junitxml", "--junit-xml"].iter().find_map(|name| word.strip_prefix(name)) else {
            continue;
        };
        let value = if rest.is_empty() { words.next() } else { rest.strip_prefix('=') };
        found = value.map(|value| dir.join(value.trim_matches(['"', '\''])));
    }
    found
}

/// Searches the output for the last line of pytest, which replaces a missing JUnit file: the command may clear [`VARIABLE`].
#[derive(Debug, Default)]
pub(super) struct Summary {
    found: bool,
}

impl Reader for Summary {
    fn line(&mut self, line: &str) {
        self.found = self.found || is_summary(&clean(line));
    }

    fn finish(self: Box<Self>) -> ParsedOutput {
        let missing = "pytest wrote neither a JUnit file nor a summary; a test may have called os._exit";
        ParsedOutput { doubt: (!self.found).then(|| missing.to_owned()), ..ParsedOutput::default() }
    }
}

/// Reports whether a line is a summary such as `=== 3 passed, 1 warning in 0.12s ===`.
fn is_summary(line: &str) -> bool {
    let Some((counts, time)) = line.trim_matches(['=', ' ']).rsplit_once(" in ") else { return false };
    let is_count = |count: &str| {
        count.split_once(' ').is_some_and(|(number, word)| number.parse::<u32>().is_ok() && !word.contains(' '))
    };
    let is_time = time.starts_with(|first: char| first.is_ascii_digit()) && time.contains('s');
    is_time && (counts == "no tests ran" || counts.split(", ").all(is_count))
}

/// Returns the cases of a report. `work` is the copy of the analysis and `dir` the working directory of pytest.
pub(super) fn cases(report: Report, step: &str, work: &Path, dir: &Path) -> Vec<TestCase> {
    // An interrupted pytest writes the current case without a name.
    let named = report.cases.into_iter().filter(|entry| !entry.name.is_empty() || entry.outcome != Outcome::Passed);
    named.map(|entry| case(entry, step, work, dir)).collect()
}

fn case(entry: Entry, step: &str, work: &Path, dir: &Path) -> TestCase {
    let message = match entry.outcome {
        Outcome::Passed => String::new(),
        _ => message(&entry),
    };
    let keeps_output = !matches!(entry.outcome, Outcome::Passed | Outcome::Skipped);
    TestCase {
        class: if entry.class.is_empty() { step.to_owned() } else { entry.class },
        name: entry.name,
        file: entry.file.and_then(|file| relative(&file, work, dir)),
        // pytest counts lines from 0 (`Item.location`).
        line: entry.line.map(|line| line.saturating_add(1)),
        outcome: entry.outcome,
        message,
        output: Some(entry.text).filter(|text| keeps_output && !text.text.is_empty()),
        tried_network: false,
        timing: Seconds { seconds: entry.seconds },
    }
}

/// Returns the error in one line. The message of a file that cannot be collected is only "collection failure"; the
/// error is the last line of the traceback that starts with `E`.
fn message(entry: &Entry) -> String {
    let line = first_line(&entry.message);
    if line != "collection failure" {
        return line;
    }
    let mut marked = entry.text.text.lines().rev().filter_map(|line| line.strip_prefix("E  "));
    marked.next().map_or(line.clone(), |cause| first_line(&format!("{line}: {}", cause.trim())))
}

/// Returns a file relative to the analysis. pytest writes files relative to its root directory, which is usually the
/// analysis but may be its working directory. `None` if the file is in neither.
fn relative(file: &str, work: &Path, dir: &Path) -> Option<String> {
    if Path::new(file).components().any(|part| part.as_os_str() == "..") {
        return None;
    }
    let found = [work, dir].into_iter().map(|root| root.join(file)).find(|path| path.is_file())?;
    found.strip_prefix(work).ok().map(|below| below.to_string_lossy().into_owned())
}

/// Returns the meaning of an exit code that the cases do not explain (docs.pytest.org, "Exit codes").
pub(super) fn trouble(end: &End, output: &Captured, any_bad: bool) -> Option<String> {
    let End::Exit { code } = end else { return None };
    let text = &output.text;
    let missing = text.contains("No module named pytest") || text.contains("No module named 'pytest'");
    match code {
        127 | 1 if missing => Some("pytest is not in this environment (no module named pytest)".to_owned()),
        127 => Some("pytest is not in this environment (command not found)".to_owned()),
        2 if !any_bad => Some("pytest was interrupted".to_owned()),
        3 => Some("internal error in pytest or in a plugin (exit code 3)".to_owned()),
        4 => Some(usage(text)),
        5 => Some("pytest collected no tests".to_owned()),
        _ => None,
    }
}

fn usage(text: &str) -> String {
    let error = text
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix("ERROR: ").or(line.split_once(": error: ").map(|(_, error)| error)));
    let what = "pytest rejected its command line or configuration (exit code 4)";
    error.map_or_else(|| what.to_owned(), |error| first_line(&format!("{what}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::is_summary;

    #[test]
    fn only_summaries_are_recognized() {
        for line in [
            "============= 3 passed, 1 warning in 0.12s =============",
            "1 failed, 2 passed in 61.20s (0:01:01)",
            "=== 12 passed in 0.05 seconds ===",
            "no tests ran in 0.01s",
        ] {
            assert!(is_summary(line), "{line}");
        }
        for line in
            ["", "3 passed", "collected 3 items", "all passed in 3s", "found 2 muons in 3 events", "1 a b in 3s"]
        {
            assert!(!is_summary(line), "{line}");
        }
    }
}
