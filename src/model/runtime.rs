//! How a process runs in a place.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known::Known;

/// The part of the runtime that the facility's contract decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Runtime {
    /// Effective user id.
    pub uid: Known<u32>,
    /// Effective group id.
    pub gid: Known<u32>,
    /// Name of the user id in `/etc/passwd`; none when it has no entry, which breaks `getpass` and `~`.
    pub user: Known<Option<String>>,
    /// `HOME`.
    pub home: Directory,
    /// The root directory.
    pub root: Directory,
    /// `/tmp`.
    pub tmp: Directory,
    /// File mode creation mask, four octal digits: `0022`.
    pub umask: Known<String>,
    /// Places where sites keep software and data (`/cvmfs`, `/eos`, `/afs`, …), by path.
    pub site_paths: BTreeMap<String, SitePath>,
}

/// A directory that programs count on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Directory {
    /// Its path; empty when no variable names it.
    pub path: String,
    /// Whether it exists.
    pub exists: bool,
    /// Whether this user can write to it.
    pub writable: Known<bool>,
    /// Whether programs can't be started from it.
    pub noexec: Known<bool>,
}

/// What stands at a path that sites use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SitePath {
    /// A mount.
    Mount,
    /// A directory with entries that is no mount.
    Directory,
    /// An empty directory: a mount point where nothing is mounted.
    Empty,
    /// Something that this user may not look into.
    Denied,
    /// Nothing.
    Absent,
}

/// What the engine and the machine impose; not the facility's, so it isn't hashed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Imposed {
    /// Kernel release, as `uname -r`.
    pub kernel: Known<String>,
    /// x86-64 microarchitecture level of the processor, 1 to 4; none on other architectures.
    pub x86_64_level: Option<u8>,
    /// Processors this process may run on.
    pub cpus: Known<u64>,
    /// Soft resource limits by name (`nofile`, `nproc`, `stack`, `core`, `as`, …); `unlimited` or a number.
    pub limits: BTreeMap<String, String>,
    /// Control-group limits.
    pub cgroup: Cgroup,
    /// Bytes of the file system that holds `/tmp`.
    pub tmp_size: Known<u64>,
}

/// Limits of the control group this process is in; none when there is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Cgroup {
    /// Bytes of memory.
    pub memory: Known<Option<u64>>,
    /// Number of processes.
    pub pids: Known<Option<u64>>,
    /// Thousandths of a processor.
    pub milli_cpus: Known<Option<u64>>,
}
