//! What the engine and the processes of a run say to each other: one order down, a few lines of account up.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::cell::End;
use crate::model::contract::{Ids, Mount, Tmp};

/// What is to be put together and started.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SandboxRequest {
    /// The run's directory.
    pub dir: PathBuf,
    /// The file whose lock says that the engine lives.
    pub lock: PathBuf,
    /// Trees of the root, topmost first.
    pub trees: Vec<PathBuf>,
    /// Kept content of the writable directory, topmost first.
    pub boxes: Vec<PathBuf>,
    /// Directory to be seen read-only.
    pub input: PathBuf,
    /// Directories of this machine to be seen.
    pub mounts: Vec<Mount>,
    /// Who the program runs as.
    pub user: Ids,
    /// Ids of the caller that `user` stands for in a new user namespace; none for real root.
    pub caller: Option<Ids>,
    /// `HOME` of the contract, made when it is missing.
    pub home: Option<String>,
    /// A kept state made the home, so it stays writable.
    pub home_kept: bool,
    /// The working directory, made when it is missing.
    pub workdir: String,
    /// The root can't be written to.
    pub read_only: bool,
    /// The network of this machine is seen.
    pub network: bool,
    /// What `/tmp` is.
    pub tmp: Tmp,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Its whole environment.
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

/// One line of the account.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SandboxReport {
    /// A part of the contract is not enforced.
    NotEnforced { part: String, reason: String },
    /// What is written to the root goes to memory, so it can't be kept.
    Fleeting { reason: String },
    /// The home was missing and has been made.
    MadeHome,
    /// The program ended.
    Ended(End),
    /// The run could not be prepared.
    Failed { doing: String, reason: String },
    /// A trial went well.
    Works { overlay: bool },
}

impl SandboxReport {
    pub(super) fn not_enforced(part: &str, reason: impl ToString) -> Self {
        Self::NotEnforced { part: part.to_owned(), reason: reason.to_string() }
    }
}
