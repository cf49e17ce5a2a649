//! What is wrong in a `carnet.toml`, and where.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use crate::error::{Failure, Kind};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Byte range in the text.
    pub span: Range<usize>,
    /// What is wrong: a lowercase fragment.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// Everything that is wrong in one file.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// Its text; empty when it couldn't be read.
    pub text: String,
    /// The problems by place; empty when it couldn't be read.
    pub problems: Vec<Problem>,
    unreadable: Option<String>,
}

/// The known name that is nearest to this one, when it is near enough to have been meant.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distances = known.iter().map(|known| (strsim::damerau_levenshtein(known, name), *known));
    let near = distances.filter(|(distance, known)| *distance <= known.len().max(name.len()) / 3 + 1).min();
    near.map(|(_, known)| known)
}

impl ConfigError {
    /// Problems that show only when the configuration meets what it is used with, such as a facility that isn't in the
    /// catalogue. `text` is what was parsed.
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

    /// Points at the first byte that is no UTF-8; the text before it is shown, the rest replaced.
    pub(super) fn not_text(file: &Path, error: FromUtf8Error) -> Self {
        let at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let problem = Problem {
            span: at..at + '\u{fffd}'.len_utf8(),
            message: "this byte is no UTF-8".to_owned(),
            help: Some("save the file as UTF-8".to_owned()),
        };
        Self::new(file, &text, vec![problem])
    }

    /// Line and column, both from 1, of a byte of the text; the column counts characters.
    pub fn place(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        if let Some(reason) = &self.unreadable {
            return write!(f, "can't read {file}: {reason}");
        }
        for (n, problem) in self.problems.iter().enumerate() {
            let (line, column) = self.place(problem.span.start);
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
