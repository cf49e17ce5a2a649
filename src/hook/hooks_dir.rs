//! Finds the hooks directory of a repository.

use std::path::{Path, PathBuf};

use crate::error::{Failure, Kind};
use crate::source::git::GitError;
use crate::source::git::command::Git;

/// The hooks directory of a repository.
#[derive(Debug, Clone)]
pub struct HooksDir {
    /// Top of the working tree, or the git directory of a bare repository.
    pub top: PathBuf,
    /// The directory in which git searches for hooks. It may not exist.
    pub dir: PathBuf,
    /// The file that sets `core.hooksPath` for all repositories of a user or machine.
    pub shared_by: Option<String>,
}

/// An error when installing or removing a hook.
#[derive(Debug, thiserror::Error)]
pub enum HooksDirError {
    /// The directory is not in a git repository.
    #[error("{} is not in a git repository: {reason}", start.display())]
    NoRepository {
        /// The directory.
        start: PathBuf,
        /// Message of git.
        reason: String,
    },
    /// Other repositories share the hooks directory.
    #[error("{by} sets core.hooksPath, so hooks in {} run for every repository", dir.display())]
    Shared {
        /// The hooks directory.
        dir: PathBuf,
        /// The configuration file.
        by: String,
    },
    /// Hooks are disabled, or the path is not a directory.
    #[error("the hooks path {} is not a directory", dir.display())]
    NoDirectory {
        /// The path.
        dir: PathBuf,
    },
    /// A link in the working tree leads to another directory.
    #[error("the hooks path {} leads outside the repository through a symbolic link", dir.display())]
    Linked {
        /// The path.
        dir: PathBuf,
    },
    /// Another hook replaced carnet's, and the backup of an earlier hook still exists.
    #[error("{} is not carnet's hook, and the backup {} already exists", file.display(), backup.display())]
    BackupExists {
        /// The hook.
        file: PathBuf,
        /// The backup.
        backup: PathBuf,
    },
    /// A file can't be read or written.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// The failed action, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Failure for HooksDirError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoRepository { .. }
            | Self::Shared { .. }
            | Self::NoDirectory { .. }
            | Self::Linked { .. }
            | Self::BackupExists { .. } => Kind::Usage,
            Self::Io { .. } => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoRepository { .. } => {
                Some("pass a directory of the repository, or create one with `git init`".to_owned())
            }
            Self::Shared { .. } => Some(
                "use `carnet hook install --shared` to install the hook for all repositories, or `git config \
                 core.hooksPath .git/hooks` to give this repository its own hooks directory"
                    .to_owned(),
            ),
            Self::NoDirectory { .. } => {
                Some("see `git config --show-origin core.hooksPath`; /dev/null disables hooks".to_owned())
            }
            Self::Linked { .. } => Some("set core.hooksPath to the directory to which the link leads".to_owned()),
            Self::BackupExists { .. } => Some("merge the two hooks, or remove the one that is not needed".to_owned()),
            Self::Io { .. } => None,
        }
    }
}

impl HooksDir {
    /// Finds the hooks directory of the repository that contains `start`, as git reports it for worktrees and
    /// `core.hooksPath`.
    ///
    /// # Errors
    /// If `start` is not in a git repository.
    pub fn find(start: &Path) -> Result<Self, HooksDirError> {
        let no_repository =
            |error: GitError| HooksDirError::NoRepository { start: start.to_owned(), reason: error.to_string() };
        let git = Git::at(start);
        let top = git.line(&["rev-parse", "--show-toplevel"]);
        let top = top.or_else(|_| git.line(&["rev-parse", "--absolute-git-dir"]));
        let top = top.map(PathBuf::from).map_err(no_repository)?;
        // A relative path is relative to the directory in which hooks run, which is the top.
        let git = Git::at(&top);
        let dir = top.join(git.line(&["rev-parse", "--git-path", "hooks"]).map_err(no_repository)?);
        Ok(Self { shared_by: shared_by(&git), top, dir })
    }

    /// Reports whether the hooks directory is in the working tree.
    pub fn is_in_working_tree(&self) -> bool {
        let inner = self.dir.strip_prefix(&self.top);
        inner.is_ok_and(|inner| !inner.components().any(|part| part.as_os_str() == ".git"))
    }

    /// Reports whether a link in the working tree, which a repository can contain, leads to a directory outside of it.
    pub(super) fn leaves_working_tree(&self) -> bool {
        // The nearest parent that exists is checked, because the directory is created.
        let resolved = self.dir.ancestors().find_map(|dir| dir.canonicalize().ok());
        let top = self.top.canonicalize().ok();
        self.is_in_working_tree() && resolved.zip(top).is_some_and(|(resolved, top)| !resolved.starts_with(top))
    }
}

/// Returns the user's or machine's configuration file whose `core.hooksPath` is in effect, if any.
fn shared_by(git: &Git) -> Option<String> {
    let line = git.line(&["config", "--show-scope", "--show-origin", "--get", "core.hooksPath"]).ok()?;
    let mut fields = line.split('\t');
    let (scope, origin) = (fields.next()?, fields.next()?);
    matches!(scope, "global" | "system").then(|| origin.trim_start_matches("file:").to_owned())
}
