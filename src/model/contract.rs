//! The constraints that a facility adds to its image.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The runtime contract of a facility in one of its roles.
///
/// For every absent field, the value of the image or the engine applies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Contract {
    /// Numeric user and group of processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Ids>,
    /// Value of `HOME`; created as an empty writable directory if the image does not contain it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// The root file system is read-only; `/tmp` and the temporary copy of the analysis stay writable.
    pub read_only: bool,
    /// Properties of `/tmp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmp: Option<Tmp>,
    /// Working directory of the tests; by default the temporary copy of the analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// Environment variables set for every process; they override those of the image. In a document, values that are
    /// not on the allow list are `[redacted]`.
    pub env: BTreeMap<String, String>,
    /// Names of variables passed on from carnet's own environment if they are set.
    pub pass_env: Vec<String>,
    /// Run the entrypoint of the image with the cell command as its arguments. Many batch systems never run it.
    pub entrypoint: bool,
    /// Shell lines run before each command, in the same shell: `source /opt/conda/bin/activate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prelude: Option<String>,
    /// Host directories mounted inside.
    pub mounts: Vec<Mount>,
    /// Memory limit in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Limit in bytes of the files that the tests write, except those in mounts and in `/tmp` with a size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    /// Maximum number of processes and threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<u64>,
    /// CPU limit in thousandths of a processor: 1500 is one and a half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milli_cpus: Option<u64>,
}

/// Numeric user and group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ids {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// Properties of `/tmp` at a facility.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Tmp {
    /// Size in bytes of the tmpfs mounted there; by default the engine decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Programs cannot be executed from it.
    pub noexec: bool,
}

/// A host directory mounted inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mount {
    /// Absolute path on the host.
    pub source: String,
    /// Absolute path inside.
    pub target: String,
    /// Whether it is writable.
    #[serde(default)]
    pub writable: bool,
}
