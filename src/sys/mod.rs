//! The operating system: files, locks, the cache directory.

pub mod cache;
pub mod lock;
pub mod remove;
pub mod rooted;
