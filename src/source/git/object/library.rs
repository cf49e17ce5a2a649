//! Objects read by libgit2.

use std::path::{Path, PathBuf};

use git2::{Error, ErrorCode, ObjectType, Oid, Repository, Tree, TreeWalkMode, TreeWalkResult};

use super::{Blob, Content, Entries};

/// A repository that libgit2 can open.
pub(in crate::source) struct Library {
    repository: Repository,
}

impl Library {
    pub(super) fn new(repository: Repository) -> Self {
        Self { repository }
    }

    pub(super) fn workdir(&self) -> Option<PathBuf> {
        self.repository.workdir().map(Path::to_owned)
    }

    pub(super) fn commit(&self, name: &str) -> Result<String, String> {
        let peeled = self.repository.revparse_single(name).and_then(|object| object.peel(ObjectType::Commit));
        peeled.map(|commit| commit.id().to_string()).map_err(said)
    }

    pub(super) fn merge_base(&self, one: &str, other: &str) -> Option<String> {
        let (one, other) = (Oid::from_str(one).ok()?, Oid::from_str(other).ok()?);
        self.repository.merge_base(one, other).ok().map(|id| id.to_string())
    }

    pub(super) fn entries(&self, commit: &str, prefix: &str) -> Result<Entries, String> {
        let id = Oid::from_str(commit).map_err(said)?;
        let tree = self.repository.find_commit(id).and_then(|commit| commit.tree()).map_err(said)?;
        if prefix.is_empty() {
            return walk(&tree);
        }
        match tree.get_path(Path::new(prefix)) {
            Ok(entry) => {
                let below = entry.to_object(&self.repository).map_err(said)?.into_tree();
                below.map_or_else(|_| Ok(Entries::default()), |tree| walk(&tree))
            }
            Err(error) if error.code() == ErrorCode::NotFound => Ok(Entries::default()),
            Err(error) => Err(said(error)),
        }
    }

    pub(super) fn content(&self, id: &str, cap: u64) -> Result<Content, String> {
        let id = Oid::from_str(id).map_err(said)?;
        // The size is known without the content.
        let (length, _) = self.repository.odb().and_then(|odb| odb.read_header(id)).map_err(said)?;
        if length as u64 > cap {
            return Ok(Content::TooLarge(length as u64));
        }
        let blob = self.repository.find_blob(id).map_err(said)?;
        Ok(Content::Whole(blob.content().to_vec()))
    }
}

fn said(error: Error) -> String {
    error.message().to_owned()
}

/// A tree that lacks others, as in a partial clone, is an error and not a smaller one.
fn walk(tree: &Tree<'_>) -> Result<Entries, String> {
    let mut entries = Entries::default();
    let walked = tree.walk(TreeWalkMode::PreOrder, |dir, entry| {
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
    });
    walked.map(|()| entries).map_err(said)
}
