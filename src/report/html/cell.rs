//! A cell of the page: a summary line with collapsed details.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::sort;
use super::super::summary::{self, Line, Summary};
use super::Context;
use super::environment::{Difference, describe};
use super::evidence::{Evidence, evidence};
use super::inert::anchor;
use super::mark::Mark;
use super::pieces::Pieces;
use crate::model::cell::{Captured, Outcome, Step, TestCase};
use crate::model::document::{Cell, Counts, Status};
use crate::model::text::{clean, duration, ends, one_line};

/// Maximum number of failed tests of a cell that are shown with their output.
pub(super) const MAX_OUTPUTS: usize = 20;
/// Maximum number of further failed or flaky tests that are listed.
const MAX_NAMES: usize = 200;
/// Maximum number of differences of a cell. The environment lists all.
const MAX_DIFFERENCES: usize = 12;
/// Maximum number of reasons of skipped tests.
const MAX_REASONS: usize = 20;
/// Maximum number of findings listed with a cell.
const MAX_FINDINGS: usize = 8;
/// Maximum width of the reason in the summary line in columns.
const MAX_REASON: usize = 220;

/// A cell.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) index: usize,
    pub(super) id: String,
    pub(super) facility: String,
    pub(super) role: Option<String>,
    pub(super) engine: String,
    pub(super) anchor: String,
    pub(super) mark: Mark,
    pub(super) is_reference: bool,
    pub(super) open: bool,
    /// `2 failed, 12 passed`.
    pub(super) short: String,
    /// The reason in the summary line.
    pub(super) reason: Option<String>,
    pub(super) versions: Vec<Version>,
    pub(super) time: String,
    /// Number of directly relevant differences.
    pub(super) relevant: usize,
    pub(super) full_reason: Option<String>,
    pub(super) hint: Option<Pieces>,
    pub(super) expected: Option<String>,
    pub(super) since: Option<String>,
    pub(super) broken: Vec<Broken<'a>>,
    pub(super) failures: Vec<Failure<'a>>,
    pub(super) more: Vec<String>,
    pub(super) unnamed: usize,
    pub(super) stopped: Vec<&'static str>,
    pub(super) flaky: Vec<String>,
    pub(super) skipped: Vec<(usize, String)>,
    pub(super) counts: Counts,
    pub(super) differences: Option<Differences>,
    pub(super) findings: Vec<(String, String)>,
    pub(super) more_findings: usize,
    pub(super) not_enforced: Vec<String>,
    pub(super) evidence: Evidence,
}

/// A version with its label, and whether it differs from the reference.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) label: String,
    pub(super) text: String,
    pub(super) differs: bool,
}

/// A failed command without a failed test.
#[derive(Debug)]
pub(super) struct Broken<'a> {
    pub(super) name: String,
    pub(super) why: String,
    pub(super) run: String,
    pub(super) output: Cow<'a, str>,
}

/// A failed test.
#[derive(Debug)]
pub(super) struct Failure<'a> {
    pub(super) name: String,
    pub(super) verb: &'static str,
    pub(super) location: Option<String>,
    pub(super) message: String,
    pub(super) output: Option<Cow<'a, str>>,
    pub(super) open: bool,
}

/// Differences from the reference. Those that the failure mentions come first.
#[derive(Debug)]
pub(super) struct Differences {
    pub(super) summary: String,
    pub(super) any: bool,
    pub(super) rows: Vec<Difference>,
    /// Whether the reference fails with the same messages.
    pub(super) alike: bool,
    /// Anchor of the environment, which lists all differences.
    pub(super) environment: String,
}

/// Returns the cells, the worst first, otherwise in their order.
pub(super) fn entries<'a>(context: &Context<'a>, summary: &Summary<'a>) -> Vec<Entry<'a>> {
    let reference = context.document.reference.as_deref();
    let base = summary.lines.iter().find(|line| Some(line.cell.id.as_str()) == reference);
    let base = base.map_or(&[][..], |line| line.versions.as_slice());
    let bad = summary.lines.iter().filter(|line| Mark::of(line.cell).is_bad()).count();
    let mut entries: Vec<Entry<'a>> = summary
        .lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let open = summary.lines.len() == 1 || bad <= 2 && Mark::of(line.cell).is_bad();
            Entry { index, open, versions: versions(&summary.labels, line, base), ..entry(context, line) }
        })
        .collect();
    entries.sort_by_key(|entry| entry.mark.rank);
    entries
}

fn entry<'a>(context: &Context<'a>, line: &Line<'a>) -> Entry<'a> {
    let cell = line.cell;
    let (_, reason) = summary::headline(cell);
    let (findings, more_findings) = findings(context, cell);
    let bad: Vec<(&Step, &TestCase)> = summary::cases(cell, summary::is_bad).collect();
    let others = bad.get(MAX_OUTPUTS..).unwrap_or_default();
    let names = |(_, case): &(&Step, &TestCase)| summary::case_name(case);
    Entry {
        index: 0,
        id: one_line(&cell.id, 120),
        facility: one_line(&cell.facility, 80),
        role: cell.role.as_ref().map(|role| one_line(role, 40)),
        engine: one_line(&cell.engine, 40),
        anchor: anchor("cell", &cell.id),
        mark: Mark::of(cell),
        is_reference: context.document.reference.as_ref() == Some(&cell.id),
        open: false,
        short: short(cell),
        reason: reason.or_else(|| first_failure(cell)).map(|reason| one_line(&reason, MAX_REASON)),
        versions: Vec::new(),
        time: time(cell),
        relevant: line.relevant(),
        full_reason: cell.reason.as_ref().map(|reason| one_line(reason, 4000)).filter(|reason| !reason.is_empty()),
        hint: hint(cell).map(|hint| Pieces::of(&hint)),
        expected: cell.expected_failure.as_ref().filter(|_| cell.is_expected_failure()).map(|why| one_line(why, 1000)),
        since: context.since(cell),
        broken: summary::broken_steps(cell).map(|step| broken(context, step)).collect(),
        failures: bad
            .iter()
            .take(MAX_OUTPUTS)
            .enumerate()
            .map(|(n, (_, case))| failure(context, case, n == 0))
            .collect(),
        more: others.iter().take(MAX_NAMES).map(names).collect(),
        unnamed: others.len().saturating_sub(MAX_NAMES),
        stopped: cell.steps.iter().filter_map(summary::stopped).collect(),
        flaky: summary::cases(cell, |outcome| outcome == Outcome::Flaky)
            .take(MAX_NAMES)
            .map(|pair| names(&pair))
            .collect(),
        skipped: skipped(cell),
        counts: cell.counts(),
        differences: differences(context, line),
        findings,
        more_findings,
        not_enforced: cell.not_enforced.iter().take(50).map(|part| one_line(part, 500)).collect(),
        evidence: evidence(context, cell),
    }
}

/// Returns the short result, with a remark if the failure is expected.
pub(super) fn short(cell: &Cell) -> String {
    let result = summary::short(cell);
    if cell.is_expected_failure() { format!("{result}, as expected") } else { result }
}

/// Returns the first failed test with its message, for cells without a reason.
fn first_failure(cell: &Cell) -> Option<String> {
    let (_, case) = summary::cases(cell, summary::is_bad).next()?;
    Some(format!("{}: {}", summary::case_name(case), summary::case_message(case)))
}

fn hint(cell: &Cell) -> Option<String> {
    let network = || summary::cases(cell, summary::is_bad).any(|(_, case)| case.tried_network);
    let given = cell.hint.as_ref().map(|hint| one_line(hint, 2000));
    given.or_else(|| {
        network().then(|| format!("tests tried to use the network, which is disabled: {}", summary::NETWORK_ADVICE))
    })
}

fn time(cell: &Cell) -> String {
    match (cell.cached, cell.status) {
        (true, _) => "cached".to_owned(),
        (_, Status::Skipped) => String::new(),
        _ => duration(cell.timing.seconds),
    }
}

fn versions(labels: &[String], line: &Line<'_>, base: &[String]) -> Vec<Version> {
    let of = |(at, label): (usize, &String)| {
        let text = line.versions.get(at).cloned().unwrap_or_default();
        let differs = !text.is_empty() && base.get(at).is_some_and(|there| *there != text);
        Version { label: label.clone(), text, differs }
    };
    labels.iter().enumerate().map(of).collect()
}

fn broken<'a>(context: &Context<'_>, step: &'a Step) -> Broken<'a> {
    Broken {
        name: one_line(&step.name, 80),
        why: summary::step_reason(step),
        run: one_line(&step.run, 2000),
        output: step.output.as_ref().map_or(Cow::Borrowed(""), |captured| output(captured, context.output)),
    }
}

fn failure<'a>(context: &Context<'_>, case: &'a TestCase, open: bool) -> Failure<'a> {
    let location = case.file.as_ref().map(|file| match case.line {
        Some(line) => format!("{}:{line}", one_line(file, 300)),
        None => one_line(file, 300),
    });
    Failure {
        name: summary::case_name(case),
        verb: if case.outcome == Outcome::Errored { "errored" } else { "failed" },
        location,
        message: if case.tried_network {
            format!("{} (tried to use the network, which is disabled)", summary::case_message(case))
        } else {
            summary::case_message(case)
        },
        output: case.output.as_ref().map(|captured| output(captured, context.output)),
        open,
    }
}

/// Returns the start and the end of an output without control characters.
fn output(captured: &Captured, max_bytes: usize) -> Cow<'_, str> {
    // Truncate before cleaning, which is slow for large outputs.
    match ends(captured.text.trim_end(), max_bytes * 2) {
        Cow::Borrowed(text) => match clean(text) {
            Cow::Borrowed(text) => ends(text, max_bytes),
            Cow::Owned(text) => Cow::Owned(ends(&text, max_bytes).into_owned()),
        },
        Cow::Owned(text) => Cow::Owned(ends(&clean(&text), max_bytes).into_owned()),
    }
}

/// Returns the reasons of skipped tests with their numbers, the most frequent first.
fn skipped(cell: &Cell) -> Vec<(usize, String)> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, case) in summary::cases(cell, |outcome| outcome == Outcome::Skipped) {
        *reasons.entry(case.message.trim()).or_default() += 1;
    }
    let mut all: Vec<(usize, &str)> = reasons.into_iter().map(|(reason, number)| (number, reason)).collect();
    all.sort_by(|(a, _), (b, _)| b.cmp(a));
    let shown = |reason: &str| if reason.is_empty() { "no reason given".to_owned() } else { one_line(reason, 300) };
    let mut out: Vec<(usize, String)> = all.iter().take(MAX_REASONS).map(|(n, reason)| (*n, shown(reason))).collect();
    let rest: usize = all.iter().skip(MAX_REASONS).map(|(number, _)| number).sum();
    if rest > 0 {
        out.push((rest, "for other reasons".to_owned()));
    }
    out
}

fn differences(context: &Context<'_>, line: &Line<'_>) -> Option<Differences> {
    let diff = line.diff?;
    let (rows, _) = sort::most_relevant(diff, line.cell, MAX_DIFFERENCES, false);
    Some(Differences {
        summary: describe(diff),
        any: !diff.is_empty(),
        rows: rows.iter().map(Difference::of).collect(),
        alike: summary::fails_alike(context.document, line.cell),
        environment: anchor("environment", line.cell.environment.as_ref().map_or("", |digest| digest.short())),
    })
}

/// Returns the findings that break at the facility of the cell, and the number of further ones.
fn findings(context: &Context<'_>, cell: &Cell) -> (Vec<(String, String)>, usize) {
    let here: Vec<&(String, String)> = context.findings.get(cell.facility.as_str()).into_iter().flatten().collect();
    let shown = here.iter().take(MAX_FINDINGS).map(|&pair| pair.clone()).collect();
    (shown, here.len().saturating_sub(MAX_FINDINGS))
}
