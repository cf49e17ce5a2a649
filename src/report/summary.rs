//! Short descriptions of a document and its cells that the formats share.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cell::{End, Outcome, Step, TestCase};
use crate::model::diff::{Diff, Relevance};
use crate::model::document::{Cell, Document, Status};
use crate::model::environment::Environment;
use crate::model::known::Known;
use crate::model::plan::TestKind;
use crate::model::python::{Distribution, Python};
use crate::model::verdict::{Verdict, verdict};

use crate::model::text::{count, one_line};

/// Maximum number of distributions whose versions are shown with a cell.
const MAX_DISTRIBUTIONS: usize = 6;

/// A cell with its differences and versions.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) cell: &'a Cell,
    /// Differences from the reference; `None` for the reference and for cells without an environment.
    pub(super) diff: Option<&'a Diff>,
    /// Versions in the order of [`Summary::labels`]: `-` if not installed, `?` if unknown. Empty without an environment.
    pub(super) versions: Vec<String>,
}

impl Line<'_> {
    /// Returns the number of directly relevant differences.
    pub(super) fn relevant(&self) -> usize {
        self.diff.map_or(0, |diff| diff.count(Relevance::Direct))
    }
}

/// The cells with the columns that they share.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    /// Names of the versions: Python, ROOT if any cell has it, then directly imported distributions.
    pub(super) labels: Vec<String>,
    pub(super) lines: Vec<Line<'a>>,
}

impl<'a> Summary<'a> {
    pub(super) fn of(document: &'a Document) -> Self {
        let diffs: BTreeMap<&str, &Diff> =
            document.diffs.iter().map(|entry| (entry.cell.as_str(), &entry.diff)).collect();
        let names = distributions(document);
        let lines = document
            .cells
            .iter()
            .map(|cell| Line {
                cell,
                diff: diffs.get(cell.id.as_str()).copied(),
                versions: environment(document, cell).map_or_else(Vec::new, |env| versions(env, &names)),
            })
            .collect();
        let labels = ["python", "root"].map(str::to_owned).into_iter().chain(names).collect();
        let mut summary = Self { labels, lines };
        if !document.environments.values().any(|environment| !environment.system.roots.is_empty()) {
            summary.drop_column("root");
        }
        summary
    }

    /// Removes a column.
    fn drop_column(&mut self, label: &str) {
        let Some(index) = self.labels.iter().position(|other| other == label) else { return };
        self.labels.remove(index);
        for line in self.lines.iter_mut().filter(|line| line.versions.len() > index) {
            line.versions.remove(index);
        }
    }
}

fn environment<'a>(document: &'a Document, cell: &Cell) -> Option<&'a Environment> {
    document.environments.get(cell.environment.as_ref()?)
}

/// Returns directly imported distributions. Those with the most different versions come first, then those that require most
/// of the others (`coffea` before the libraries that it requires), then by name.
fn distributions(document: &Document) -> Vec<String> {
    let pythons: Vec<&Python> =
        document.environments.values().filter_map(|environment| environment.main_python()).collect();
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for python in &pythons {
        for module in &document.analysis.imports {
            for name in python.providers(module) {
                seen.entry(name).or_default();
            }
        }
    }
    for python in &pythons {
        for winner in python.winners() {
            if let Some(versions) = seen.get_mut(winner.normalized.as_str()) {
                versions.insert(&winner.version);
            }
        }
    }
    // ROOT has its own column.
    seen.remove("root");
    let rank = |name: &str, versions: &BTreeSet<&str>| {
        let below = pythons.iter().map(|python| reached(python, name));
        (versions.len(), below.map(|below| seen.keys().filter(|other| below.contains(*other)).count()).max())
    };
    let mut names: Vec<_> = seen.iter().map(|(name, versions)| (rank(name, versions), *name)).collect();
    names.sort_by(|(a, _), (b, _)| b.cmp(a));
    names.into_iter().take(MAX_DISTRIBUTIONS).map(|(_, name)| one_line(name, 30)).collect()
}

/// Returns all direct and indirect requirements of a distribution.
fn reached<'a>(python: &'a Python, name: &str) -> BTreeSet<&'a str> {
    let winners: BTreeMap<&str, &Distribution> =
        python.winners().map(|distribution| (distribution.normalized.as_str(), distribution)).collect();
    let mut found = BTreeSet::new();
    let mut queue: Vec<&Distribution> = winners.get(name).copied().into_iter().collect();
    while let Some(distribution) = queue.pop() {
        for required in &distribution.requires {
            if found.insert(required.as_str()) {
                queue.extend(winners.get(required.as_str()).copied());
            }
        }
    }
    found
}

fn versions(environment: &Environment, names: &[String]) -> Vec<String> {
    let python = environment.main_python();
    let root = environment.system.roots.first();
    let of_python = python.map_or_else(|| "-".to_owned(), |python| known(&python.version));
    let of_root = root.map_or_else(|| "-".to_owned(), |root| known(&root.version));
    let distribution = |name: &String| {
        let Some(python) = python else { return "-".to_owned() };
        if python.distributions.get().is_none() {
            return "?".to_owned();
        }
        let found = python.winners().find(|distribution| distribution.normalized == *name);
        found.map_or_else(|| "-".to_owned(), |distribution| one_line(&distribution.version, 20))
    };
    [of_python, of_root].into_iter().chain(names.iter().map(distribution)).collect()
}

fn known(value: &Known<String>) -> String {
    value.get().map_or_else(|| "?".to_owned(), |text| one_line(text, 20))
}

/// Returns the result of a cell and its reason: `2 failed, 12 passed` without one, or `not run` with `no image`.
pub(super) fn headline(cell: &Cell) -> (String, Option<String>) {
    let reason = cell.reason.as_deref().map(|reason| one_line(reason, 500));
    let required = || reason.clone().or_else(|| Some("no reason given".to_owned()));
    let tests = tests(cell);
    match cell.status {
        Status::Error => ("infrastructure error".to_owned(), required()),
        Status::Skipped => ("not run".to_owned(), required()),
        Status::Failed if cell.counts().failures() == 0 => {
            let passed = if tests.is_empty() { String::new() } else { format!(", {tests}") };
            (format!("failed{passed}"), reason)
        }
        Status::Passed if tests.is_empty() => ("passed, no test cases".to_owned(), None),
        Status::Passed | Status::Flaky | Status::Failed => (tests, None),
    }
}

/// Returns a shorter result for columns: errors count as failures, and [`skipped`] reports the skipped tests.
pub(super) fn short(cell: &Cell) -> String {
    let counts = cell.counts();
    match cell.status {
        Status::Passed | Status::Flaky | Status::Failed if counts.failures() + counts.flaky + counts.passed > 0 => {
            let parts = [(counts.failures(), "failed"), (counts.flaky, "flaky"), (counts.passed, "passed")];
            let failed = if cell.status == Status::Failed && counts.failures() == 0 { "failed, " } else { "" };
            format!("{failed}{}", joined(&parts))
        }
        _ => headline(cell).0,
    }
}

/// Returns the counts of test cases by outcome, the worst first.
pub(super) fn tests(cell: &Cell) -> String {
    let counts = cell.counts();
    joined(&[
        (counts.failed, "failed"),
        (counts.errored, "errored"),
        (counts.flaky, "flaky"),
        (counts.passed, "passed"),
        (counts.skipped, "skipped"),
    ])
}

fn joined(counts: &[(usize, &str)]) -> String {
    let shown: Vec<String> =
        counts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    shown.join(", ")
}

/// Returns the test cases with some outcomes, with their steps.
pub(super) fn cases<'a>(
    cell: &'a Cell,
    filter: impl Fn(Outcome) -> bool + Copy + 'a,
) -> impl Iterator<Item = (&'a Step, &'a TestCase)> {
    cell.steps
        .iter()
        .flat_map(move |step| step.cases.iter().filter(move |case| filter(case.outcome)).map(move |case| (step, case)))
}

/// Returns the number of skipped tests with the most frequent reason: `95 skipped, 32 of them: dask-awkward not installed`.
pub(super) fn skipped(cell: &Cell) -> Option<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, case) in cases(cell, |outcome| outcome == Outcome::Skipped) {
        *reasons.entry(case.message.trim()).or_default() += 1;
    }
    let total: usize = reasons.values().sum();
    let (reason, number) = reasons.into_iter().max_by_key(|(reason, number)| (*number, std::cmp::Reverse(*reason)))?;
    if number == 1 && total > 1 {
        return Some(format!("{total} skipped for different reasons"));
    }
    let share = if number == total { String::new() } else { format!(", {number} of them") };
    let reason = if reason.is_empty() { String::new() } else { format!("{share}: {}", one_line(reason, 200)) };
    Some(format!("{total} skipped{reason}"))
}

/// Reports whether an outcome is a failure of the analysis.
pub(super) fn is_bad(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::Errored)
}

/// Returns the failed steps without a failed test case, such as the setup or a crash after the last test.
pub(super) fn broken_steps(cell: &Cell) -> impl Iterator<Item = &Step> {
    cell.steps.iter().filter(|step| {
        (!step.end.is_success() || step.unread.is_some()) && !step.cases.iter().any(|case| is_bad(case.outcome))
    })
}

/// Returns the name of a test case as its framework accepts it: `tests/test_a.py::test_b`. The name of a file that cannot be
/// collected, or of a command that is its own test case, is not repeated.
pub(super) fn case_name(case: &TestCase) -> String {
    let container = case.file.as_deref().unwrap_or(&case.class);
    if is_module(container, &case.name) || case.file.is_none() && container == case.name {
        return one_line(container, 300);
    }
    let joiner = if container.is_empty() { "" } else { "::" };
    one_line(&format!("{container}{joiner}{}", case.name), 300)
}

/// Help for tests that tried to use the network.
pub(super) const NETWORK_ADVICE: &str = "set network = true under [test], or add the data to the repository";

/// Reports whether the same tests fail with the same messages in the reference. Differences are then not the cause.
pub(super) fn fails_alike(document: &Document, cell: &Cell) -> bool {
    let failures = |cell: &Cell| -> BTreeSet<(String, String)> {
        cases(cell, is_bad).map(|(_, case)| (case_name(case), case_reason(case))).collect()
    };
    let reference = document.cells.iter().find(|other| Some(&other.id) == document.reference.as_ref());
    let failed = failures(cell);
    !failed.is_empty() && reference.is_some_and(|reference| failures(reference) == failed)
}

/// Reports whether a name is the dotted form of this Python file, which pytest uses for files that it cannot collect.
fn is_module(file: &str, name: &str) -> bool {
    file.strip_suffix(".py").is_some_and(|stem| stem.len() == name.len() && stem.replace('/', ".") == name)
}

/// Returns a remark if a step stopped early and did not run all its tests.
pub(super) fn stopped(step: &Step) -> Option<&'static str> {
    // docs.pytest.org, "Exit codes": 2 is an interruption, by errors of the collection among others.
    let interrupted = step.kind == Some(TestKind::Pytest) && step.end == End::Exit { code: 2 };
    if !interrupted || !step.cases.iter().any(|case| is_bad(case.outcome)) {
        return None;
    }
    Some(if step.cases.iter().all(|case| case.outcome == Outcome::Errored) {
        "pytest stopped before the first test because of these errors"
    } else {
        "pytest stopped here and did not run the remaining tests"
    })
}

/// Returns why a test case did not pass, on one line, with help if there is any.
pub(super) fn case_reason(case: &TestCase) -> String {
    let message = case_message(case);
    if case.tried_network {
        format!("{message} (tried to use the network, which is disabled: {NETWORK_ADVICE})")
    } else {
        message
    }
}

/// Returns the message of a test case on one line.
pub(super) fn case_message(case: &TestCase) -> String {
    one_line(if case.message.trim().is_empty() { "no message" } else { &case.message }, 1000)
}

/// Returns how a command ended, and why its results could not be read.
pub(super) fn step_reason(step: &Step) -> String {
    let end = match &step.end {
        End::Exit { code } => format!("exit code {code}"),
        End::Signal { signal } => format!("killed by signal {signal}"),
        End::OutOfMemory {} => "out of memory".to_owned(),
        End::Timeout { seconds } => format!("timed out after {seconds} s"),
        End::NotStarted { reason } => format!("not started: {}", one_line(reason, 300)),
    };
    step.unread.as_ref().map_or(end.clone(), |why| format!("{end}; failed to read the results: {}", one_line(why, 300)))
}

/// Returns the counts of cells by status: `5 cells: 2 passed, 1 failed, 2 infrastructure errors`.
pub(super) fn totals(document: &Document) -> String {
    let number = |status: Status| {
        document.cells.iter().filter(|cell| cell.status == status && !cell.is_expected_failure()).count()
    };
    let expected = document.cells.iter().filter(|cell| cell.is_expected_failure()).count();
    let counted = joined(&[
        (number(Status::Passed), "passed"),
        (number(Status::Flaky), "flaky"),
        (number(Status::Failed), "failed"),
        (expected, "failed as expected"),
        (
            number(Status::Error),
            if number(Status::Error) == 1 { "infrastructure error" } else { "infrastructure errors" },
        ),
        (number(Status::Skipped), "not run"),
    ]);
    let cells = count(document.cells.len(), "cell");
    if counted.is_empty() { cells } else { format!("{cells}: {counted}") }
}

/// Returns the verdict as a phrase. `show` formats the names of cells.
pub(super) fn sentence(document: &Document, show: impl Fn(&str) -> String) -> String {
    let at = |status: Status| {
        let ids: Vec<String> = document
            .cells
            .iter()
            .filter(|cell| cell.status == status && !cell.is_expected_failure())
            .map(|cell| show(&one_line(&cell.id, 60)))
            .collect();
        match ids.len() {
            0..=3 => ids.join(", "),
            many => format!("{} and {} more", ids[..3].join(", "), many - 3),
        }
    };
    let text = match verdict(document) {
        Verdict::Good if document.cells.iter().any(Cell::is_expected_failure) => {
            "no cell failed unexpectedly".to_owned()
        }
        Verdict::Good => "the analysis works in every cell that ran".to_owned(),
        Verdict::Nothing => "no cell ran".to_owned(),
        Verdict::Infrastructure => {
            format!("the analysis did not fail, but could not be tested at {}", at(Status::Error))
        }
        Verdict::Analysis => format!("the analysis fails at {}", at(Status::Failed)),
    };
    if document.interrupted { format!("{text}; the check was interrupted") } else { text }
}

/// Returns the analysis and its state: `dimuon at 3f2a1bc4d5e6, with uncommitted changes`.
pub(super) fn subject(document: &Document) -> String {
    let analysis = &document.analysis;
    let name = one_line(&analysis.name, 80);
    let state = match &analysis.commit {
        Some(commit) => format!(" at {}", one_line(commit.get(..12).unwrap_or(commit), 40)),
        None => format!(" at tree {}", analysis.tree.digest.short()),
    };
    format!("{name}{state}{}", if analysis.dirty { ", with uncommitted changes" } else { "" })
}
