//! git: the repository, its objects, ranges of commits, and the tree of files that tests see.

pub mod commit;
pub mod object;
pub mod push;
pub mod range;
pub mod repository;
pub mod tree;
pub mod walk;
