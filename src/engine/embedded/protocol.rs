//! The messages between the engine and the helper processes of a run: one request down, a few reports up.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::cell::End;
use crate::model::contract::{Ids, Mount, Tmp};

/// A root to assemble and a program to start.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SandboxRequest {
    /// The directory of the run.
    pub dir: PathBuf,
    /// The lock file of the run, which is locked while the engine is alive.
    pub lock: PathBuf,
    /// Trees of the root, topmost first.
    pub trees: Vec<PathBuf>,
    /// Saved content of the writable directory, topmost first.
    pub scratch_layers: Vec<PathBuf>,
    /// Directory that is bound read-only.
    pub input: PathBuf,
    /// Directories of this machine to bind.
    pub mounts: Vec<Mount>,
    /// User and group of the program.
    pub user: Ids,
    /// Ids of the caller that appear as `user` in a new user namespace. `None` for real root, for which every id keeps its
    /// meaning in the new user namespace.
    pub caller: Option<Ids>,
    /// Whether overlays store their metadata in attributes with the prefix `user.`, which works in a user namespace.
    pub user_attributes: bool,
    /// `HOME` of the contract, created if missing.
    pub home: Option<String>,
    /// Whether a saved state created the home, which then stays writable.
    pub home_kept: bool,
    /// The working directory, created if missing.
    pub workdir: String,
    /// Whether the root is read-only.
    pub read_only: bool,
    /// Whether the program has the network of this machine.
    pub network: bool,
    /// Size and flags of `/tmp`.
    pub tmp: Tmp,
    /// File that is the standard output of the program, if it writes a result.
    pub result: Option<PathBuf>,
    /// Whether the program gets a launcher.
    pub launcher: bool,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Its complete environment.
    pub env: BTreeMap<String, String>,
    /// Control groups to join.
    pub groups: Vec<Group>,
}

/// A control group to join.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Group {
    /// Its directory.
    pub dir: PathBuf,
    /// The parts of the contract that it enforces.
    pub parts: Vec<String>,
}

/// A report of a helper process.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SandboxReport {
    /// A part of the contract is not enforced.
    NotEnforced { part: String, reason: String },
    /// Changes of the root are in memory, so they can't be saved.
    Fleeting { reason: String },
    /// The home was missing and has been created.
    MadeHome,
    /// The program ended.
    Ended(End),
    /// A step of the preparation failed.
    Failed { doing: String, reason: String },
    /// Namespaces work here.
    Works { overlay: bool },
}

impl SandboxReport {
    pub(super) fn not_enforced(part: &str, reason: impl ToString) -> Self {
        Self::NotEnforced { part: part.to_owned(), reason: reason.to_string() }
    }
}
