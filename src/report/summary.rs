//! What every report says of a document and its cells in a few words.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cell::{End, Outcome, Step, TestCase};
use crate::model::diff::{Diff, Weight};
use crate::model::document::{Cell, Document, Status};
use crate::model::environment::Environment;
use crate::model::known::Known;
use crate::model::plan::TestKind;
use crate::model::python::{Distribution, Python};
use crate::model::verdict::{Verdict, verdict};

use crate::model::text::{count, one_line};

/// Most distributions whose versions are shown beside a cell.
const MAX_DISTRIBUTIONS: usize = 6;

/// One cell and what is known around it.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) cell: &'a Cell,
    /// Its difference from the reference; none for the reference itself and without an environment.
    pub(super) diff: Option<&'a Diff>,
    /// Versions under [`Summary::labels`]; `-` for what isn't there, `?` for what isn't known. Empty without an environment.
    pub(super) versions: Vec<String>,
}

impl Line<'_> {
    /// Number of differences that matter directly.
    pub(super) fn matters(&self) -> usize {
        self.diff.map_or(0, |diff| diff.count(Weight::Direct))
    }
}

/// All cells.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    /// What the versions are of: Python, ROOT where any cell has it, then directly imported distributions.
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

    /// A column that is empty everywhere only takes room from the others.
    fn drop_column(&mut self, label: &str) {
        let Some(at) = self.labels.iter().position(|other| other == label) else { return };
        self.labels.remove(at);
        for line in self.lines.iter_mut().filter(|line| line.versions.len() > at) {
            line.versions.remove(at);
        }
    }
}

fn environment<'a>(document: &'a Document, cell: &Cell) -> Option<&'a Environment> {
    document.environments.get(cell.environment.as_ref()?)
}

/// Directly imported distributions: those whose versions differ most between cells first, then those that build on most
/// of the others (an analysis says "coffea", not the dozen libraries below it), then by name.
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
    // ROOT has a column of its own.
    seen.remove("root");
    let rank = |name: &str, versions: &BTreeSet<&str>| {
        let below = pythons.iter().map(|python| reached(python, name));
        (versions.len(), below.map(|below| seen.keys().filter(|other| below.contains(*other)).count()).max())
    };
    let mut names: Vec<_> = seen.iter().map(|(name, versions)| (rank(name, versions), *name)).collect();
    names.sort_by(|(a, _), (b, _)| b.cmp(a));
    names.into_iter().take(MAX_DISTRIBUTIONS).map(|(_, name)| one_line(name, 30)).collect()
}

/// Everything that a distribution requires, directly or not.
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

/// What came of a cell in a few words, and the reason that belongs to them: `2 failed, 12 passed`, or `not run` for
/// `no image`.
pub(super) fn headline(cell: &Cell) -> (String, Option<String>) {
    let reason = cell.reason.as_deref().map(|reason| one_line(reason, 500));
    let given = || reason.clone().or_else(|| Some("no reason given".to_owned()));
    let tests = tests(cell);
    match cell.status {
        Status::Error => ("error".to_owned(), given()),
        Status::Skipped => ("not run".to_owned(), given()),
        Status::Failed if cell.counts().bad() == 0 => {
            let passed = if tests.is_empty() { String::new() } else { format!(", {tests}") };
            (format!("failed{passed}"), reason)
        }
        Status::Passed if tests.is_empty() => ("passed, no test cases".to_owned(), None),
        Status::Passed | Status::Flaky | Status::Failed => (tests, None),
    }
}

/// The same in so few words that cells fit under each other: what broke counts as failed, what was skipped is
/// told by [`skipped`].
pub(super) fn short(cell: &Cell) -> String {
    let counts = cell.counts();
    match cell.status {
        Status::Passed | Status::Flaky | Status::Failed if counts.bad() + counts.flaky + counts.passed > 0 => {
            let parts = [(counts.bad(), "failed"), (counts.flaky, "flaky"), (counts.passed, "passed")];
            let failed = if cell.status == Status::Failed && counts.bad() == 0 { "failed, " } else { "" };
            format!("{failed}{}", joined(&parts))
        }
        _ => headline(cell).0,
    }
}

/// Counts of test cases, the worst first.
pub(super) fn tests(cell: &Cell) -> String {
    let counts = cell.counts();
    joined(&[
        (counts.failed, "failed"),
        (counts.errored, "broke"),
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

/// Test cases of an outcome, with their steps.
pub(super) fn cases<'a>(
    cell: &'a Cell,
    wanted: impl Fn(Outcome) -> bool + Copy + 'a,
) -> impl Iterator<Item = (&'a Step, &'a TestCase)> {
    cell.steps
        .iter()
        .flat_map(move |step| step.cases.iter().filter(move |case| wanted(case.outcome)).map(move |case| (step, case)))
}

/// How many tests were skipped, and the reason given most often: `95 skipped, 32 of them: dask-awkward not installed`.
pub(super) fn skipped(cell: &Cell) -> Option<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, case) in cases(cell, |outcome| outcome == Outcome::Skipped) {
        *reasons.entry(case.message.trim()).or_default() += 1;
    }
    let total: usize = reasons.values().sum();
    let (reason, number) = reasons.into_iter().max_by_key(|(reason, number)| (*number, std::cmp::Reverse(*reason)))?;
    if number == 1 && total > 1 {
        return Some(format!("{total} skipped, for as many reasons"));
    }
    let share = if number == total { String::new() } else { format!(", {number} of them") };
    let reason = if reason.is_empty() { String::new() } else { format!("{share}: {}", one_line(reason, 200)) };
    Some(format!("{total} skipped{reason}"))
}

/// Whether a case counts against the analysis.
pub(super) fn is_bad(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::Errored)
}

/// Steps that ended badly although no case of theirs says so: a set-up, a crash after the last test.
pub(super) fn broken_steps(cell: &Cell) -> impl Iterator<Item = &Step> {
    cell.steps.iter().filter(|step| {
        (!step.end.is_success() || step.unread.is_some()) && !step.cases.iter().any(|case| is_bad(case.outcome))
    })
}

/// Where a test case is, as its framework would be told to run it: `tests/test_a.py::test_b`. A file that can't be
/// collected stands for itself, and a command for the only case it has.
pub(super) fn case_name(case: &TestCase) -> String {
    let place = case.file.as_deref().unwrap_or(&case.class);
    if is_module(place, &case.name) || case.file.is_none() && place == case.name {
        return one_line(place, 300);
    }
    let joiner = if place.is_empty() { "" } else { "::" };
    one_line(&format!("{place}{joiner}{}", case.name), 300)
}

/// What to do about tests that tried the network.
pub(super) const NETWORK_ADVICE: &str = "set network = true under [test], or give the tests their data";

/// Whether the same tests fail with the same words in the reference: then what differs from it is not the reason.
pub(super) fn fails_alike(document: &Document, cell: &Cell) -> bool {
    let failures = |cell: &Cell| -> BTreeSet<(String, String)> {
        cases(cell, is_bad).map(|(_, case)| (case_name(case), case_reason(case))).collect()
    };
    let reference = document.cells.iter().find(|other| Some(&other.id) == document.reference.as_ref());
    let failed = failures(cell);
    !failed.is_empty() && reference.is_some_and(|reference| failures(reference) == failed)
}

/// Whether a name is the dotted one of this Python file, as pytest names what it can't collect.
fn is_module(file: &str, name: &str) -> bool {
    file.strip_suffix(".py").is_some_and(|stem| stem.len() == name.len() && stem.replace('/', ".") == name)
}

/// What was never run because a step stopped early; none when nothing is known of it.
pub(super) fn stopped(step: &Step) -> Option<&'static str> {
    // docs.pytest.org, "Exit codes": 2 is an interruption, by errors of the collection among others.
    let interrupted = step.kind == Some(TestKind::Pytest) && step.end == End::Exit { code: 2 };
    if !interrupted || !step.cases.iter().any(|case| is_bad(case.outcome)) {
        return None;
    }
    Some(if step.cases.iter().all(|case| case.outcome == Outcome::Errored) {
        "pytest stopped at that: no test was run"
    } else {
        "pytest stopped at that: the tests after it were not run"
    })
}

/// Why a test case did not pass, on one line, with what to do where that is known.
pub(super) fn case_reason(case: &TestCase) -> String {
    let message = case_message(case);
    if case.tried_network {
        format!("{message} (tried the network, which is off here: {NETWORK_ADVICE})")
    } else {
        message
    }
}

/// What a test case says of why it did not pass, on one line.
pub(super) fn case_message(case: &TestCase) -> String {
    one_line(if case.message.trim().is_empty() { "no message" } else { &case.message }, 1000)
}

/// How a command ended, and why its results couldn't be read.
pub(super) fn step_reason(step: &Step) -> String {
    let end = match &step.end {
        End::Exit { code } => format!("exit code {code}"),
        End::Signal { signal } => format!("killed by signal {signal}"),
        End::OutOfMemory {} => "out of memory".to_owned(),
        End::Timeout { seconds } => format!("timed out after {seconds} s"),
        End::NotStarted { reason } => format!("not started: {}", one_line(reason, 300)),
    };
    step.unread.as_ref().map_or(end.clone(), |why| format!("{end}; results not read: {}", one_line(why, 300)))
}

/// All cells counted by status: `5 cells: 2 passed, 1 failed, 1 error`.
pub(super) fn totals(document: &Document) -> String {
    let of = |wanted: Status| document.cells.iter().filter(|cell| cell.status == wanted && !cell.is_forgiven()).count();
    let forgiven = document.cells.iter().filter(|cell| cell.is_forgiven()).count();
    let counted = joined(&[
        (of(Status::Passed), "passed"),
        (of(Status::Flaky), "flaky"),
        (of(Status::Failed), "failed"),
        (forgiven, "failed as expected"),
        (of(Status::Error), "error"),
        (of(Status::Skipped), "not run"),
    ]);
    let cells = count(document.cells.len(), "cell");
    if counted.is_empty() { cells } else { format!("{cells}: {counted}") }
}

/// The verdict in one sentence, the names of cells as `show` writes them.
pub(super) fn sentence(document: &Document, show: impl Fn(&str) -> String) -> String {
    let at = |wanted: Status| {
        let ids: Vec<String> = document
            .cells
            .iter()
            .filter(|cell| cell.status == wanted && !cell.is_forgiven())
            .map(|cell| show(&one_line(&cell.id, 60)))
            .collect();
        match ids.len() {
            0..=3 => ids.join(", "),
            many => format!("{} and {} more", ids[..3].join(", "), many - 3),
        }
    };
    let text = match verdict(document) {
        Verdict::Good => "the analysis works wherever it was run".to_owned(),
        Verdict::Nothing => "nothing was run".to_owned(),
        Verdict::Infrastructure => {
            format!("the analysis failed nowhere, but could not be tested at {}", at(Status::Error))
        }
        Verdict::Analysis => format!("the analysis fails at {}", at(Status::Failed)),
    };
    if document.interrupted { format!("{text}; the run was interrupted") } else { text }
}

/// The state of the analysis: `dimuon at 3f2a1bc4d5e6, with changes`.
pub(super) fn subject(document: &Document) -> String {
    let analysis = &document.analysis;
    let name = one_line(&analysis.name, 80);
    let state = match &analysis.commit {
        Some(commit) => format!(" at {}", one_line(commit.get(..12).unwrap_or(commit), 40)),
        None => format!(" at tree {}", analysis.tree.digest.short()),
    };
    format!("{name}{state}{}", if analysis.dirty { ", with changes" } else { "" })
}
