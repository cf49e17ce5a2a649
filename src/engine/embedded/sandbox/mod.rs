//! The helper processes of a run.

mod inner;
mod outer;
mod root;
mod system;

use std::process::ExitCode;

use super::protocol::{SandboxReport, SandboxRequest};
use crate::engine::launcher;
use crate::sys::helper;

/// Role of the helper process.
pub(super) const ROLE: &str = "sandbox";
/// Argument after the role of a helper that only tries to create namespaces.
pub(super) const PROBE: &str = "probe";
const INNER: &str = "inner";
const INNER_PROBE: &str = "inner-probe";

/// A step that failed.
struct StepError {
    doing: String,
    reason: String,
}

type Step<T> = Result<T, StepError>;

/// Adds the step to an error.
fn step<E: ToString>(doing: &str) -> impl FnOnce(E) -> StepError {
    let doing = doing.to_owned();
    move |error| StepError { doing, reason: error.to_string() }
}

/// Runs a process of a sandbox if this process was started as one.
pub fn run_if_requested() -> Option<ExitCode> {
    let part = helper::arguments(ROLE)?.next().unwrap_or_default();
    let prepare = |request: &SandboxRequest| {
        inner::prepare_launcher(request).map_err(|StepError { doing, reason }| format!("{doing}: {reason}"))
    };
    if let Some(code) = launcher::run_if_requested(ROLE, &part, prepare) {
        return Some(code);
    }
    let read_request = || helper::read_request().map_err(step("reading the request"));
    let result = match part.to_str() {
        Some(PROBE) => outer::probe(),
        Some(INNER_PROBE) => inner::probe(),
        Some(INNER) => read_request().and_then(|request| inner::run(&request)),
        _ => outer::hide_inherited().and_then(|()| read_request()).and_then(|request| outer::run(&request)),
    };
    Some(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(StepError { doing, reason }) => {
            helper::write_report(&SandboxReport::Failed { doing, reason });
            ExitCode::FAILURE
        }
    })
}
