//! pytest: told by `PYTEST_ADDOPTS` to write a JUnit file, which is then read case by case.

use std::path::{Path, PathBuf};

use super::first_line;
use super::junit::{Entry, Report};
use crate::model::cell::{Captured, End, Outcome, Seconds, TestCase};
use crate::model::text::shell_quote;

/// The variable pytest takes more options from (docs.pytest.org, "Environment Variables").
pub(super) const VARIABLE: &str = "PYTEST_ADDOPTS";

/// The value of [`VARIABLE`] that makes pytest write `file`, after what the user has in it.
///
/// The family `xunit1` has the file and the line of each case; captured output is asked for in cases that fail only.
pub(super) fn options(users: Option<&str>, file: &Path) -> String {
    // pytest splits the variable as a shell would.
    let file = shell_quote(&file.to_string_lossy());
    let ours =
        format!("--junitxml={file} -o junit_family=xunit1 -o junit_logging=all -o junit_log_passing_tests=false");
    match users.map(str::trim).filter(|users| !users.is_empty()) {
        Some(users) => format!("{users} {ours}"),
        None => ours,
    }
}

/// The JUnit file that the command itself asks pytest for: an option there wins over [`VARIABLE`].
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

/// The cases of a report. `work` is the copy of the analysis and `dir` the directory pytest ran in.
pub(super) fn cases(report: Report, step: &str, work: &Path, dir: &Path) -> Vec<TestCase> {
    // An interrupted pytest writes the case it was in without a name.
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
        // pytest counts from 0 here (`Item.location`).
        line: entry.line.map(|line| line.saturating_add(1)),
        outcome: entry.outcome,
        message,
        output: Some(entry.text).filter(|text| keeps_output && !text.text.is_empty()),
        tried_network: false,
        timing: Seconds { seconds: entry.seconds },
    }
}

/// One line that says what went wrong. A file that can't be collected has only "collection failure" as its message;
/// what it failed with stands in the last line of the traceback that starts with `E`.
fn message(entry: &Entry) -> String {
    let line = first_line(&entry.message);
    if line != "collection failure" {
        return line;
    }
    let mut marked = entry.text.text.lines().rev().filter_map(|line| line.strip_prefix("E  "));
    marked.next().map_or(line.clone(), |cause| first_line(&format!("{line}: {}", cause.trim())))
}

/// pytest gives files relative to its root directory, which is often that of the analysis but may be where it ran;
/// none when the file is in neither.
fn relative(file: &str, work: &Path, dir: &Path) -> Option<String> {
    if Path::new(file).components().any(|part| part.as_os_str() == "..") {
        return None;
    }
    let found = [work, dir].into_iter().map(|root| root.join(file)).find(|path| path.is_file())?;
    found.strip_prefix(work).ok().map(|below| below.to_string_lossy().into_owned())
}

/// What its exit code says when the cases don't (docs.pytest.org, "Exit codes"); none for a code that says nothing.
pub(super) fn trouble(end: &End, output: &Captured, any_bad: bool) -> Option<String> {
    let End::Exit { code } = end else { return None };
    let text = &output.text;
    let missing = text.contains("No module named pytest") || text.contains("No module named 'pytest'");
    match code {
        127 | 1 if missing => Some("pytest is not in this environment (no module named pytest)".to_owned()),
        127 => Some("pytest is not in this environment (command not found)".to_owned()),
        2 if !any_bad => Some("pytest was interrupted".to_owned()),
        3 => Some("pytest failed inside itself or in a plugin (exit code 3)".to_owned()),
        4 => Some(usage(text)),
        5 => Some("pytest collected no tests".to_owned()),
        _ => None,
    }
}

fn usage(text: &str) -> String {
    let said = text
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix("ERROR: ").or(line.split_once(": error: ").map(|(_, said)| said)));
    let what = "pytest does not take its command line or configuration (exit code 4)";
    said.map_or_else(|| what.to_owned(), |said| first_line(&format!("{what}: {said}")))
}
