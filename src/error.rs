//! Errors: each module has its own error type; all have a kind, which determines the exit code, and an optional hint.

use std::error::Error as StdError;
use std::fmt;

use crate::exit;

/// The kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line or the configuration is invalid.
    Usage,
    /// There is nothing to check.
    Nothing,
    /// An infrastructure error: no engine, an unavailable image, a full disk.
    Infrastructure,
    /// The run was interrupted.
    Interrupted,
    /// A bug in carnet.
    Bug,
}

impl Kind {
    /// Returns the exit code for this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => exit::USAGE,
            Self::Nothing => exit::NOTHING_TO_CHECK,
            Self::Infrastructure => exit::INFRASTRUCTURE,
            Self::Interrupted => exit::INTERRUPTED,
            Self::Bug => exit::BUG,
        }
    }
}

/// An error with a kind and an optional hint.
///
/// The message is a lowercase fragment that follows `error:` and states what happened and where.
pub trait Failure: StdError + Send + Sync + 'static {
    /// Returns the kind.
    fn kind(&self) -> Kind;

    /// Returns how to fix it: a lowercase fragment that follows `help:`.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Any error, to be reported to the user.
#[derive(Debug)]
pub struct Error(Box<dyn Failure>);

impl Error {
    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        self.0.kind()
    }

    /// Returns how to fix it.
    pub fn hint(&self) -> Option<String> {
        self.0.hint()
    }

    /// Returns the message and those of its causes, joined by colons; repeated messages are omitted.
    pub fn message(&self) -> String {
        let failure: &dyn StdError = &*self.0;
        chain(failure)
    }
}

/// Returns the messages of an error and its causes, joined by colons.
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
