//! Failures: each module has its own error type; what they share is a kind, which decides the exit code, and a hint.

use std::error::Error as StdError;
use std::fmt;

use crate::exit;

/// What a failure means for the one who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line or the configuration is wrong.
    Usage,
    /// There is nothing to check.
    Nothing,
    /// An infrastructure error: no engine, an unavailable image, a full disk.
    Infrastructure,
    /// It was interrupted.
    Interrupted,
    /// A bug of ours.
    Bug,
}

impl Kind {
    /// The exit code of a run that ends so.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => exit::USAGE,
            Self::Nothing => exit::NOTHING,
            Self::Infrastructure => exit::INFRASTRUCTURE,
            Self::Interrupted => exit::INTERRUPTED,
            Self::Bug => exit::BUG,
        }
    }
}

/// A failure that knows its kind and perhaps what to do.
///
/// Its message is a lowercase fragment that follows "error:", saying what happened and where.
pub trait Failure: StdError + Send + Sync + 'static {
    /// What it means for the caller.
    fn kind(&self) -> Kind;

    /// What to do about it: a lowercase fragment that follows "help:".
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Any failure, on its way to the user.
#[derive(Debug)]
pub struct Error(Box<dyn Failure>);

impl Error {
    /// What it means for the caller.
    pub fn kind(&self) -> Kind {
        self.0.kind()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        self.0.hint()
    }

    /// The message with those of its causes, joined by colons; a cause that only repeats the one before is left out.
    pub fn message(&self) -> String {
        let failure: &dyn StdError = &*self.0;
        chain(failure)
    }
}

/// The messages of an error and its causes, joined by colons.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = inner.source();
    }
    text
}

impl<F: Failure> From<F> for Error {
    fn from(failure: F) -> Self {
        Self(Box::new(failure))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}
