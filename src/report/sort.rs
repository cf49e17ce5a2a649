//! The ordering of what matters, for every format: which differences come first, and what they are called outside of
//! their section.

use crate::model::diff::{Change, Diff, Row, Section, Value, Weight};

use super::text::one_line;

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

/// Rows worth showing beside a failure, at most `max`: those that matter directly, then those that were compared and may
/// matter; every row there is when `all`. With the number of those left out.
pub(super) fn foremost(diff: &Diff, max: usize, all: bool) -> (Vec<Entry<'_>>, usize) {
    let mut shown = entries(diff);
    let total = shown.len();
    if !all {
        shown.retain(|entry| entry.row.weight != Weight::Rest);
        shown.truncate(max);
    }
    let others = total - shown.len();
    (shown, others)
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
