//! The GitHub Action: its installer, its step, and the workflows of the documentation as `act` runs them.

mod act;
mod document;
mod install;
mod lint;
#[path = "../support/program.rs"]
mod program;
mod room;
mod step;
