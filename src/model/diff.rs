//! Differences between environments, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A comparison of environments: only the rows that differ or could not be compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// Names of the columns; the first is the reference.
    pub columns: Vec<String>,
    /// Non-empty sections, the most relevant first.
    pub sections: Vec<Section>,
}

/// Rows of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Section {
    /// Stable identifier: `python`, `imported`, `required`, `root`, `system`, `paths`, `runtime`, `packages-dpkg`, …
    pub id: String,
    /// Display title.
    pub title: String,
    /// The rows, the most relevant first.
    pub rows: Vec<Row>,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Name of the compared value: a package name, `version`, `PATH`.
    pub name: String,
    /// One value per column.
    pub values: Vec<Value>,
    /// How the columns differ.
    pub change: Change,
    /// How relevant the difference is to this analysis.
    #[serde(rename = "weight")]
    pub relevance: Relevance,
    /// For text and lists: unified diff lines from the first column to the last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
}

/// A value in one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// The value exists.
    Is {
        /// The text: a version, a path, a list joined by colons.
        text: String,
        /// Source of the value, if it may differ between columns: `pip`, `dpkg`, `conda`.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        origin: String,
    },
    /// The value does not exist.
    Absent {},
    /// The value could not be read; it is never equal to another value.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// How the last column relates to the first; `mixed` if more than two columns differ in several ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Only in the other columns.
    Added,
    /// Only in the reference.
    Removed,
    /// A later version than in the reference.
    Newer,
    /// An earlier version than in the reference.
    Older,
    /// Different, without an order.
    Changed,
    /// The same version from another source: pip here, dpkg there.
    Origin,
    /// The same elements in another order.
    Reordered,
    /// At least one value is unknown.
    NotCompared,
    /// Several of these changes among the columns.
    Mixed,
}

/// How relevant a difference is to the analysis, from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relevance {
    /// The analysis imports it or runs on it (Python, ROOT, libc).
    Direct,
    /// An imported package requires it.
    Required,
    /// Neither; collapsed to a count in reports.
    Rest,
}

impl Diff {
    /// Reports whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// Returns the number of rows with at least this relevance.
    pub fn count(&self, least: Relevance) -> usize {
        self.sections.iter().flat_map(|section| &section.rows).filter(|row| row.relevance <= least).count()
    }
}
