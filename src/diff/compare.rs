//! One thing in several environments: whether it differs, how, and how far up the list it belongs.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::model::diff::{Change, Row, Value, Weight};
use crate::model::known::Known;

use super::version::{Grammar, distance};

/// What one environment says of one thing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact {
    /// It is there.
    Is {
        /// What is shown.
        text: String,
        /// What is shown of where it comes from.
        origin: String,
        /// What is compared instead of the text, when that says more or less than matters.
        identity: Option<String>,
        /// What is compared instead of the origin: pip and uv take from the same index.
        source: Option<String>,
    },
    /// It isn't there.
    Absent,
    /// It couldn't be read.
    Unknown(String),
}

impl Fact {
    /// It is there, written so.
    pub(super) fn is(text: impl Into<String>) -> Self {
        Self::Is { text: text.into(), origin: String::new(), identity: None, source: None }
    }

    /// A text, or nothing when it is empty.
    pub(super) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Absent } else { Self::is(text) }
    }

    /// A fact that may not be there.
    pub(super) fn option(value: Option<impl Into<String>>) -> Self {
        value.map_or(Self::Absent, Self::is)
    }

    /// A fact that may not have been readable.
    pub(super) fn known<T>(value: &Known<T>, show: impl FnOnce(&T) -> Self) -> Self {
        match value {
            Known::Known(value) => show(value),
            Known::Unknown(reason) => Self::Unknown(reason.clone()),
        }
    }

    /// `yes` or `no`.
    pub(super) fn flag(value: bool) -> Self {
        Self::is(if value { "yes" } else { "no" })
    }

    /// The same fact, shown with where it comes from and compared by the source.
    pub(super) fn from(self, shown: impl Into<String>, compared: impl Into<String>) -> Self {
        match self {
            Self::Is { text, identity, .. } => {
                Self::Is { text, origin: shown.into(), identity, source: Some(compared.into()) }
            }
            other => other,
        }
    }

    /// The same fact, equal to every other of this identity whatever their texts.
    pub(super) fn alike(self, same: impl Into<String>) -> Self {
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

/// How `other` differs from `first`; none when it doesn't.
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
                    // Two spellings of one version (`1.26` and `1.26.0`) don't differ.
                    Some(Ordering::Equal) => {}
                }
            }
            let (a, b) = (source_a.as_ref().unwrap_or(origin_a), source_b.as_ref().unwrap_or(origin_b));
            (a != b).then_some(Change::Origin)
        }
    }
}

/// A row on its way into a section.
#[derive(Debug)]
pub(super) struct Draft {
    row: Row,
    distance: u8,
}

impl Draft {
    /// A row for these facts, one a column, unless every column equals the first.
    pub(super) fn new(name: impl Into<String>, facts: Vec<Fact>, grammar: Grammar, weight: Weight) -> Option<Self> {
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
        let row = Row { name: name.into(), values, change, weight: effective(weight, change), lines: Vec::new() };
        Some(Self { row, distance })
    }

    /// A row only when the columns in which there is anything to compare differ among each other, the first being one of
    /// them. The others lack the whole list that the thing would stand in, which another row says once for all.
    pub(super) fn among(
        present: &[bool],
        name: &str,
        facts: Vec<Fact>,
        grammar: Grammar,
        weight: Weight,
    ) -> Option<Self> {
        if present.first() != Some(&true) {
            return None;
        }
        let comparable = facts.iter().zip(present).filter(|(_, present)| **present).map(|(fact, _)| fact.clone());
        Self::new(name, comparable.collect(), grammar, weight)?;
        Self::new(name, facts, grammar, weight)
    }

    /// The same row with the lines of a text difference.
    pub(super) fn with_lines(mut self, lines: Vec<String>) -> Self {
        self.row.lines = lines;
        self
    }

    /// Whether something was compared and differs: the row isn't there for an unknown alone.
    pub(super) fn is_difference(&self) -> bool {
        self.row.change != Change::NotCompared
    }
}

/// How much a difference of this kind can matter at most: what wasn't compared is noise unless it is direct, and the
/// same version from another place rarely breaks anything.
fn effective(weight: Weight, change: Change) -> Weight {
    match (weight, change) {
        (Weight::Direct, Change::Origin) => Weight::Required,
        (Weight::Required, Change::Origin | Change::NotCompared) => Weight::Rest,
        _ => weight,
    }
}

/// The nearest to the major component at which any column parts from the first.
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

/// The rows, those that matter most first: by weight, then by kind of change, then by how far versions are apart,
/// then in the order they were drafted in.
pub(super) fn sorted(mut drafts: Vec<Draft>) -> Vec<Row> {
    drafts.sort_by_key(|draft| (draft.row.weight, severity(draft.row.change), draft.distance));
    drafts.into_iter().map(|draft| draft.row).collect()
}

/// The same for a change and its mirror image.
fn severity(change: Change) -> u8 {
    match change {
        Change::Added | Change::Removed | Change::Mixed => 0,
        Change::Newer | Change::Older | Change::Changed => 1,
        Change::Reordered => 2,
        Change::Origin => 3,
        Change::NotCompared => 4,
    }
}

/// Collects rows, leaving out what doesn't differ.
#[derive(Debug, Default)]
pub(super) struct Drafts(pub(super) Vec<Draft>);

impl Drafts {
    /// Adds a row unless all columns agree.
    pub(super) fn add(
        &mut self,
        name: impl Into<String>,
        facts: impl IntoIterator<Item = Fact>,
        grammar: Grammar,
        weight: Weight,
    ) {
        self.0.extend(Draft::new(name, facts.into_iter().collect(), grammar, weight));
    }
}
