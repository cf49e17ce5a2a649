//! What the tests see of the repository.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// The file tree handed to the tests: tracked files and untracked ones that git doesn't ignore, as they are in the
/// working tree, submodules included, without `.git` unless it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    /// Digest over the sorted entries: type and executable bit, path, and the digest of the content or the link's target.
    pub digest: Digest,
    /// Number of entries.
    pub entries: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Whether `.git` was handed in too.
    pub with_git: bool,
    /// Paths left out, each with the reason (sockets, devices, links that leave the repository, over a cap), the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A path that the tests don't see although git would show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Path relative to the repository's top.
    pub path: String,
    /// Why: a lowercase fragment.
    pub reason: String,
}
