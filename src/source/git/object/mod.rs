//! Commits, trees and contents as git has them, never as the working tree has them.
//!
//! They are read by libgit2; by git's own command where that can't open the repository (SHA-256, the reftable format), or where
//! git says by its variables which repository it is, as it does to hooks of worktrees.

mod command;
mod library;

use std::path::{Path, PathBuf};

pub use command::Git;
use library::Library;

use super::repository;

/// Mode of a link.
pub(super) const LINK: u32 = 0o120_000;
/// Mode of a submodule.
pub(super) const SUBMODULE: u32 = 0o160_000;
/// Mode of a file that can be executed.
pub(super) const EXECUTABLE: u32 = 0o100_755;

/// An entry of a tree that is no directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    /// Its id, in hexadecimal digits.
    pub(super) id: String,
    /// Its mode, as git has it.
    pub(super) mode: u32,
}

/// Everything in a tree that is no directory.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Paths with `/`, and what is there.
    pub(super) blobs: Vec<(String, Blob)>,
    /// Some names are no UTF-8 and were left out.
    pub(super) is_partial: bool,
}

/// Content of a blob.
#[derive(Debug)]
pub(super) enum Content {
    /// All of it.
    Whole(Vec<u8>),
    /// It has more bytes than were asked for: this many.
    TooLarge(u64),
}

/// The objects of a repository.
pub(super) enum Objects {
    /// Read by libgit2.
    Library(Library),
    /// Read by git's own command.
    Command(Git),
}

impl Objects {
    /// The repository that holds a directory, which need not be there itself.
    ///
    /// # Errors
    /// With the reason, when there is none or it can't be read.
    pub(super) fn open(top: &Path) -> Result<Self, String> {
        let start = top.ancestors().find(|dir| dir.is_dir());
        if std::env::var_os("GIT_DIR").is_none()
            && let Some(repository) = start.and_then(repository::open)
        {
            return Ok(Self::Library(Library::new(repository)));
        }
        let git = Git::at(top);
        match git.line(&["rev-parse", "--git-dir"]) {
            Ok(_) => Ok(Self::Command(git)),
            // Git speaks of itself where there simply is no repository.
            Err(_) => Err(format!("{} lies in no git repository that can be read", top.display())),
        }
    }

    /// The path of a directory below the top of the working tree; empty at the top and where there is none.
    pub(super) fn prefix(&self, top: &Path) -> String {
        let workdir = match self {
            Self::Library(library) => library.workdir(),
            Self::Command(git) => git.line(&["rev-parse", "--show-toplevel"]).ok().map(PathBuf::from),
        };
        let workdir = workdir.and_then(|dir| dir.canonicalize().ok());
        let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
        let below = workdir.and_then(|dir| top.strip_prefix(dir).ok().map(Path::to_owned));
        below.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The id of the commit that a name means.
    pub(super) fn commit(&self, name: &str) -> Result<String, String> {
        match self {
            Self::Library(library) => library.commit(name),
            Self::Command(git) => git.commit(name),
        }
    }

    /// Where two commits parted.
    pub(super) fn merge_base(&self, one: &str, other: &str) -> Option<String> {
        match self {
            Self::Library(library) => library.merge_base(one, other),
            Self::Command(git) => git.merge_base(one, &[other]),
        }
    }

    /// What a commit has below a directory; nothing when it lacks the directory.
    pub(super) fn entries(&self, commit: &str, prefix: &str) -> Result<Entries, String> {
        match self {
            Self::Library(library) => library.entries(commit, prefix),
            Self::Command(git) => git.entries(commit, prefix),
        }
    }

    /// The content of a blob, when it has at most `cap` bytes.
    pub(super) fn content(&self, id: &str, cap: u64) -> Result<Content, String> {
        match self {
            Self::Library(library) => library.content(id, cap),
            Self::Command(git) => git.content(id, cap),
        }
    }
}
