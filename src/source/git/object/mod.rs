//! Commits, trees and file contents from git's object database, independent of the working tree.
//!
//! Objects are read with libgit2. The `git` command is used if libgit2 can't open the repository (SHA-256, the reftable
//! format) or if `GIT_DIR` selects the repository, as in hooks of worktrees.

mod command;
mod library;

use std::path::Path;

use command::CommandObjects;
use library::LibraryObjects;

use super::error::GitError;
use super::repository;
use crate::sys::environment;

/// An entry of a tree that is not a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    /// Object id in hexadecimal digits.
    pub(super) id: String,
    /// git's file mode.
    pub(super) mode: u32,
}

/// All entries of a tree that are not directories.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Entries by path, with `/` as separator.
    pub(super) blobs: Vec<(String, Blob)>,
    /// Whether entries were left out because their names are not valid UTF-8.
    pub(super) is_partial: bool,
}

/// Content of a blob.
#[derive(Debug)]
pub(super) enum Content {
    /// The complete content.
    Whole(Vec<u8>),
    /// The content is larger than requested. Contains its size in bytes.
    TooLarge(u64),
}

/// The object database of a repository.
pub(super) enum Objects {
    /// Read with libgit2.
    Library(LibraryObjects),
    /// Read with the `git` command.
    Command(CommandObjects),
}

impl Objects {
    /// Opens the repository that contains a directory. The directory itself may not exist.
    ///
    /// # Errors
    /// If there is no repository or it can't be read.
    pub(super) fn open(top: &Path) -> Result<Self, GitError> {
        let start = top.ancestors().find(|dir| dir.is_dir());
        if environment::var_os("GIT_DIR").is_none()
            && let Some(repository) = start.and_then(repository::open)
        {
            return Ok(Self::Library(LibraryObjects::new(repository)));
        }
        // The message of git itself suggests options of git.
        CommandObjects::open(top).map(Self::Command).map_err(|error| match error {
            GitError::Special(_) => error,
            _ => GitError::NoRepository(top.to_owned()),
        })
    }

    /// Returns the path of a directory relative to the top of the working tree. Empty at the top and without a working tree.
    pub(super) fn prefix(&self, top: &Path) -> String {
        let workdir = match self {
            Self::Library(objects) => objects.workdir(),
            Self::Command(objects) => objects.workdir(),
        };
        let workdir = workdir.and_then(|dir| dir.canonicalize().ok());
        let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
        let relative = workdir.and_then(|dir| top.strip_prefix(dir).ok().map(Path::to_owned));
        relative.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Returns the id of the commit that `name` refers to.
    pub(super) fn commit(&self, name: &str) -> Result<String, GitError> {
        match self {
            Self::Library(objects) => objects.commit(name),
            Self::Command(objects) => objects.commit(name),
        }
    }

    /// Returns the best common ancestor of two commits.
    pub(super) fn merge_base(&self, commit: &str, other: &str) -> Option<String> {
        match self {
            Self::Library(objects) => objects.merge_base(commit, other),
            Self::Command(objects) => objects.merge_base(commit, other),
        }
    }

    /// Returns the entries of a commit below a directory. Empty if the commit does not contain the directory.
    pub(super) fn entries(&self, commit: &str, prefix: &str) -> Result<Entries, GitError> {
        match self {
            Self::Library(objects) => objects.entries(commit, prefix),
            Self::Command(objects) => objects.entries(commit, prefix),
        }
    }

    /// Returns the content of a blob of at most `max_bytes` bytes.
    pub(super) fn content(&self, id: &str, max_bytes: u64) -> Result<Content, GitError> {
        match self {
            Self::Library(objects) => objects.content(id, max_bytes),
            Self::Command(objects) => objects.content(id, max_bytes),
        }
    }
}
