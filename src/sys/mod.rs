//! The operating system: environment variables, the clock, files, locks, namespaces, mounts, helper processes and the
//! cache directory.

pub mod bounded;
pub mod cache;
pub mod capability;
pub mod channel;
pub mod clock;
pub mod descriptor;
pub mod environment;
pub mod file;
pub mod helper;
pub mod keyring;
pub mod lock;
pub mod mount;
pub mod namespace;
mod raw;
pub mod remove;
pub mod rooted;
pub mod seccomp;
pub mod secret;
pub mod sweep;
