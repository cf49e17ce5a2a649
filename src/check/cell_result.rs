//! Reads the result that a cell returns.

use crate::engine::job::Completed;
use crate::model::cell::{self, CellResult, End};
use crate::model::text::one_line;

/// Maximum size of a cell's result in bytes.
pub(super) const MAX_RESULT_BYTES: u64 = 256 << 20;

/// An error that replaces the result of a cell.
#[derive(Debug, thiserror::Error)]
pub(super) enum CellResultError {
    /// The cell ended without writing a result.
    #[error("the cell returned no result: {end}{output}")]
    Missing {
        /// How the cell's process ended.
        end: String,
        /// The last line of its output, with a separator in front; empty if it printed nothing.
        output: String,
    },
    /// The result is not valid JSON of the expected form.
    #[error("failed to parse the cell's result: {0}")]
    Invalid(String),
    /// The result has another format or belongs to another cell.
    #[error("the cell returned the result of another cell, `{0}`")]
    OtherCell(String),
}

/// Reads the result of the cell `name`.
///
/// Test programs can write to the result, so it is untrusted: texts in errors are truncated. The caller redacts every text.
///
/// # Errors
/// If the result is missing or invalid, or belongs to another cell.
pub(super) fn read(completed: &Completed, name: &str) -> Result<CellResult, CellResultError> {
    let Some(bytes) = &completed.result else { return Err(missing(completed)) };
    let result = serde_json::from_slice::<CellResult>(bytes)
        .map_err(|error| CellResultError::Invalid(one_line(&error.to_string(), 300)))?;
    if result.schema != cell::SCHEMA || result.cell != name {
        return Err(CellResultError::OtherCell(one_line(&result.cell, 100)));
    }
    Ok(result)
}

fn missing(completed: &Completed) -> CellResultError {
    let last = completed.output.text.lines().rfind(|line| !line.trim().is_empty());
    let output = last.map(|line| format!("; last line of output: {}", one_line(line, 300))).unwrap_or_default();
    let end = match &completed.end {
        End::Exit { code } => format!("exit code {code}"),
        End::Signal { signal } => format!("its carnet process was killed by signal {signal}"),
        End::OutOfMemory {} => "its carnet process exceeded the memory limit".to_owned(),
        End::Timeout { seconds } => format!("its carnet process did not end and was killed after {seconds} s"),
        End::NotStarted { reason } => format!("not started: {reason}"),
    };
    CellResultError::Missing { end, output }
}

/// Returns what to do about a cell that returned no result.
pub(super) fn hint(completed: &Completed) -> Option<&'static str> {
    match completed.end {
        _ if completed.result.is_some() => None,
        End::Signal { .. } => Some("check for a test that kills its parent or every process (`kill -9 -1`)"),
        End::OutOfMemory {} => Some("increase the facility's `memory`, or reduce the memory that the tests use"),
        End::Timeout { .. } => {
            Some("check for a test that stops its parent (`kill -STOP`), or a file system that does not respond")
        }
        End::Exit { .. } | End::NotStarted { .. } => None,
    }
}
