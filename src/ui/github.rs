//! Outputs, summary and log of a GitHub Actions step.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::print_exact;
use crate::error::{Failure, Kind};
use crate::sys::environment;

/// Maximum size of a step summary in bytes. GitHub rejects summaries over 1 MiB.
/// Source: "Workflow commands", section "Step isolation and limits", of GitHub's documentation, read 2026-11-22.
const MAX_SUMMARY_BYTES: usize = 1_000_000;

/// An error while writing the files or the log of the runner.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A file of the runner can't be written.
    #[error("failed to write `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Standard output can't be written.
    #[error("failed to write the log")]
    Log(#[source] io::Error),
    /// Random bytes for a delimiter can't be read.
    #[error("failed to read /dev/urandom")]
    Random(#[source] io::Error),
}

impl Failure for StepError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }
}

/// The files that the runner reads after the step. Outside a runner there are none, and nothing is written.
#[derive(Debug, Clone, Default)]
pub struct Step {
    output: Option<PathBuf>,
    summary: Option<PathBuf>,
}

impl Step {
    /// Reads the paths from `GITHUB_OUTPUT` and `GITHUB_STEP_SUMMARY`.
    pub fn from_env() -> Self {
        let path = |name| environment::non_empty_os(name).map(PathBuf::from);
        Self { output: path("GITHUB_OUTPUT"), summary: path("GITHUB_STEP_SUMMARY") }
    }

    /// Sets an output. A random delimiter prevents values with several lines from setting other outputs.
    ///
    /// # Errors
    /// If the runner's file can't be written.
    pub fn set_output(&self, name: &str, value: &str) -> Result<(), StepError> {
        let Some(path) = &self.output else { return Ok(()) };
        append(path, &assignment(name, value, &random_token()?))
    }

    /// Returns the number of bytes that can be added to the summary.
    pub fn summary_capacity(&self) -> usize {
        let used = self.summary.as_ref().and_then(|path| path.metadata().ok()).map_or(0, |data| data.len());
        MAX_SUMMARY_BYTES.saturating_sub(usize::try_from(used).unwrap_or(usize::MAX))
    }

    /// Adds Markdown to the summary, at most [`Step::summary_capacity`] bytes.
    ///
    /// # Errors
    /// If the runner's file can't be written.
    pub fn add_summary(&self, markdown: &str) -> Result<(), StepError> {
        self.summary.as_ref().map_or(Ok(()), |path| append(path, markdown))
    }
}

/// Returns the entry of one output. An invalid line would discard all outputs of the step, so a value with several lines
/// is enclosed in a random delimiter.
fn assignment(name: &str, value: &str, delimiter: &str) -> String {
    match value.contains(['\n', '\r']) {
        true => format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"),
        false => format!("{name}={value}\n"),
    }
}

fn append(path: &Path, text: &str) -> Result<(), StepError> {
    let written =
        OpenOptions::new().append(true).create(true).open(path).and_then(|mut f| f.write_all(text.as_bytes()));
    written.map_err(|source| StepError::File { path: path.to_owned(), source })
}

/// Returns a random word that the content of a repository can't predict.
fn random_token() -> Result<String, StepError> {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).map_err(StepError::Random)?;
    Ok(format!("carnet-{}", hex::encode(bytes)))
}

/// A section of the log in which the runner ignores workflow commands, for output of tests and repositories. Ends on drop.
#[derive(Debug)]
pub struct UntrustedLog {
    token: String,
}

impl UntrustedLog {
    /// Begins the section.
    ///
    /// # Errors
    /// If the log can't be written.
    pub fn begin() -> Result<Self, StepError> {
        let token = random_token()?;
        print_exact(&format!("::stop-commands::{token}\n")).map_err(StepError::Log)?;
        Ok(Self { token })
    }
}

impl Drop for UntrustedLog {
    fn drop(&mut self) {
        // A failure also affects all other output, where it is reported.
        let _ = print_exact(&format!("::{}::\n", self.token));
    }
}

#[cfg(test)]
mod tests {
    use super::{Step, assignment, random_token};

    #[test]
    fn output_value_does_not_set_another_output() {
        assert_eq!(assignment("status", "passed", "d"), "status=passed\n");
        assert_eq!(assignment("a", "x\nstatus=passed", "d"), "a<<d\nx\nstatus=passed\nd\n");
        assert_eq!(assignment("a", "x\rstatus=passed", "d"), "a<<d\nx\rstatus=passed\nd\n");
    }

    #[test]
    fn delimiters_are_random() {
        let (a, b) = (random_token().unwrap(), random_token().unwrap());
        assert!(a != b && a.len() == 39, "{a} {b}");
    }

    #[test]
    fn nothing_is_written_outside_a_runner() {
        let step = Step::default();
        step.set_output("a", "b").unwrap();
        step.add_summary("x").unwrap();
        assert!(step.summary_capacity() > 900_000);
    }

    #[test]
    fn existing_summary_is_kept_and_counted() {
        let dir = tempfile::tempdir().unwrap();
        let (output, summary) = (dir.path().join("output"), dir.path().join("summary"));
        std::fs::write(&summary, "before\n").unwrap();
        let step = Step { output: Some(output.clone()), summary: Some(summary.clone()) };
        let capacity = step.summary_capacity();
        step.add_summary("after\n").unwrap();
        step.set_output("count", "3").unwrap();
        step.set_output("status", "failed").unwrap();
        assert_eq!(capacity - step.summary_capacity(), "after\n".len());
        assert_eq!(std::fs::read_to_string(summary).unwrap(), "before\nafter\n");
        assert_eq!(std::fs::read_to_string(output).unwrap(), "count=3\nstatus=failed\n");
    }
}
