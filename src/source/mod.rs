//! The repository of an analysis: git, the tree that tests see, what it tests, imports and declares.

mod file_set;
pub mod git;
pub mod lang;
pub mod manifest;
pub mod workflow;

use std::path::{Path, PathBuf};

pub use file_set::FileSet;

use crate::error::{Failure, Kind};

/// What reading a repository fails with.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file or directory can't be read or written.
    #[error("{doing} {path} failed", path = path.display())]
    Io {
        /// What was being done: `reading`, `copying`.
        doing: &'static str,
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// git's own data can't be read.
    #[error("the git repository at {path} can't be read: {reason}", path = path.display())]
    Git {
        /// Its top.
        path: PathBuf,
        /// What libgit2 says.
        reason: String,
    },
    /// Over the bound on entries.
    #[error("{path} holds more than {limit} files", path = path.display())]
    TooMany {
        /// Top of the analysis.
        path: PathBuf,
        /// The bound.
        limit: usize,
    },
    /// A range of commits can't be read.
    #[error("the commits `{spec}` can't be read: {reason}")]
    NoRange {
        /// The range as given.
        spec: String,
        /// Why.
        reason: String,
    },
    /// There is no such directory.
    #[error("{path} is no directory", path = path.display())]
    NoDirectory {
        /// The path.
        path: PathBuf,
    },
}

impl SourceError {
    pub(crate) fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }
}

impl Failure for SourceError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoDirectory { .. } | Self::NoRange { .. } => Kind::Usage,
            Self::Io { .. } | Self::Git { .. } | Self::TooMany { .. } => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Some("the disk is full: free some space, or set CARNET_CACHE to a directory on another one".to_owned())
            }
            Self::Io { doing: "reading", source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                Some("make it readable for the user who runs carnet, or let .gitignore leave it out".to_owned())
            }
            Self::Io { doing, .. } if doing.starts_with("making") => {
                Some("set CARNET_CACHE to a directory that you can write to".to_owned())
            }
            Self::TooMany { .. } => Some("let .gitignore leave out what the tests don't need".to_owned()),
            Self::NoDirectory { .. } => Some("name the directory of the analysis".to_owned()),
            Self::NoRange { .. } => Some("name two commits as `A..B`; a shallow clone may lack the first".to_owned()),
            _ => None,
        }
    }
}
