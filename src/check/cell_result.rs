//! Reads the result that a cell returns.

use super::redact::Secrets;
use crate::engine::job::Completed;
use crate::exit;
use crate::model::cell::{self, CellResult, End, RESULT_START};
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
/// Test programs may reach the result where it is not protected, so it is untrusted: every text from it is redacted, and texts
/// in errors are truncated.
///
/// # Errors
/// If the result is missing or invalid, or belongs to another cell.
pub(super) fn read(completed: &Completed, name: &str, secrets: &Secrets) -> Result<CellResult, CellResultError> {
    let bytes = returned(completed).ok_or_else(|| missing(completed, secrets))?;
    let result = parse(bytes, secrets).map_err(|error| CellResultError::Invalid(one_line(&error.to_string(), 300)))?;
    if result.schema != cell::SCHEMA || result.cell != name {
        return Err(CellResultError::OtherCell(one_line(&result.cell, 100)));
    }
    Ok(result)
}

/// Returns the document that the cell wrote before it exited by itself. What a killed process wrote does not count: tests
/// may have killed it to write their own result.
fn returned(completed: &Completed) -> Option<&[u8]> {
    let code = completed.exit_code.and_then(|code| u8::try_from(code).ok())?;
    let bytes = completed.result.as_deref().filter(|_| matches!(code, exit::GOOD | exit::ANALYSIS))?;
    // The entrypoint of the image may print other text before it.
    let start = format!("\n{RESULT_START}\n");
    let at = memchr::memmem::rfind(bytes, start.as_bytes())?;
    Some(&bytes[at + start.len()..])
}

fn parse(bytes: &[u8], secrets: &Secrets) -> serde_json::Result<CellResult> {
    if secrets.is_empty() {
        return serde_json::from_slice(bytes);
    }
    let mut value = serde_json::from_slice(bytes)?;
    secrets.redact_json(&mut value);
    serde_json::from_value(value)
}

fn missing(completed: &Completed, secrets: &Secrets) -> CellResultError {
    let mut output = completed.output.text.clone();
    secrets.redact(&mut output);
    let last = output.lines().rfind(|line| !line.trim().is_empty());
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
        End::Signal { .. } => Some("check for a test that kills its parent or every process (`kill -9 -1`)"),
        End::OutOfMemory {} => Some("increase the facility's `memory`, or reduce the memory that the tests use"),
        End::Timeout { .. } => {
            Some("check for a test that stops its parent (`kill -STOP`), or a file system that does not respond")
        }
        End::Exit { .. } | End::NotStarted { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::returned;
    use crate::engine::job::Completed;
    use crate::model::cell::{Captured, End};

    fn returns(exit_code: Option<i32>, result: &str) -> Option<String> {
        let completed = Completed {
            end: exit_code.map_or(End::Signal { signal: 9 }, |code| End::Exit { code }),
            exit_code,
            output: Captured { text: String::new(), dropped: 0 },
            result: Some(result.into()),
            not_enforced: Vec::new(),
            saved_state: None,
        };
        returned(&completed).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    #[test]
    fn only_a_cell_that_exits_by_itself_returns_a_result() {
        let result = "\ncarnet-result:\n{}";
        assert_eq!(returns(Some(0), result).as_deref(), Some("{}"));
        assert_eq!(returns(Some(1), result).as_deref(), Some("{}"));
        for code in [None, Some(4), Some(137), Some(-1), Some(256)] {
            assert_eq!(returns(code, result), None, "{code:?}");
        }
    }

    #[test]
    fn output_of_the_entrypoint_is_not_part_of_the_result() {
        assert_eq!(returns(Some(0), "welcome\ncarnet-result:\nx\n\ncarnet-result:\n{}").as_deref(), Some("{}"));
        assert_eq!(returns(Some(0), "{}"), None);
    }
}
