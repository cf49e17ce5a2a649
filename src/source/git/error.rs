//! Errors of git operations.

use std::io;
use std::path::PathBuf;

/// An error of libgit2 or of the `git` command.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The `git` command can't be started or read.
    #[error("failed to run git: {0}")]
    Run(io::Error),
    /// The `git` command exited with an error.
    #[error("{0}")]
    Failed(String),
    /// The `git` command printed more than the limit.
    #[error("`git {arguments}` printed more than {limit} bytes")]
    TooMuchOutput {
        /// Arguments of the command.
        arguments: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The `git` command printed nothing where a line was expected.
    #[error("git printed no output")]
    NoOutput,
    /// The `git` command printed bytes that are not valid UTF-8.
    #[error("git printed text that is not valid UTF-8")]
    InvalidUtf8,
    /// An object can't be read with `git cat-file`.
    #[error("git cat-file: {0}")]
    Object(io::Error),
    /// An error of libgit2.
    #[error("{}", .0.message())]
    Library(#[from] git2::Error),
    /// git would read a pipe or a device, which may never end.
    #[error("`{path}` is a pipe or a device", path = .0.display())]
    Special(PathBuf),
    /// The name does not resolve to a commit.
    #[error("commit `{0}` not found")]
    CommitNotFound(String),
    /// The directory is not in a repository.
    #[error("{path} is not in a readable git repository", path = .0.display())]
    NoRepository(PathBuf),
}
