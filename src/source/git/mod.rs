//! git: repositories, objects, ranges of commits, pushes, and the files of a working tree.

pub mod command;
pub mod commit;
mod error;
mod mode;
mod object;
pub mod push;
pub mod range;
pub mod repository;
mod special;
pub mod tree;
pub mod walk;

pub use error::GitError;
