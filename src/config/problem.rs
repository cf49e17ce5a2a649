//! Errors in a `carnet.toml`, with their positions.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use crate::error::{Failure, Kind};

/// One error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Byte range in the text.
    pub span: Range<usize>,
    /// The error: a lowercase fragment.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
}

/// All errors in one file.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// Its text; empty if it could not be read.
    pub text: String,
    /// The problems, sorted by position; empty if the file could not be read.
    pub problems: Vec<Problem>,
    unreadable: Option<String>,
}

/// A value is invalid. The message is a lowercase fragment with the expected form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct InvalidValue(pub(super) String);

/// Returns the known name that is most similar to `name`, if it is similar enough to suggest it.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distances = known.iter().map(|known| (strsim::damerau_levenshtein(known, name), *known));
    let near = distances.filter(|(distance, known)| *distance <= known.len().max(name.len()) / 3 + 1).min();
    near.map(|(_, known)| known)
}

impl ConfigError {
    /// Creates an error from problems found after parsing, such as an unknown rule. `text` is the parsed text.
    pub fn with(file: &Path, text: &str, problems: Vec<Problem>) -> Self {
        Self::new(file, text, problems)
    }

    pub(super) fn new(file: &Path, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        problems.dedup();
        Self { file: file.to_owned(), text: text.to_owned(), problems, unreadable: None }
    }

    pub(crate) fn unreadable(file: &Path, reason: &str) -> Self {
        Self { file: file.to_owned(), text: String::new(), problems: Vec::new(), unreadable: Some(reason.to_owned()) }
    }

    /// Creates an error at the first byte that is not UTF-8.
    pub(super) fn invalid_utf8(file: &Path, error: FromUtf8Error) -> Self {
        let start = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let problem = Problem {
            span: start..start + '\u{fffd}'.len_utf8(),
            message: "invalid UTF-8".to_owned(),
            help: Some("save the file as UTF-8".to_owned()),
        };
        Self::new(file, &text, vec![problem])
    }

    /// Returns the line and column of a byte offset, both starting at 1; the column counts characters.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        if let Some(reason) = &self.unreadable {
            return write!(f, "failed to read `{file}`: {reason}");
        }
        for (n, problem) in self.problems.iter().enumerate() {
            let (line, column) = self.position(problem.span.start);
            let separator = if n == 0 { "" } else { "\n" };
            write!(f, "{separator}{file}:{line}:{column}: {}", problem.message)?;
        }
        Ok(())
    }
}

impl Failure for ConfigError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}
