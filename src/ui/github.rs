//! What a step of GitHub Actions leaves behind: outputs, its part of the run's summary, and a log that issues no commands.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::print;
use crate::error::{Failure, Kind};

/// Bytes that the summary of a step may have; a larger one is refused as a whole, at 1 MiB.
/// Source: "Workflow commands", section "Step isolation and limits", of GitHub's documentation, read 2026-11-22.
const SUMMARY: usize = 1_000_000;

/// Something that the runner should have got and didn't.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A file of the runner can't be written.
    #[error("writing {} failed", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Standard output can't be written.
    #[error("writing the log failed")]
    Log(#[source] io::Error),
    /// There is no randomness for a delimiter that nobody can guess.
    #[error("reading /dev/urandom failed")]
    Random(#[source] io::Error),
}

impl Failure for StepError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }
}

/// The files that the runner reads when the step ends; none outside of a runner, where nothing is left behind.
#[derive(Debug, Clone, Default)]
pub struct Step {
    output: Option<PathBuf>,
    summary: Option<PathBuf>,
}

impl Step {
    /// As `GITHUB_OUTPUT` and `GITHUB_STEP_SUMMARY` name them.
    pub fn from_env() -> Self {
        let named = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        Self { output: named("GITHUB_OUTPUT"), summary: named("GITHUB_STEP_SUMMARY") }
    }

    /// Sets an output. A value of several lines can't end its own block.
    ///
    /// # Errors
    /// When the runner's file can't be written.
    pub fn set(&self, name: &str, value: &str) -> Result<(), StepError> {
        let Some(path) = &self.output else { return Ok(()) };
        append(path, &assignment(name, value, &secret()?))
    }

    /// Bytes that the summary of this step has room for.
    pub fn room(&self) -> usize {
        let there = self.summary.as_ref().and_then(|path| path.metadata().ok()).map_or(0, |data| data.len());
        SUMMARY.saturating_sub(usize::try_from(there).unwrap_or(usize::MAX))
    }

    /// Adds Markdown to the summary. It must fit into [`Step::room`].
    ///
    /// # Errors
    /// When the runner's file can't be written.
    pub fn summarise(&self, markdown: &str) -> Result<(), StepError> {
        self.summary.as_ref().map_or(Ok(()), |path| append(path, markdown))
    }
}

/// What stands in the runner's file for one output. A stray line in there costs all outputs of the step, so every value
/// that is more than one plain line gets a block with a delimiter that nobody knows.
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

/// A word that no repository can know beforehand.
fn secret() -> Result<String, StepError> {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).map_err(StepError::Random)?;
    Ok(format!("carnet-{}", hex::encode(bytes)))
}

/// While it lives, the runner takes nothing in the log for a command: what is printed comes from tests and repositories.
#[derive(Debug)]
pub struct Quoted {
    token: String,
}

impl Quoted {
    /// Begins.
    ///
    /// # Errors
    /// When the log can't be written.
    pub fn begin() -> Result<Self, StepError> {
        let token = secret()?;
        print(&format!("::stop-commands::{token}\n")).map_err(StepError::Log)?;
        Ok(Self { token })
    }
}

impl Drop for Quoted {
    fn drop(&mut self) {
        // Whoever can't read the end could not read the rest.
        let _ = print(&format!("::{}::\n", self.token));
    }
}

#[cfg(test)]
mod tests {
    use super::{Step, assignment, secret};

    #[test]
    fn a_value_can_not_set_another_output() {
        assert_eq!(assignment("status", "passed", "d"), "status=passed\n");
        assert_eq!(assignment("a", "x\nstatus=passed", "d"), "a<<d\nx\nstatus=passed\nd\n");
        assert_eq!(assignment("a", "x\rstatus=passed", "d"), "a<<d\nx\rstatus=passed\nd\n");
    }

    #[test]
    fn delimiters_differ() {
        let (a, b) = (secret().unwrap(), secret().unwrap());
        assert!(a != b && a.len() == 39, "{a} {b}");
    }

    #[test]
    fn outside_of_a_runner_nothing_is_written() {
        let step = Step::default();
        step.set("a", "b").unwrap();
        step.summarise("x").unwrap();
        assert!(step.room() > 900_000);
    }

    #[test]
    fn what_earlier_steps_wrote_stays_and_takes_room() {
        let dir = tempfile::tempdir().unwrap();
        let (output, summary) = (dir.path().join("output"), dir.path().join("summary"));
        std::fs::write(&summary, "before\n").unwrap();
        let step = Step { output: Some(output.clone()), summary: Some(summary.clone()) };
        let room = step.room();
        step.summarise("after\n").unwrap();
        step.set("count", "3").unwrap();
        step.set("status", "failed").unwrap();
        assert_eq!(room - step.room(), "after\n".len());
        assert_eq!(std::fs::read_to_string(summary).unwrap(), "before\nafter\n");
        assert_eq!(std::fs::read_to_string(output).unwrap(), "count=3\nstatus=failed\n");
    }
}
