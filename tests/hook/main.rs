//! The git hook, on real repositories with real remotes: git starts the installed hook, which starts the real binary.

mod cell;
mod chain;
mod manager;
mod place;
#[path = "../support/program.rs"]
mod program;
mod push;
mod world;
