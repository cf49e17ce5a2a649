//! Where the hooks of a repository are.

use std::path::{Path, PathBuf};

use crate::error::{Failure, Kind};
use crate::source::git::GitError;
use crate::source::git::command::Git;

/// The hooks of a repository.
#[derive(Debug, Clone)]
pub struct HooksDir {
    /// Top of the working tree; the repository itself when it has none.
    pub top: PathBuf,
    /// The directory that git looks for hooks in, which need not be there.
    pub dir: PathBuf,
    /// The file whose `core.hooksPath` makes this the directory of every repository of a user or of a machine.
    pub shared_by: Option<String>,
}

/// What installing or removing a hook fails with.
#[derive(Debug, thiserror::Error)]
pub enum HooksDirError {
    /// Git knows no repository here.
    #[error("{} lies in no git repository: {reason}", start.display())]
    NoRepository {
        /// Where we looked.
        start: PathBuf,
        /// What git says.
        reason: String,
    },
    /// The hooks are those of other repositories too.
    #[error("hooks in {} run for every repository: {by} says so with core.hooksPath", dir.display())]
    Shared {
        /// The directory.
        dir: PathBuf,
        /// The file.
        by: String,
    },
    /// Hooks are switched off, or their directory can't be one.
    #[error("the hooks of this repository are to be in {}, which is no directory", dir.display())]
    NoDirectory {
        /// The path.
        dir: PathBuf,
    },
    /// A hook of somebody took the place of ours after ours had put one aside.
    #[error("{} is not of carnet, and {} was put aside for carnet's before", file.display(), aside.display())]
    Two {
        /// The hook.
        file: PathBuf,
        /// The one put aside.
        aside: PathBuf,
    },
    /// A file can't be read or written.
    #[error("{doing} {} failed", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Failure for HooksDirError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoRepository { .. } | Self::Shared { .. } | Self::NoDirectory { .. } | Self::Two { .. } => {
                Kind::Usage
            }
            Self::Io { .. } => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoRepository { .. } => Some("name a directory of the repository, or make one with git init".to_owned()),
            Self::Shared { .. } => Some(
                "carnet hook install --shared writes it there, for all of them; git config core.hooksPath .git/hooks gives \
                 this repository its own"
                    .to_owned(),
            ),
            Self::NoDirectory { .. } => {
                Some("see git config --show-origin core.hooksPath; /dev/null switches hooks off".to_owned())
            }
            Self::Two { .. } => Some("make one of the two, or remove the one that is no longer wanted".to_owned()),
            Self::Io { .. } => None,
        }
    }
}

impl HooksDir {
    /// The hooks of the repository that holds `start`, by what git says of worktrees and `core.hooksPath`.
    ///
    /// # Errors
    /// Outside git.
    pub fn find(start: &Path) -> Result<Self, HooksDirError> {
        let none = |error: GitError| HooksDirError::NoRepository { start: start.to_owned(), reason: error.to_string() };
        let git = Git::at(start);
        let top = git.line(&["rev-parse", "--show-toplevel"]);
        let top = top.or_else(|_| git.line(&["rev-parse", "--absolute-git-dir"])).map(PathBuf::from).map_err(none)?;
        // A relative directory is meant from where hooks run, which is the top.
        let git = Git::at(&top);
        let dir = top.join(git.line(&["rev-parse", "--git-path", "hooks"]).map_err(none)?);
        Ok(Self { shared_by: shared_by(&git), top, dir })
    }
}

/// The file of a user or of a machine that sets `core.hooksPath`, when it is that which holds.
fn shared_by(git: &Git) -> Option<String> {
    let told = git.line(&["config", "--show-scope", "--show-origin", "--get", "core.hooksPath"]).ok()?;
    let mut words = told.split('\t');
    let (scope, origin) = (words.next()?, words.next()?);
    matches!(scope, "global" | "system").then(|| origin.trim_start_matches("file:").to_owned())
}
