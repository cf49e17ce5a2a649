//! The operating system: environment variables, the clock, files, locks, namespaces, mounts, helper processes and the
//! cache directory.

pub mod cache;
pub mod capability;
pub mod clock;
pub mod descriptor;
pub mod environment;
pub mod helper;
pub mod lock;
pub mod mount;
pub mod namespace;
mod raw;
pub mod remove;
pub mod rooted;
pub mod secret;
