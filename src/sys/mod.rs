//! The operating system: environment variables, the clock, files, locks and the cache directory.

pub mod cache;
pub mod clock;
pub mod environment;
pub mod lock;
pub mod remove;
pub mod rooted;
