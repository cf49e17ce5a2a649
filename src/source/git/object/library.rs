//! Objects read with libgit2.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Oid, Repository, Tree, TreeWalkMode, TreeWalkResult};

use super::{Blob, Content, Entries};
use crate::source::git::error::GitError;

/// A repository that libgit2 can open.
pub(in crate::source) struct LibraryObjects {
    repository: Repository,
}

impl LibraryObjects {
    pub(super) fn new(repository: Repository) -> Self {
        Self { repository }
    }

    pub(super) fn workdir(&self) -> Option<PathBuf> {
        self.repository.workdir().map(Path::to_owned)
    }

    pub(super) fn commit(&self, name: &str) -> Result<String, GitError> {
        let commit = self.repository.revparse_single(name)?.peel(ObjectType::Commit)?;
        Ok(commit.id().to_string())
    }

    pub(super) fn merge_base(&self, commit: &str, other: &str) -> Option<String> {
        let (commit, other) = (Oid::from_str(commit).ok()?, Oid::from_str(other).ok()?);
        self.repository.merge_base(commit, other).ok().map(|id| id.to_string())
    }

    pub(super) fn entries(&self, commit: &str, prefix: &str) -> Result<Entries, GitError> {
        let tree = self.repository.find_commit(Oid::from_str(commit)?)?.tree()?;
        if prefix.is_empty() {
            return tree_entries(&tree);
        }
        match tree.get_path(Path::new(prefix)) {
            Ok(entry) => {
                let subtree = entry.to_object(&self.repository)?.into_tree();
                subtree.map_or_else(|_| Ok(Entries::default()), |tree| tree_entries(&tree))
            }
            Err(error) if error.code() == ErrorCode::NotFound => Ok(Entries::default()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn content(&self, id: &str, max_bytes: u64) -> Result<Content, GitError> {
        let id = Oid::from_str(id)?;
        // The header contains the size, so a large object is not read.
        let (length, _) = self.repository.odb()?.read_header(id)?;
        if length as u64 > max_bytes {
            return Ok(Content::TooLarge(length as u64));
        }
        Ok(Content::Whole(self.repository.find_blob(id)?.content().to_vec()))
    }
}

/// Returns the entries of a tree and of its subtrees.
///
/// # Errors
/// If a subtree is missing, as in a partial clone. A partial result would look like a smaller tree.
fn tree_entries(tree: &Tree<'_>) -> Result<Entries, GitError> {
    let mut entries = Entries::default();
    tree.walk(TreeWalkMode::PreOrder, |dir, entry| {
        if entry.kind() == Some(ObjectType::Tree) {
            return TreeWalkResult::Ok;
        }
        match entry.name() {
            Ok(name) => {
                let mode = u32::try_from(entry.filemode()).unwrap_or_default();
                entries.blobs.push((format!("{dir}{name}"), Blob { id: entry.id().to_string(), mode }));
            }
            Err(_) => entries.is_partial = true,
        }
        TreeWalkResult::Ok
    })?;
    Ok(entries)
}
