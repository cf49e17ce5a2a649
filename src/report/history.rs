//! Earlier and later states of an analysis, for the timeline.

use std::collections::BTreeMap;

use super::summary;
use crate::model::digest::Digest;
use crate::model::document::{Cell, Document, Status};

/// The part of a document that the timeline uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Start of the check, RFC 3339 in UTC.
    pub started: String,
    /// Checked-out commit.
    pub commit: Option<String>,
    /// Whether the working tree differed from the commit.
    pub dirty: bool,
    /// Digest of the tested tree.
    pub tree: Digest,
    /// Cells by ID.
    pub cells: BTreeMap<String, Past>,
}

/// The part of a cell that the timeline uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Status.
    pub status: Status,
    /// Whether the cell failed and `carnet.toml` expects it.
    pub is_expected: bool,
    /// The result: `2 failed, 12 passed`.
    pub result: String,
    /// Digest of the environment.
    pub environment: Option<Digest>,
}

impl State {
    /// Returns the state of a document.
    pub fn new(document: &Document) -> Self {
        Self {
            started: document.timing.started.clone(),
            commit: document.analysis.commit.clone(),
            dirty: document.analysis.dirty,
            tree: document.analysis.tree.digest.clone(),
            cells: document.cells.iter().map(|cell| (cell.id.clone(), Past::new(cell))).collect(),
        }
    }
}

impl Past {
    fn new(cell: &Cell) -> Self {
        Self {
            status: cell.status,
            is_expected: cell.is_expected_failure(),
            result: summary::short(cell),
            environment: cell.environment.clone(),
        }
    }
}
