//! Differences between environments, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Environments side by side: only the rows in which they differ or couldn't be compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// Names of the columns; the first is the reference.
    pub columns: Vec<String>,
    /// Sections in the order of what matters, empty ones left out.
    pub sections: Vec<Section>,
}

/// Rows of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Section {
    /// Stable identifier: `python`, `imported`, `required`, `root`, `system`, `paths`, `runtime`, `packages-dpkg`, …
    pub id: String,
    /// Title for people.
    pub title: String,
    /// The rows, those that matter most first.
    pub rows: Vec<Row>,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// What it is: a package's name, `version`, `PATH`.
    pub name: String,
    /// One value a column.
    pub values: Vec<Value>,
    /// How the columns differ.
    pub change: Change,
    /// How much it matters to this analysis.
    pub weight: Weight,
    /// For text and lists: the difference of the last column from the first, as unified diff lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
}

/// A value in one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// It is there, written so.
    Is {
        /// The text: a version, a path, a list joined by colons.
        text: String,
        /// Where it comes from, when columns may differ in that: `pip`, `dpkg`, `conda`.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        origin: String,
    },
    /// It isn't there.
    Absent {},
    /// It couldn't be read: never the same as anything.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// How the last column relates to the first; `Mixed` with more than two columns that differ in several ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// In the other columns only.
    Added,
    /// In the reference only.
    Removed,
    /// A later version than the reference's.
    Newer,
    /// An earlier version than the reference's.
    Older,
    /// Different, with no order.
    Changed,
    /// The same version from another place (pip here, dpkg there).
    Origin,
    /// The same elements in another order.
    Reordered,
    /// A side is unknown.
    NotCompared,
    /// Several of these among the columns.
    Mixed,
}

/// How much a difference matters to the analysis at hand; ordered from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// The analysis imports it, or runs on it (Python, ROOT, libc).
    Direct,
    /// Something it imports requires it.
    Required,
    /// Neither: collapses to a count.
    Rest,
}

impl Diff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// Number of rows of at least this weight.
    pub fn count(&self, least: Weight) -> usize {
        self.sections.iter().flat_map(|section| &section.rows).filter(|row| row.weight <= least).count()
    }
}
