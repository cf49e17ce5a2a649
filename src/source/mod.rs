//! The repository of an analysis: its git data, languages, manifests and workflows.

mod file_set;
pub mod foreign;
pub mod git;
pub mod lang;
pub mod manifest;
pub mod workflow;

use std::path::{Path, PathBuf};

pub use file_set::FileSet;

use crate::error::{Failure, Kind};
use crate::sys::file::SIZE_LIMIT_HINT;
use git::GitError;

/// An error when reading a repository.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file or directory can't be read or written.
    #[error("failed to {action} `{path}`", path = path.display())]
    Io {
        /// The failed action as a verb: `read`, `write`, `create`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The data of a git repository can't be read.
    #[error("failed to read the git repository `{path}`: {reason}", path = path.display())]
    Git {
        /// Top of the working tree.
        path: PathBuf,
        /// The error of git.
        reason: GitError,
    },
    /// A tree contains more entries than the limit.
    #[error("`{path}` contains more than {limit} files", path = path.display())]
    TooMany {
        /// Top of the analysis.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// A commit or a range of commits can't be read.
    #[error("failed to read commits `{spec}`: {reason}")]
    NoRange {
        /// The range as given.
        spec: String,
        /// The error of git.
        reason: GitError,
    },
    /// The directory of the analysis does not exist or is not a directory.
    #[error("`{path}` is not a directory", path = path.display())]
    NoDirectory {
        /// The path.
        path: PathBuf,
    },
}

impl SourceError {
    pub(crate) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
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
                Some("free some disk space, or set CARNET_CACHE to a directory on another disk".to_owned())
            }
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::FileTooLarge => {
                Some(SIZE_LIMIT_HINT.to_owned())
            }
            Self::Io { action: "read", source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                Some("make it readable for the user who runs carnet, or add it to .gitignore".to_owned())
            }
            Self::Io { action, .. } if action.starts_with("create") => {
                Some("set CARNET_CACHE to a writable directory".to_owned())
            }
            Self::TooMany { .. } => Some("add files that the tests don't need to .gitignore".to_owned()),
            Self::NoDirectory { .. } => Some("pass the directory of the analysis".to_owned()),
            Self::NoRange { .. } => {
                Some("pass two commits as `A..B`; a shallow clone may not contain the first".to_owned())
            }
            _ => None,
        }
    }
}
