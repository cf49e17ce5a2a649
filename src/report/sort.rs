//! Order and names of differences, which the formats share.

use std::collections::HashSet;

use crate::model::cell::TestCase;
use crate::model::diff::{Change, Diff, Relevance, Row, Section, Value};
use crate::model::document::Cell;

use super::summary;
use crate::model::text::one_line;

/// Maximum number of failed cases whose messages are searched.
const MAX_CASES: usize = 200;

/// A row with its section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) section: &'a Section,
    pub(super) row: &'a Row,
}

/// Returns all rows by relevance, rows that differ only in origin last, otherwise in the order of the sections.
pub(super) fn entries(diff: &Diff) -> Vec<Entry<'_>> {
    let mut all: Vec<Entry<'_>> =
        diff.sections.iter().flat_map(|section| section.rows.iter().map(move |row| Entry { section, row })).collect();
    all.sort_by_key(|entry| (entry.row.relevance, entry.row.change == Change::Origin));
    all
}

/// Returns at most `max` rows to show with the failure of a cell, and the number of the remaining ones. Directly relevant rows
/// come first, then possibly relevant ones, and among equals those that the failure mentions. With `all`, returns every row.
pub(super) fn most_relevant<'a>(diff: &'a Diff, cell: &Cell, max: usize, all: bool) -> (Vec<Entry<'a>>, usize) {
    let mentions = Mentions::new(cell);
    let mut shown = entries(diff);
    shown.sort_by_key(|entry| (entry.row.relevance, entry.row.change == Change::Origin, mentions.rank(entry)));
    let total = shown.len();
    if !all {
        shown.retain(|entry| entry.row.relevance != Relevance::Rest);
        shown.truncate(max);
    }
    let others = total - shown.len();
    (shown, others)
}

/// Names in the failed tests of a cell.
struct Mentions {
    /// Words of the messages, in lower case.
    words: HashSet<String>,
    /// Packages with files in the tracebacks.
    packages: HashSet<String>,
}

impl Mentions {
    fn new(cell: &Cell) -> Self {
        let mut mentions = Self { words: HashSet::new(), packages: HashSet::new() };
        for (_, case) in summary::cases(cell, summary::is_bad).take(MAX_CASES) {
            mentions.add(case);
        }
        mentions
    }

    fn add(&mut self, case: &TestCase) {
        let parts = case.message.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        self.words.extend(parts.map(module));
        let text = case.output.as_ref().map_or("", |output| output.text.as_str());
        for line in text.lines() {
            for directory in ["site-packages/", "dist-packages/"] {
                let package = line.split_once(directory).and_then(|(_, path)| path.split('/').next());
                self.packages.extend(package.map(module));
            }
        }
    }

    /// Returns 0 for rows in a message, 1 for rows in a traceback, otherwise 2. Python and ROOT affect everything, so they have 0.
    fn rank(&self, entry: &Entry<'_>) -> u8 {
        let name = module(&entry.row.name);
        let is_base =
            entry.row.relevance == Relevance::Direct && matches!(entry.section.id.as_str(), "python" | "root");
        if is_base || self.words.contains(&name) {
            0
        } else if self.packages.contains(&name) {
            1
        } else {
            2
        }
    }
}

/// Returns the usual module name of a distribution.
fn module(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

impl Entry<'_> {
    /// Returns the name with the section: `python` for the version of Python, `root C++ standard`.
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

/// Formats a value on one line.
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

/// Reports whether the origins of the values differ.
pub(super) fn shows_origin(row: &Row) -> bool {
    let mut origins = row.values.iter().filter_map(|value| match value {
        Value::Is { origin, .. } => Some(origin),
        Value::Absent {} | Value::Unknown { .. } => None,
    });
    let first = origins.next();
    row.change == Change::Origin || origins.any(|origin| Some(origin) != first)
}

/// Returns the name of a change.
pub(super) fn word(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Removed => "missing",
        Change::Newer => "newer",
        Change::Older => "older",
        Change::Changed => "differs",
        Change::Origin => "different origin",
        Change::Reordered => "reordered",
        Change::NotCompared => "not compared",
        Change::Mixed => "mixed",
    }
}

/// Returns the counts of changes: `3 newer, 1 missing`.
pub(super) fn tally<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for row in rows {
        *counts.entry(row.change).or_insert(0_usize) += 1;
    }
    counts.iter().map(|(change, number)| format!("{number} {}", word(*change))).collect::<Vec<_>>().join(", ")
}
