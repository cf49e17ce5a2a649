//! Reads the result that a cell returns.

use crate::engine::job::Completed;
use crate::exit;
use crate::model::cell::{self, CellResult, End, RESULT_START};
use crate::model::limit::{self, LimitError, ReadError};
use crate::model::text::one_line;

/// Maximum size of a cell's result in bytes.
pub(super) const MAX_RESULT_BYTES: u64 = limit::RESULT.bytes;

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
    /// The result exceeds a limit.
    #[error("the cell's result exceeds a limit: {0}")]
    Limit(#[from] LimitError),
    /// The result is not valid JSON of the expected form.
    #[error("failed to parse the cell's result: {0}")]
    Invalid(String),
    /// The result has another format or belongs to another cell.
    #[error("the cell returned the result of another cell, `{0}`")]
    OtherCell(String),
}

/// Reads the result of the cell `name`.
///
/// Test programs may reach the result where it is not protected, so it is untrusted: texts in errors are truncated. The caller
/// redacts every text.
///
/// # Errors
/// If the result is missing or invalid, or belongs to another cell.
pub(super) fn read(completed: &Completed, name: &str) -> Result<CellResult, CellResultError> {
    let bytes = returned(completed).ok_or_else(|| missing(completed))?;
    let result: CellResult = limit::read(bytes, &limit::RESULT).map_err(|error| match error {
        ReadError::Limit(error) => CellResultError::Limit(error),
        ReadError::Json(error) => CellResultError::Invalid(one_line(&error.to_string(), 300)),
    })?;
    result.check_limits()?;
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

#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing {
    use super::{RESULT_START, read};
    use crate::check::cell_status::{apply_result, not_run};
    use crate::check::plan::this_machine;
    use crate::engine::job::Completed;
    use crate::model::cell::{Captured, End, Step};
    use crate::model::limit;
    use crate::model::redact::{Redact as _, Redactor, Variable};

    const SECRET: &str = "hunter2hunter2";

    /// Reads bytes as the result of a cell. A valid result is within the limits, can be written and read again, and its
    /// texts contain no secret.
    ///
    /// # Panics
    /// If one of these conditions is false.
    pub fn cell_result(data: &[u8]) {
        let completed = Completed {
            end: End::Exit { code: 0 },
            exit_code: Some(0),
            output: Captured { text: String::new(), dropped: 0 },
            result: Some([format!("\n{RESULT_START}\n").as_bytes(), data].concat()),
            exceeded: None,
            not_enforced: Vec::new(),
            saved_state: None,
        };
        let Ok(result) = read(&completed, "laptop/worker") else { return };
        result.check_limits().expect("within the limits");
        let mut environment = result.environment.clone();
        let mut cell = not_run(&this_machine(), "");
        apply_result(&mut cell, result);

        let redactor = Redactor::new(&Variable::secret("TOKEN", SECRET, &|_| false));
        environment.redact(&redactor);
        cell.redact(&redactor);
        for step in &cell.steps {
            let cases = step.cases.iter().flat_map(|case| [&case.name, &case.class, &case.message]);
            let outputs = step.cases.iter().map(|case| &case.output).chain([&step.output]).flatten();
            let mut texts = [&step.name, &step.run].into_iter().chain(cases).chain(outputs.map(|output| &output.text));
            assert!(texts.all(|text| !text.contains(SECRET)), "the secret is masked");
        }
        let text = serde_json::to_string(&cell.steps).expect("JSON");
        let again: Vec<Step> = limit::read(text.as_bytes(), &limit::DOCUMENT).expect("readable");
        assert_eq!(again, cell.steps);
    }
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
    use proptest::prelude::{any, prop, proptest};

    use super::{read, returned};
    use crate::engine::job::Completed;
    use crate::model::cell::{Captured, End};
    use crate::model::limit::MAX_CASES;

    const CASE: &str = r#"{"name":"","class":"","outcome":"passed","timing":{"seconds":0}}"#;

    fn completed(exit_code: Option<i32>, result: &[u8]) -> Completed {
        Completed {
            end: exit_code.map_or(End::Signal { signal: 9 }, |code| End::Exit { code }),
            exit_code,
            output: Captured { text: String::new(), dropped: 0 },
            result: Some(result.to_vec()),
            exceeded: None,
            not_enforced: Vec::new(),
            saved_state: None,
        }
    }

    fn returns(exit_code: Option<i32>, result: &str) -> Option<String> {
        let completed = completed(exit_code, result.as_bytes());
        returned(&completed).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Reads a result and returns its number of cases, or the error.
    fn cases(result: Vec<u8>) -> Result<usize, String> {
        let completed = completed(Some(0), &[b"\ncarnet-result:\n", &result[..]].concat());
        let result = read(&completed, "site").map_err(|error| error.to_string())?;
        Ok(result.steps.iter().map(|step| step.cases.len()).sum())
    }

    /// Returns a result with these cases, and with further keys.
    fn result(cases: &str, more: &str) -> Vec<u8> {
        format!(
            r#"{{"schema":"carnet/cell@1","version":"","cell":"site","timing":{{}},{more}
            "steps":[{{"name":"t","run":"t","end":{{"exit":{{"code":0}}}},"attempts":1,"timing":{{"seconds":0}},"cases":[{cases}]}}]}}"#
        )
        .into_bytes()
    }

    fn list(item: &str, number: usize) -> String {
        vec![item; number].join(",")
    }

    #[test]
    fn result_that_exceeds_a_limit_is_an_error_that_names_the_limit() {
        let error = |result: Vec<u8>| cases(result).expect_err("a limit");
        let prefix = "the cell's result exceeds a limit: ";
        let limit = |result: Vec<u8>| error(result).strip_prefix(prefix).expect("a limit").to_owned();
        assert_eq!(limit(result(&list(CASE, MAX_CASES + 1), "")), "more than 100000 test cases");
        let step = r#"{"name":"","run":"","end":{"exit":{"code":0}},"attempts":1,"timing":{"seconds":0},"cases":[]}"#;
        let steps = format!(
            r#"{{"schema":"carnet/cell@1","version":"","cell":"site","timing":{{}},"steps":[{}]}}"#,
            list(step, 10_001)
        );
        assert_eq!(limit(steps.into_bytes()), "more than 10000 commands");
        let file = r#"{"path":"","digest":{"unknown":""}}"#;
        assert_eq!(limit(result("", &format!(r#""inputs":[{}],"#, list(file, 10_002)))), "more than 10000 input files");
        assert_eq!(
            limit(result("", &format!(r#""not_enforced":[{}],"#, list(r#""""#, 1001)))),
            "more than 1000 notes about the contract"
        );
        assert_eq!(
            limit(result("", &format!(r#""x":[{}],"#, list(r#"{"":{"":0}}"#, 1_000_000)))),
            "more than 4000000 JSON tokens"
        );
        assert_eq!(limit(result("", &format!(r#""x":"{}","#, "x".repeat(2 << 20)))), "a string of more than 1024 KiB");
        assert_eq!(
            limit(result("", &format!(r#""x":{}1{},"#, "[".repeat(40), "]".repeat(40)))),
            "more than 32 nested lists and objects"
        );
        assert_eq!(limit(vec![b' '; (96 << 20) + 1]), "larger than 96 MiB");
        assert_eq!(cases(result(&list(CASE, MAX_CASES), "")), Ok(MAX_CASES));
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

    proptest! {
        #[test]
        fn damaged_result_is_never_read_as_more_cases(
            number in 0_usize..4, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            end in any::<prop::sample::Index>()
        ) {
            let mut bytes = result(&list(CASE, number), "");
            for (index, byte) in changes {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(end.index(bytes.len() + 1));
            let found = cases(bytes);
            assert!(found.is_err() || found <= Ok(number));
        }
    }
}
