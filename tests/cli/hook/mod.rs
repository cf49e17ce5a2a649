//! The git hook on real repositories with real remotes: git starts the installed hook, which starts the binary.

mod chain;
mod hooks_dir;
mod push;
