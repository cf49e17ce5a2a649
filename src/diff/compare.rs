//! Comparison of one value in several environments: whether and how it differs, and how relevant it is.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::model::diff::{Change, Relevance, Row, Value};
use crate::model::known::Known;

use super::version::{Grammar, distance};

/// A value in one environment.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact {
    /// The value exists.
    Is {
        /// The displayed text.
        text: String,
        /// The displayed origin.
        origin: String,
        /// Compared instead of the text, if set.
        identity: Option<String>,
        /// Compared instead of the origin, if set: pip and uv use the same index.
        source: Option<String>,
    },
    /// The value does not exist.
    Absent,
    /// The value could not be read.
    Unknown(String),
}

impl Fact {
    /// Creates an existing value.
    pub(super) fn is(text: impl Into<String>) -> Self {
        Self::Is { text: text.into(), origin: String::new(), identity: None, source: None }
    }

    /// Creates a value; an empty text is [`Self::Absent`].
    pub(super) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Absent } else { Self::is(text) }
    }

    /// Creates a value from an option.
    pub(super) fn option(value: Option<impl Into<String>>) -> Self {
        value.map_or(Self::Absent, Self::is)
    }

    /// Creates a value from one that may be unknown.
    pub(super) fn from_known<T>(value: &Known<T>, show: impl FnOnce(&T) -> Self) -> Self {
        match value {
            Known::Known(value) => show(value),
            Known::Unknown(reason) => Self::Unknown(reason.clone()),
        }
    }

    /// Creates `yes` or `no`.
    pub(super) fn flag(value: bool) -> Self {
        Self::is(if value { "yes" } else { "no" })
    }

    /// Sets the displayed origin and the compared origin.
    pub(super) fn with_origin(self, shown: impl Into<String>, compared: impl Into<String>) -> Self {
        match self {
            Self::Is { text, identity, .. } => {
                Self::Is { text, origin: shown.into(), identity, source: Some(compared.into()) }
            }
            other => other,
        }
    }

    /// Sets the compared identity: values with the same identity are equal.
    pub(super) fn with_identity(self, same: impl Into<String>) -> Self {
        match self {
            Self::Is { text, origin, source, .. } => Self::Is { text, origin, identity: Some(same.into()), source },
            other => other,
        }
    }

    fn value(self) -> Value {
        match self {
            Self::Is { text, origin, .. } => Value::Is { text, origin },
            Self::Absent => Value::Absent {},
            Self::Unknown(reason) => Value::Unknown { reason },
        }
    }
}

/// Returns how `other` differs from `first`. `None` if they are equal.
fn relation(first: &Fact, other: &Fact, grammar: Grammar) -> Option<Change> {
    match (first, other) {
        (Fact::Unknown(_), _) | (_, Fact::Unknown(_)) => Some(Change::NotCompared),
        (Fact::Absent, Fact::Absent) => None,
        (Fact::Absent, Fact::Is { .. }) => Some(Change::Added),
        (Fact::Is { .. }, Fact::Absent) => Some(Change::Removed),
        (
            Fact::Is { text: text_a, origin: origin_a, identity: same_a, source: source_a },
            Fact::Is { text: text_b, origin: origin_b, identity: same_b, source: source_b },
        ) => {
            let (a, b) = (same_a.as_ref().unwrap_or(text_a), same_b.as_ref().unwrap_or(text_b));
            if a != b {
                if grammar.is_reordered(a, b) {
                    return Some(Change::Reordered);
                }
                match grammar.compare(a, b) {
                    Some(Ordering::Less) => return Some(Change::Newer),
                    Some(Ordering::Greater) => return Some(Change::Older),
                    None => return Some(Change::Changed),
                    // Two notations of one version (`1.26` and `1.26.0`) are equal.
                    Some(Ordering::Equal) => {}
                }
            }
            let (a, b) = (source_a.as_ref().unwrap_or(origin_a), source_b.as_ref().unwrap_or(origin_b));
            (a != b).then_some(Change::Origin)
        }
    }
}

/// A row before it is added to a section.
#[derive(Debug)]
pub(super) struct Draft {
    row: Row,
    distance: u8,
}

impl Draft {
    /// Creates a row for these values, one per column. `None` if all columns are equal to the first.
    pub(super) fn new(
        name: impl Into<String>,
        facts: Vec<Fact>,
        grammar: Grammar,
        relevance: Relevance,
    ) -> Option<Self> {
        let first = facts.first()?;
        let changes: BTreeSet<Change> =
            facts.iter().skip(1).filter_map(|other| relation(first, other, grammar)).collect();
        let change = match (changes.len(), changes.first()) {
            (0, _) | (_, None) => return None,
            (1, Some(only)) => *only,
            _ => Change::Mixed,
        };
        let distance = farthest(&facts);
        let values = facts.into_iter().map(Fact::value).collect();
        let row = Row { name: name.into(), values, change, relevance: effective(relevance, change), lines: Vec::new() };
        Some(Self { row, distance })
    }

    /// Creates a row only if the comparable columns, including the first, differ from each other. The other columns
    /// lack the whole list, which is reported in a separate row.
    pub(super) fn among(
        present: &[bool],
        name: &str,
        facts: Vec<Fact>,
        grammar: Grammar,
        relevance: Relevance,
    ) -> Option<Self> {
        if present.first() != Some(&true) {
            return None;
        }
        let comparable = facts.iter().zip(present).filter(|(_, present)| **present).map(|(fact, _)| fact.clone());
        Self::new(name, comparable.collect(), grammar, relevance)?;
        Self::new(name, facts, grammar, relevance)
    }

    /// Sets the lines of a text difference.
    pub(super) fn with_lines(mut self, lines: Vec<String>) -> Self {
        self.row.lines = lines;
        self
    }

    /// Reports whether values were compared and differ, not only unknown.
    pub(super) fn is_difference(&self) -> bool {
        self.row.change != Change::NotCompared
    }
}

/// Limits the relevance of a difference by its kind: values that were not compared are only relevant if direct, and the
/// same version from another origin rarely breaks anything.
fn effective(relevance: Relevance, change: Change) -> Relevance {
    match (relevance, change) {
        (Relevance::Direct, Change::Origin) => Relevance::Required,
        (Relevance::Required, Change::Origin | Change::NotCompared) => Relevance::Rest,
        _ => relevance,
    }
}

/// Returns the most significant version component in which any column differs from the first.
fn farthest(facts: &[Fact]) -> u8 {
    let texts: Vec<&str> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Is { text, .. } => Some(text.as_str()),
            Fact::Absent | Fact::Unknown(_) => None,
        })
        .collect();
    let Some((first, others)) = texts.split_first() else { return 3 };
    others.iter().filter(|other| *other != first).map(|other| distance(first, other)).min().unwrap_or(3)
}

/// Sorts rows by relevance, then by kind of change, then by the difference between versions. The sort is stable.
pub(super) fn sorted(mut drafts: Vec<Draft>) -> Vec<Row> {
    drafts.sort_by_key(|draft| (draft.row.relevance, severity(draft.row.change), draft.distance));
    drafts.into_iter().map(|draft| draft.row).collect()
}

/// Returns the rank of a change, which is equal for a change and its reverse.
fn severity(change: Change) -> u8 {
    match change {
        Change::Added | Change::Removed | Change::Mixed => 0,
        Change::Newer | Change::Older | Change::Changed => 1,
        Change::Reordered => 2,
        Change::Origin => 3,
        Change::NotCompared => 4,
    }
}

/// A list of rows that differ.
#[derive(Debug, Default)]
pub(super) struct Drafts(pub(super) Vec<Draft>);

impl Drafts {
    /// Adds a row, unless all columns are equal.
    pub(super) fn add(
        &mut self,
        name: impl Into<String>,
        facts: impl IntoIterator<Item = Fact>,
        grammar: Grammar,
        relevance: Relevance,
    ) {
        self.0.extend(Draft::new(name, facts.into_iter().collect(), grammar, relevance));
    }
}
