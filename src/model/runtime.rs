//! Runtime properties of a process.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known::Known;

/// The runtime properties that the contract of a facility defines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Runtime {
    /// Effective user id.
    pub uid: Known<u32>,
    /// Effective group id.
    pub gid: Known<u32>,
    /// Name of the user in `/etc/passwd`; `null` if there is no entry, which breaks `getpass` and `~`.
    pub user: Known<Option<String>>,
    /// `HOME`.
    pub home: Directory,
    /// The root directory.
    pub root: Directory,
    /// `/tmp`.
    pub tmp: Directory,
    /// File mode creation mask, four octal digits: `0022`.
    pub umask: Known<String>,
    /// Directories where sites store software and data (`/cvmfs`, `/eos`, `/afs`, …), by path.
    pub site_paths: BTreeMap<String, SitePath>,
}

/// A directory that programs rely on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Directory {
    /// Path; empty if the variable is not set.
    pub path: String,
    /// Whether it exists.
    pub exists: bool,
    /// Whether this user can write to it.
    pub writable: Known<bool>,
    /// Whether programs cannot be executed from it.
    pub noexec: Known<bool>,
}

/// State of a site directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SitePath {
    /// A mount.
    Mount,
    /// A non-empty directory that is not a mount point.
    Directory,
    /// An empty directory.
    Empty,
    /// Not readable by this user.
    Denied,
    /// Does not exist.
    Absent,
}

/// Properties of the engine and the machine, which are not part of the digest of the environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Imposed {
    /// Kernel release (`uname -r`).
    pub kernel: Known<String>,
    /// x86-64 microarchitecture level of the processor, 1 to 4; `null` on other architectures.
    pub x86_64_level: Option<u8>,
    /// Number of processors available to this process.
    pub cpus: Known<u64>,
    /// Soft resource limits by name (`nofile`, `nproc`, `stack`, `core`, `as`, …); `unlimited` or a number.
    pub limits: BTreeMap<String, String>,
    /// Control-group limits.
    pub cgroup: Cgroup,
    /// Size in bytes of the file system that contains `/tmp`.
    pub tmp_size: Known<u64>,
    /// Whether a filter denies system calls: `filtered`, `not filtered`, or `strict` (seccomp(2)). Missing in documents of
    /// version 0.1.0 and if the kernel does not report it. The engine `embedded` uses the filter in docs/security.md.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_calls: Option<String>,
}

/// Limits of the control group of this process; `null` if there is no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Cgroup {
    /// Memory in bytes.
    pub memory: Known<Option<u64>>,
    /// Number of processes.
    pub pids: Known<Option<u64>>,
    /// CPU in thousandths of a processor.
    pub milli_cpus: Known<Option<u64>>,
}
