//! The GitHub Action: its installer, its step, and the documented workflows.

mod act;
mod document;
mod env;
mod install;
mod lint;
mod step;
