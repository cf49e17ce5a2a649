//! The GitHub Action: its installer, its step, and the workflows of the documentation as `act` runs them.

mod act;
mod document;
mod env;
mod install;
mod lint;
mod step;
