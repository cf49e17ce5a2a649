//! The ordering of what matters, for every format: which differences come first, and what they are called outside of
//! their section.

use std::collections::HashSet;

use crate::model::cell::TestCase;
use crate::model::diff::{Change, Diff, Row, Section, Value, Weight};
use crate::model::document::Cell;

use super::summary;
use crate::model::text::one_line;

/// Failed cases whose words are looked at.
const MAX_CASES: usize = 200;

/// A row with its section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) section: &'a Section,
    pub(super) row: &'a Row,
}

/// All rows by weight, those of one version from two places last, else in the order of the sections.
pub(super) fn entries(diff: &Diff) -> Vec<Entry<'_>> {
    let mut all: Vec<Entry<'_>> =
        diff.sections.iter().flat_map(|section| section.rows.iter().map(move |row| Entry { section, row })).collect();
    all.sort_by_key(|entry| (entry.row.weight, entry.row.change == Change::Origin));
    all
}

/// Rows worth showing beside a cell's failure, at most `max`: those that matter directly, then those that were compared
/// and may matter; of equal ones those first that the failure speaks of. Every row there is when `all`. With the number
/// of those left out.
pub(super) fn foremost<'a>(diff: &'a Diff, cell: &Cell, max: usize, all: bool) -> (Vec<Entry<'a>>, usize) {
    let words = Words::of(cell);
    let mut shown = entries(diff);
    shown.sort_by_key(|entry| (entry.row.weight, entry.row.change == Change::Origin, words.rank(entry)));
    let total = shown.len();
    if !all {
        shown.retain(|entry| entry.row.weight != Weight::Rest);
        shown.truncate(max);
    }
    let others = total - shown.len();
    (shown, others)
}

/// What the failed tests of a cell speak of.
struct Words {
    /// Words of their messages, in lower case.
    said: HashSet<String>,
    /// Packages whose files stand in their tracebacks.
    passed: HashSet<String>,
}

impl Words {
    fn of(cell: &Cell) -> Self {
        let mut words = Self { said: HashSet::new(), passed: HashSet::new() };
        for (_, case) in summary::cases(cell, summary::is_bad).take(MAX_CASES) {
            words.add(case);
        }
        words
    }

    fn add(&mut self, case: &TestCase) {
        let parts = case.message.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        self.said.extend(parts.map(module));
        let text = case.output.as_ref().map_or("", |output| output.text.as_str());
        for line in text.lines() {
            for place in ["site-packages/", "dist-packages/"] {
                let package = line.split_once(place).and_then(|(_, path)| path.split('/').next());
                self.passed.extend(package.map(module));
            }
        }
    }

    /// The lower, the more is said of a row. Python and ROOT are below everything, so they stay on top.
    fn rank(&self, entry: &Entry<'_>) -> u8 {
        let name = module(&entry.row.name);
        let is_base = entry.row.weight == Weight::Direct && matches!(entry.section.id.as_str(), "python" | "root");
        if is_base || self.said.contains(&name) {
            0
        } else if self.passed.contains(&name) {
            1
        } else {
            2
        }
    }
}

/// The module that a distribution is most often imported by.
fn module(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

impl Entry<'_> {
    /// The row's name as it reads without its section: `python` for the version of Python, `root C++ standard`.
    pub(super) fn name(&self) -> String {
        let name = one_line(&self.row.name, 120);
        match (self.section.id.as_str(), name.as_str()) {
            (id @ ("python" | "root"), "version") => id.to_owned(),
            (id @ ("python" | "root"), _) => format!("{id} {name}"),
            (id, _) if id.starts_with("packages-") && id != "packages-python" => {
                format!("{name} ({})", id.trim_start_matches("packages-"))
            }
            _ => name,
        }
    }
}

/// A value for people, on one line.
pub(super) fn value(value: &Value, with_origin: bool, absent: &str) -> String {
    match value {
        Value::Is { text, origin } if with_origin && !origin.is_empty() => {
            format!("{} ({})", one_line(text, 400), one_line(origin, 200))
        }
        Value::Is { text, .. } => one_line(text, 400),
        Value::Absent {} => absent.to_owned(),
        Value::Unknown { reason } => format!("unknown: {}", one_line(reason, 200)),
    }
}

/// Whether the origins of a row's values say something.
pub(super) fn shows_origin(row: &Row) -> bool {
    let mut origins = row.values.iter().filter_map(|value| match value {
        Value::Is { origin, .. } => Some(origin),
        Value::Absent {} | Value::Unknown { .. } => None,
    });
    let first = origins.next();
    row.change == Change::Origin || origins.any(|origin| Some(origin) != first)
}

/// A change in a word.
pub(super) fn word(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Removed => "missing",
        Change::Newer => "newer",
        Change::Older => "older",
        Change::Changed => "differs",
        Change::Origin => "other origin",
        Change::Reordered => "reordered",
        Change::NotCompared => "not compared",
        Change::Mixed => "mixed",
    }
}

/// Counts of changes: `3 newer, 1 missing`.
pub(super) fn tally<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for row in rows {
        *counts.entry(row.change).or_insert(0_usize) += 1;
    }
    counts.iter().map(|(change, number)| format!("{number} {}", word(*change))).collect::<Vec<_>>().join(", ")
}
