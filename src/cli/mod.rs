//! Commands: parse, call, print; no logic.

use std::process::ExitCode;

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    if let Some(code) = crate::engine::host::supervisor::run_if_asked() {
        return code;
    }
    if let Some(code) = crate::engine::embedded::sandbox::run_if_asked() {
        return code;
    }
    ExitCode::from(crate::exit::USAGE)
}
