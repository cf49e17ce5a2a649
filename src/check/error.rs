//! The errors of a check.

use std::path::PathBuf;

use crate::error::{Failure, Kind};

/// An error that ends a check before any cell runs.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// No cell has the selected name.
    #[error("unknown cell `{}`", name.escape_debug())]
    UnknownCell {
        /// Name that was selected.
        name: String,
        /// Names of the existing cells, separated by commas.
        existing: String,
    },
    /// The configuration declares no tests, and none were detected.
    #[error("no tests found in {}", top.display())]
    NoTests {
        /// Top of the analysis.
        top: PathBuf,
    },
    /// Images can't run the current executable.
    #[error("this build of carnet can't run inside images: {reason}")]
    NotStatic {
        /// Why.
        reason: String,
    },
    /// A second signal ended the check before any cell ran.
    #[error("interrupted before any cell ran: reading the analysis did not end")]
    Abandoned,
    /// A task of the check panicked.
    #[error("the check was aborted by a bug in carnet")]
    Panicked,
}

impl Failure for CheckError {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownCell { .. } => Kind::Usage,
            Self::NoTests { .. } => Kind::Nothing,
            Self::NotStatic { .. } => Kind::Infrastructure,
            Self::Abandoned => Kind::Interrupted,
            Self::Panicked => Kind::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownCell { existing, .. } => Some(format!("available cells: {existing}")),
            Self::NoTests { .. } => {
                Some("set the test command in carnet.toml: `run = \"...\"` under `[test]`".to_owned())
            }
            Self::NotStatic { .. } => Some("use a released binary, or build with the project's settings".to_owned()),
            Self::Abandoned => {
                Some("check that the network file systems with the analysis and the cache respond".to_owned())
            }
            Self::Panicked => None,
        }
    }
}
