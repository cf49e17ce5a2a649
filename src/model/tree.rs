//! The file tree that the tests run on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// The file tree that the tests run on: tracked files and untracked files that git does not ignore, as they are in the
/// working tree, including submodules, and including `.git` only if configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    /// Digest over the sorted entries: type and executable bit, path, and digest of the content or link target.
    pub digest: Digest,
    /// Number of entries.
    pub entries: u64,
    /// Total size of all files in bytes.
    pub bytes: u64,
    /// Whether `.git` is included.
    pub with_git: bool,
    /// Omitted paths with the reason (sockets, devices, links that leave the repository, size limit); at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A path that git lists but the tests do not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Path relative to the root of the repository.
    pub path: String,
    /// The reason: a lowercase fragment.
    pub reason: String,
}
