//! The same analysis in other states: what a timeline needs of a document, which is little.

use std::collections::BTreeMap;

use super::summary;
use crate::model::digest::Digest;
use crate::model::document::{Cell, Document, Status};

/// What is kept of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// When the check started, RFC 3339 in UTC.
    pub started: String,
    /// Commit checked out.
    pub commit: Option<String>,
    /// Whether the working tree differed from it.
    pub dirty: bool,
    /// Digest of the tree that the tests saw.
    pub tree: Digest,
    /// Cells by name.
    pub cells: BTreeMap<String, Past>,
}

/// What is kept of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Verdict.
    pub status: Status,
    /// Whether `carnet.toml` forgave a failure.
    pub forgiven: bool,
    /// The result in a few words: `2 failed, 12 passed`.
    pub said: String,
    /// Digest of the environment.
    pub environment: Option<Digest>,
}

impl State {
    /// What a timeline needs of this document.
    pub fn of(document: &Document) -> Self {
        Self {
            started: document.timing.started.clone(),
            commit: document.analysis.commit.clone(),
            dirty: document.analysis.dirty,
            tree: document.analysis.tree.digest.clone(),
            cells: document.cells.iter().map(|cell| (cell.id.clone(), Past::of(cell))).collect(),
        }
    }
}

impl Past {
    fn of(cell: &Cell) -> Self {
        Self {
            status: cell.status,
            forgiven: cell.is_forgiven(),
            said: summary::short(cell),
            environment: cell.environment.clone(),
        }
    }
}
