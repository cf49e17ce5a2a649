//! The pre-push hook. It reads the pushed commits from git's objects, not from the working tree, and runs no tests.

pub mod hooks_dir;
pub mod install;
pub mod manager;
pub mod scan;
pub mod script;
