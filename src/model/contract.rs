//! What a facility imposes beyond its image.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The runtime contract of a facility in one of its roles.
///
/// Every field has the meaning "as the image and the engine have it" when absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Contract {
    /// Numeric user and group that processes get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Ids>,
    /// Value of `HOME`; made as an empty writable directory when the image lacks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// The root file system is read-only (`/tmp` and the throw-away copy of the analysis stay writable).
    pub read_only: bool,
    /// What `/tmp` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmp: Option<Tmp>,
    /// Directory the tests start in; by default the throw-away copy of the analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// Variables set for every process, over those of the image. In a document the values of those that aren't on the
    /// allow list are `[redacted]`.
    pub env: BTreeMap<String, String>,
    /// Names of variables passed on from carnet's own environment when they are set there.
    pub pass_env: Vec<String>,
    /// The image's entrypoint is run, with the cell as its arguments. Many batch systems never run it.
    pub entrypoint: bool,
    /// Shell lines run before each command, in the same shell: `source /opt/conda/bin/activate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prelude: Option<String>,
    /// Directories of this machine seen inside.
    pub mounts: Vec<Mount>,
    /// Memory limit in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Limit on the number of processes and threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<u64>,
    /// Processors, as a fraction: 1.5 is one and a half. Thousandths of a processor.
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

/// What `/tmp` is at a facility.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Tmp {
    /// Size in bytes of a tmpfs mounted there; by default the engine's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Programs can't be started from it.
    pub noexec: bool,
}

/// A directory of this machine that the facility shows inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mount {
    /// Absolute path on this machine.
    pub source: String,
    /// Absolute path inside.
    pub target: String,
    /// Whether it can be written to.
    #[serde(default)]
    pub writable: bool,
}
