//! Commands: parse, call, print; no logic.

use std::process::ExitCode;

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    ExitCode::from(crate::exit::USAGE)
}
