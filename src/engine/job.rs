//! One program to run, and what came of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::cell::{Captured, End};
use crate::model::contract::Contract;

/// One program to run inside an image.
#[derive(Debug, Clone)]
pub struct Job {
    /// Unique among all runs on this machine, of `[a-z0-9-]`: names the container, so that what is left of a killed run is found.
    pub id: String,
    /// The program and its arguments, paths as seen inside.
    pub argv: Vec<String>,
    /// Directory of this machine seen read-only at [`super::INPUT`]. The contract's user has to be able to read it: an
    /// engine changes no mode in it.
    pub input: PathBuf,
    /// File inside to bring back; it lies under the writable directory of [`super::Engine::layout`].
    pub result: Option<String>,
    /// Bytes the result may have at most; a larger one is a failure of the run, not a truncated file.
    pub result_cap: u64,
    /// The facility's contract.
    pub contract: Contract,
    /// Variables of this run on top of the image's and the contract's (`pass_env` is resolved by the caller into these).
    pub env: BTreeMap<String, String>,
    /// Whether there is a network.
    pub network: bool,
    /// Wall time after which everything in it is killed.
    pub timeout: Duration,
    /// Bytes kept of its output, half from the start and half from the end.
    pub output_cap: usize,
    /// Keep the file system as it is after a successful end, under this key of `[a-z0-9]`, for later runs.
    pub keep: Option<String>,
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Completed {
    /// How the program ended.
    pub end: End,
    /// Standard output and error together, as far as the order can be known.
    pub output: Captured,
    /// The file brought back; none when the program didn't write it.
    pub result: Option<Vec<u8>>,
    /// Parts of the contract that could not be enforced, each one of [`part`] with the reason:
    /// `process limit: no pids control group here`.
    pub not_enforced: Vec<String>,
    /// The kept state, when that was asked for and the program ended well.
    pub kept: Option<super::Opened>,
}

/// Words for the parts of a contract, as [`Completed::not_enforced`] has them before the colon.
pub mod part {
    /// [`Job::input`](super::Job::input) can't be written to.
    pub const INPUT: &str = "read-only input";
    /// [`Job::network`](super::Job::network) is false.
    pub const NETWORK: &str = "network";
    /// [`Job::keep`](super::Job::keep).
    pub const KEPT: &str = "kept state";
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
    /// The contract's `pids`.
    pub const PIDS: &str = "process limit";
    /// The contract's `milli_cpus`.
    pub const CPUS: &str = "processor limit";
}
