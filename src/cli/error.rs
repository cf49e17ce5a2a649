//! The errors of commands.

use crate::config::ConfigError;
use crate::error::{Error, Failure, Kind};

/// An error of a command.
#[derive(Debug)]
pub(super) enum CommandError {
    /// An invalid configuration, which is printed with its source lines.
    Config(ConfigError),
    /// Any other error.
    Other(Error),
}

impl<F: Failure> From<F> for CommandError {
    fn from(failure: F) -> Self {
        Self::Other(failure.into())
    }
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// The exit code of a command, or its error.
pub(super) type Outcome = Result<u8, CommandError>;

/// The async runtime or a signal handler could not be started.
#[derive(Debug, thiserror::Error)]
#[error("failed to start the runtime")]
pub(super) struct StartError(#[source] pub(super) std::io::Error);

impl Failure for StartError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }
}

/// Standard output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write to standard output")]
pub(super) struct PrintError(#[from] pub(super) std::io::Error);

impl Failure for PrintError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }
}
