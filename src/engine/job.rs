//! One program to run, and its result.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::cell::{Captured, End};
use crate::model::contract::Contract;

/// One program to run inside an image.
#[derive(Debug, Clone)]
pub struct Job {
    /// Unique among the runs on this machine, of `[a-z0-9-]`. It names the container, so that the sweep after a killed run
    /// finds it.
    pub id: String,
    /// The program and its arguments, with paths as the program sees them.
    pub argv: Vec<String>,
    /// Directory of this machine that is read-only at [`super::INPUT`]. The user of the contract must be able to read it,
    /// because an engine does not change modes in it.
    pub input: PathBuf,
    /// If set, standard output of the program is its result, of at most this many bytes, and only standard error is output.
    /// A larger result is an error and is not truncated. If not set, both are output.
    pub result: Option<u64>,
    /// Whether the program gets a launcher (`crate::cell::launcher`) as its standard input, if the engine can create one.
    /// Otherwise standard input is empty.
    pub launcher: bool,
    /// Directories of this machine that a program on this machine must not change.
    pub protected: Vec<PathBuf>,
    /// The contract of the facility.
    pub contract: Contract,
    /// Variables in addition to those of the image and the contract. The caller resolves `pass_env` into these.
    pub env: BTreeMap<String, String>,
    /// Whether the program has a network.
    pub network: bool,
    /// Wall time after which every process of the run is killed.
    pub timeout: Duration,
    /// Maximum number of bytes stored of its output, half from the start and half from the end.
    pub output_cap: usize,
    /// Key of `[a-z0-9]` with which the file system is saved for later runs if the program succeeds.
    pub save_as: Option<String>,
}

/// The result of a run.
#[derive(Debug, Clone)]
pub struct Completed {
    /// How the program ended. It is [`End::OutOfMemory`] also if the program exited with an error after the kernel killed
    /// one of its children because of the memory limit.
    pub end: End,
    /// The exit code of the program, or `None` if it did not exit by itself.
    pub exit_code: Option<i32>,
    /// Its output, in the original order as far as possible.
    pub output: Captured,
    /// The result that [`Job::result`] requested, or `None` if the program wrote nothing.
    pub result: Option<Vec<u8>>,
    /// The limit for which the engine killed the program: [`part::DISK`].
    pub exceeded: Option<&'static str>,
    /// Parts of the contract that are not enforced, each one of [`part`] with the reason:
    /// `process limit: no pids control group here`.
    pub not_enforced: Vec<String>,
    /// The saved state, if [`Job::save_as`] requested it and the program succeeded.
    pub saved_state: Option<super::Opened>,
}

impl Job {
    /// Returns the entry of [`Completed::not_enforced`] if the entrypoint of the image starts the cell. It then has the stream of
    /// the result, and a test or a setup may have changed it.
    pub(super) fn unprotected_result(&self, entrypoint: &[String]) -> Option<String> {
        let is_cell = self.launcher && self.contract.entrypoint && !entrypoint.is_empty();
        is_cell.then(|| format!("{}: the entrypoint of the image starts carnet and can write the result", part::RESULT))
    }
}

/// Names of the parts of a contract, before the colon in [`Completed::not_enforced`].
pub mod part {
    /// The result of a cell comes only from carnet: tests can't reach the carnet process that runs them.
    pub const RESULT: &str = crate::model::cell::RESULT_NOT_PROTECTED;
    /// Programs can't reach the control groups of this machine.
    pub const CGROUPS: &str = "control groups";
    /// Root has no capability of this machine.
    pub const USER_NAMESPACE: &str = "user namespace";
    /// The system calls of [`crate::sys::seccomp`] are denied.
    pub const FILTER: &str = "system call filter";
    /// [`Job::protected`](super::Job::protected).
    pub const PROTECTED: &str = "read-only checkout and cache";
    /// [`Job::input`](super::Job::input) is read-only.
    pub const INPUT: &str = "read-only input";
    /// [`Job::network`](super::Job::network) is false.
    pub const NETWORK: &str = "network";
    /// [`Job::save_as`](super::Job::save_as).
    pub const KEPT: &str = "saved state";
    /// The contract's `user`.
    pub const USER: &str = "user";
    /// The contract's `home`.
    pub const HOME: &str = "home";
    /// The contract's `read_only`.
    pub const ROOT: &str = "read-only root";
    /// The contract's `tmp`.
    pub const TMP: &str = "/tmp";
    /// The contract's `workdir`.
    pub const WORKDIR: &str = "working directory";
    /// The contract's `entrypoint`.
    pub const ENTRYPOINT: &str = "entrypoint";
    /// One of the contract's `mounts`.
    pub const MOUNT: &str = "mount";
    /// The contract's `memory`.
    pub const MEMORY: &str = "memory limit";
    /// The contract's `disk`.
    pub const DISK: &str = "disk limit";
    /// The contract's `pids`.
    pub const PIDS: &str = "process limit";
    /// The contract's `milli_cpus`.
    pub const CPUS: &str = "processor limit";
}
