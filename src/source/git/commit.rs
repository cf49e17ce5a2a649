//! The files of one commit, and the digest of its tree.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::GitError;
use super::mode::{EXECUTABLE, LINK, SUBMODULE};
use super::object::{Blob, Content, Objects};
use super::tree::{Entry, TreeHasher};
use crate::model::digest::Digest;
use crate::source::{FileSet, SourceError};

/// Maximum size in bytes of a file that a tree digest includes.
const MAX_HASHED: u64 = 256 << 20;
/// Maximum size in bytes of a file of which only the start is needed.
const MAX_READ: u64 = 64 << 20;

/// The files of a commit below the top of an analysis.
pub struct Commit {
    objects: Objects,
    /// Object id in hexadecimal digits.
    pub id: String,
    blobs: BTreeMap<String, Blob>,
    is_partial: bool,
}

impl Commit {
    /// Reads the files below `top` of the commit that `name` refers to.
    ///
    /// # Errors
    /// If `top` is not in a git repository or there is no such commit.
    pub fn read(top: &Path, name: &str) -> Result<Self, SourceError> {
        let no_range = |reason: GitError| SourceError::NoRange { spec: name.to_owned(), reason };
        let objects = Objects::open(top).map_err(no_range)?;
        let id = objects.commit(name).map_err(no_range)?;
        let prefix = objects.prefix(top);
        let entries = objects.entries(&id, &prefix).map_err(no_range)?;
        Ok(Self { objects, id, blobs: entries.blobs.into_iter().collect(), is_partial: entries.is_partial })
    }

    /// Reports whether another commit has the same content and mode at this path.
    pub fn agrees(&self, other: &Self, path: &str) -> bool {
        self.blobs.get(path) == other.blobs.get(path)
    }

    /// Returns the content of a file. `None` if it does not exist, is a link or is larger than `max_bytes`.
    pub fn file(&self, path: &str, max_bytes: u64) -> Option<Vec<u8>> {
        let blob = self.blobs.get(path).filter(|blob| blob.mode != LINK && blob.mode != SUBMODULE)?;
        match self.objects.content(&blob.id, max_bytes) {
            Ok(Content::Whole(bytes)) => Some(bytes),
            Ok(Content::TooLarge(_)) | Err(_) => None,
        }
    }

    /// Returns the digest that [`super::tree::Listing::copy`] computes for a clean checkout of the commit without submodules.
    ///
    /// `None` if a name is not valid UTF-8, a file is larger than 256 MiB, an object is missing, or `stop` returns true.
    pub fn tree_digest(&self, stop: &dyn Fn() -> bool) -> Option<Digest> {
        if self.is_partial {
            return None;
        }
        let mut entries: Vec<(&Path, &Blob)> = self.blobs.iter().map(|(path, blob)| (Path::new(path), blob)).collect();
        // In order of path components, where `a/b` comes before `a-b`.
        entries.sort_unstable_by_key(|(path, _)| *path);
        let mut hasher = TreeHasher::default();
        for (path, blob) in entries.into_iter().filter(|(_, blob)| blob.mode != SUBMODULE) {
            if stop() {
                return None;
            }
            let Ok(Content::Whole(bytes)) = self.objects.content(&blob.id, MAX_HASHED) else { return None };
            let kind = match blob.mode {
                LINK => Entry::Link,
                mode => Entry::File { executable: mode == EXECUTABLE },
            };
            hasher.add(path, kind, Sha256::new_with_prefix(&bytes));
        }
        Some(hasher.finish())
    }
}

impl FileSet for Commit {
    /// Returns the paths of all files and links. Submodules are left out.
    fn paths(&self) -> Vec<&str> {
        self.blobs.iter().filter(|(_, blob)| blob.mode != SUBMODULE).map(|(path, _)| path.as_str()).collect()
    }

    /// Returns the first `max_bytes` bytes of a file. A file larger than 64 MiB and `max_bytes` is not read.
    fn read(&self, path: &str, max_bytes: u64) -> Option<Vec<u8>> {
        // git can't return a part of an object.
        let mut bytes = self.file(path, max_bytes.max(MAX_READ))?;
        bytes.truncate(usize::try_from(max_bytes).unwrap_or(usize::MAX));
        Some(bytes)
    }

    fn has(&self, path: &str) -> bool {
        self.blobs.contains_key(path)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;
    use std::process::Command;

    use super::Commit;
    use crate::source::FileSet as _;
    use crate::source::git::tree::Listing;

    fn git(dir: &Path, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(arguments).current_dir(dir);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        assert!(command.status().expect("git starts").success(), "{arguments:?}");
    }

    #[test]
    fn clean_checkout_has_the_digest_of_its_commit() {
        for format in ["sha1", "sha256"] {
            let dir = tempfile::tempdir().expect("a directory");
            let top = dir.path().canonicalize().expect("a path");
            git(&top, &["init", "-q", &format!("--object-format={format}")]);
            fs::create_dir_all(top.join("a/b")).expect("directories");
            for path in ["a/b/c", "a-b", "a.b", "z"] {
                fs::write(top.join(path), path).expect("written");
            }
            fs::set_permissions(top.join("z"), fs::Permissions::from_mode(0o755)).expect("a mode");
            symlink("z", top.join("link")).expect("a link");
            git(&top, &["add", "-A"]);
            git(&top, &["commit", "-qm", "one"]);
            let commit = Commit::read(&top, "HEAD").expect("a commit");
            let digest = commit.tree_digest(&|| false).expect("a digest");
            assert_eq!(commit.paths().len(), 5);
            assert_eq!(commit.file("a-b", 10), Some(b"a-b".to_vec()));
            assert_eq!(
                (commit.file("a-b", 2), commit.file("link", 10), commit.file("missing", 10)),
                (None, None, None)
            );
            // libgit2 can't open every format, so the checkout is listed without git.
            fs::remove_dir_all(top.join(".git")).expect("removed");
            assert_eq!(
                digest,
                Listing::read(&top, false).expect("a listing").digest().expect("read").digest,
                "{format}"
            );
        }
    }

    /// Creates a repository with one commit that contains `b` and `sub/a`.
    fn two_files(format: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().expect("a directory");
        let top = dir.path().canonicalize().expect("a path");
        git(&top, &["init", "-q", &format!("--object-format={format}")]);
        fs::create_dir_all(top.join("sub")).expect("directories");
        fs::write(top.join("sub/a"), "a").expect("written");
        fs::write(top.join("b"), "b").expect("written");
        git(&top, &["add", "-A"]);
        git(&top, &["commit", "-qm", "one"]);
        (dir, top)
    }

    #[test]
    fn commit_below_the_top_contains_only_files_of_the_analysis() {
        for format in ["sha1", "sha256"] {
            let (_dir, top) = two_files(format);
            let commit = Commit::read(&top.join("sub"), "HEAD").expect("a commit");
            assert_eq!(commit.paths(), ["a"], "{format}");
            let complete = Commit::read(&top, "HEAD").expect("a commit");
            assert_ne!(commit.tree_digest(&|| false), complete.tree_digest(&|| false));
            let missing = Commit::read(&top.join("missing"), "HEAD").expect("a commit");
            assert_eq!(missing.paths().len(), 0, "{format}");
            assert_eq!(commit.tree_digest(&|| true), None, "stopped");
        }
    }

    #[test]
    fn commit_with_missing_tree_is_an_error() {
        for format in ["sha1", "sha256"] {
            let (_dir, top) = two_files(format);
            // A partial clone lacks trees as well.
            let sub = crate::source::git::command::Git::at(&top).line(&["rev-parse", "HEAD:sub"]).expect("a tree");
            fs::remove_file(top.join(".git/objects").join(&sub[..2]).join(&sub[2..])).expect("removed");
            assert!(Commit::read(&top, "HEAD").is_err(), "{format}");
        }
    }
}
