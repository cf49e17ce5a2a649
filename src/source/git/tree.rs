//! The tree of files that tests see: its listing, its digest, and a copy of it.
//!
//! The tree contains tracked files and untracked files that git does not ignore, with the content of the working tree, and
//! those of checked-out submodules. Outside git, it contains all files except those ignored by `.gitignore` files.
//! Symbolic links are copied as links and never followed.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use git2::Repository;
use ignore::WalkBuilder;
use sha2::{Digest as _, Sha256};

use super::{GitError, repository, special};
use crate::model::digest::Digest;
use crate::model::tree::{LeftOut, Tree};
use crate::source::{FileSet, SourceError};
use crate::sys::bounded::{self, Progress};
use crate::sys::file::{Links, open_regular};

/// Maximum number of entries of a tree.
const MAX_ENTRIES: usize = 1_000_000;
/// Maximum number of left-out paths that are reported.
const MAX_LEFT_OUT: usize = 100;

/// The files of an analysis by path relative to its top, and the files left out with the reasons.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    top: PathBuf,
    entries: BTreeMap<PathBuf, Entry>,
    left_out: BTreeMap<PathBuf, String>,
    with_git: bool,
    /// The last directory checked for links, and whether its path contains one. Entries of one directory are consecutive.
    last_dir: Option<(PathBuf, bool)>,
}

impl Listing {
    /// Lists the files of the analysis at `top`. `with_git` includes the `.git` directory.
    ///
    /// # Errors
    /// If a directory can't be read, git would read a pipe or a device, or there are more than 1,000,000 files.
    pub fn read(top: &Path, with_git: bool) -> Result<Self, SourceError> {
        if !top.is_dir() {
            return Err(SourceError::NoDirectory { path: top.to_owned() });
        }
        let top = top.canonicalize().map_err(|error| SourceError::io("read", top, error))?;
        special::check(&top)?;
        let mut listing = Self { top, with_git, ..Self::default() };
        match repository::open(&listing.top) {
            Some(repository) => listing.add_repositories(repository)?,
            None => listing.add_walk(&listing.top.clone())?,
        }
        if with_git {
            listing.add_git_directory()?;
        }
        Ok(listing)
    }

    /// Copies the tree to `target`, an existing directory, and returns its description.
    ///
    /// All copied files are readable by every user, because the tests may run as another user.
    ///
    /// # Errors
    /// If a file can't be read or written. A file that was removed since the listing is reported as left out.
    pub fn copy(&self, target: &Path) -> Result<Tree, SourceError> {
        self.hash(Some(target))
    }

    /// Returns the description of the tree, as [`Self::copy`] does, without copying it.
    ///
    /// # Errors
    /// If a file can't be read, or its file system does not respond. A file that was removed since the listing is reported as left out.
    pub fn digest(&self) -> Result<Tree, SourceError> {
        self.hash(None)
    }

    fn hash(&self, target: Option<&Path>) -> Result<Tree, SourceError> {
        let (listing, target) = (self.clone(), target.map(Path::to_owned));
        let hashed = bounded::watch(bounded::READ, move |progress| listing.hash_watched(target.as_deref(), progress));
        hashed.unwrap_or_else(|(path, error)| Err(SourceError::io("read", &path, error)))
    }

    fn hash_watched(&self, target: Option<&Path>, progress: &Progress) -> Result<Tree, SourceError> {
        let mut copy = Copy { entries: TreeHasher::default(), bytes: 0, buffer: vec![0; 1 << 18], progress };
        let mut left_out = self.left_out.clone();
        for (path, entry) in &self.entries {
            let (from, to) = (self.top.join(path), target.map(|target| target.join(path)));
            if let Some(parent) = to.as_deref().and_then(Path::parent) {
                create_directories(parent)?;
            }
            let exists = match entry {
                Entry::File { executable } => copy.file(path, &from, to.as_deref(), *executable)?,
                Entry::Link => copy.link(path, &from, to.as_deref())?,
            };
            if !exists {
                left_out.insert(path.clone(), "removed while it was copied".to_owned());
            }
        }
        let left_out = left_out.into_iter().take(MAX_LEFT_OUT);
        Ok(Tree {
            entries: copy.entries.count,
            digest: copy.entries.finish(),
            bytes: copy.bytes,
            with_git: self.with_git,
            left_out: left_out
                .map(|(path, reason)| LeftOut { path: path.to_string_lossy().into_owned(), reason })
                .collect(),
        })
    }

    /// Adds the files of the repository and of its checked-out submodules.
    fn add_repositories(&mut self, repository: Repository) -> Result<(), SourceError> {
        let mut queue = VecDeque::from([repository]);
        while let Some(repository) = queue.pop_front() {
            let workdir = repository.workdir().map(Path::to_owned).unwrap_or_default();
            let workdir = workdir.canonicalize().unwrap_or(workdir);
            for path in self.tracked(&repository, &workdir, &mut queue)? {
                self.add(&workdir.join(path))?;
            }
            for path in repository::untracked(&repository).map_err(|reason| unreadable(&workdir, reason))? {
                self.add(&workdir.join(path))?;
            }
        }
        Ok(())
    }

    fn tracked(
        &mut self,
        repository: &Repository,
        workdir: &Path,
        submodules: &mut VecDeque<Repository>,
    ) -> Result<Vec<PathBuf>, SourceError> {
        let mut paths = Vec::new();
        for entry in repository::tracked(repository).map_err(|reason| unreadable(workdir, reason))? {
            if !entry.is_submodule {
                paths.push(entry.path);
                continue;
            }
            let inner = workdir.join(&entry.path);
            match repository::submodule(repository, &inner) {
                Some(submodule) => submodules.push_back(submodule),
                None => self.leave_out(&inner, "submodule that is not checked out"),
            }
        }
        Ok(paths)
    }

    /// Adds the files below `dir`, which is not in a git repository.
    fn add_walk(&mut self, dir: &Path) -> Result<(), SourceError> {
        let walk = WalkBuilder::new(dir)
            .hidden(false)
            .require_git(false)
            .git_global(false)
            .parents(false)
            .follow_links(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in walk {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_dir()) => {}
                Ok(entry) => self.add(entry.path())?,
                Err(error) => self.record_walk_error(&error),
            }
        }
        Ok(())
    }

    /// Records a directory that can't be read. Other errors are about lines of `.gitignore` files.
    fn record_walk_error(&mut self, error: &ignore::Error) {
        let mut inner = error;
        while let ignore::Error::WithDepth { err, .. } = inner {
            inner = err;
        }
        if let ignore::Error::WithPath { path, err } = inner
            && let Some(reason) = err.io_error()
            && reason.kind() != ErrorKind::NotFound
        {
            self.leave_out(path, &format!("failed to read: {reason}"));
        }
    }

    fn add_git_directory(&mut self) -> Result<(), SourceError> {
        let dir = self.top.join(".git");
        if !dir.is_dir() {
            self.leave_out(
                &dir,
                "`.git` is not a directory (in a worktree, a submodule or a subdirectory of a repository)",
            );
            return Ok(());
        }
        for entry in WalkBuilder::new(&dir).standard_filters(false).follow_links(false).build().flatten() {
            if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
                self.add(entry.path())?;
            }
        }
        Ok(())
    }

    /// Adds a path if it is in the analysis and still exists.
    fn add(&mut self, path: &Path) -> Result<(), SourceError> {
        let Ok(relative) = path.strip_prefix(&self.top) else { return Ok(()) };
        match fs::symlink_metadata(path).map(|metadata| kind(&metadata)) {
            // git's index may contain files below a directory that is now a link to another location.
            Ok(Some(_)) if self.is_below_link(path) => self.leave_out(path, "below a symbolic link"),
            Ok(Some(entry)) => {
                self.entries.insert(relative.to_owned(), entry);
            }
            Ok(None) => self.leave_out(path, "not a file or a link"),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => self.leave_out(path, &format!("failed to read: {error}")),
        }
        match self.entries.len() > MAX_ENTRIES {
            true => Err(SourceError::TooMany { path: self.top.clone(), limit: MAX_ENTRIES }),
            false => Ok(()),
        }
    }

    fn is_below_link(&mut self, path: &Path) -> bool {
        let Some(parent) = path.parent() else { return false };
        match &self.last_dir {
            Some((dir, is_linked)) if dir == parent => *is_linked,
            _ => {
                // The path of the top contains no links, so canonicalization changes only a path below a link.
                let is_linked = parent.canonicalize().ok().as_deref() != Some(parent);
                self.last_dir = Some((parent.to_owned(), is_linked));
                is_linked
            }
        }
    }

    fn leave_out(&mut self, path: &Path, reason: &str) {
        if let Ok(relative) = path.strip_prefix(&self.top) {
            self.left_out.insert(relative.to_owned(), reason.to_owned());
        }
    }
}

impl FileSet for Listing {
    /// Returns the paths of all files and links. Names that are not valid UTF-8 are left out.
    fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.entries.keys().filter_map(|path| path.to_str()).collect();
        // The entries are in order of path components, where `a/b` comes before `a-b`.
        paths.sort_unstable();
        paths
    }

    fn read(&self, path: &str, max_bytes: u64) -> Option<Vec<u8>> {
        let Entry::File { .. } = self.entries.get(Path::new(path))? else { return None };
        let mut bytes = Vec::new();
        open_regular(&self.top.join(path), Links::Refuse).ok()?.take(max_bytes).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn has(&self, path: &str) -> bool {
        self.entries.contains_key(Path::new(path))
    }
}

fn kind(metadata: &Metadata) -> Option<Entry> {
    if metadata.is_file() {
        Some(Entry::File { executable: metadata.permissions().mode() & 0o111 != 0 })
    } else if metadata.is_symlink() {
        Some(Entry::Link)
    } else {
        None
    }
}

fn unreadable(workdir: &Path, reason: GitError) -> SourceError {
    SourceError::Git { path: workdir.to_owned(), reason }
}

/// Creates a directory and its parents with mode 0755, independent of the umask.
fn create_directories(dir: &Path) -> Result<(), SourceError> {
    let failed = |error| SourceError::io("create", dir, error);
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        create_directories(parent)?;
    }
    fs::create_dir(dir).map_err(failed)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).map_err(failed)
}

/// Computes the digest of a tree. Entries are added in order of their path components.
#[derive(Debug, Default)]
pub(super) struct TreeHasher {
    hasher: Sha256,
    count: u64,
}

/// The type of an entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// A regular file.
    File { executable: bool },
    /// A symbolic link. Its content is its target.
    Link,
}

impl TreeHasher {
    /// Adds an entry: its type, the length of its path, its path, and the digest of its content.
    pub(super) fn add(&mut self, path: &Path, kind: Entry, content: Sha256) {
        let bytes = path.as_os_str().as_bytes();
        self.hasher.update([match kind {
            Entry::File { executable: true } => b'x',
            Entry::File { executable: false } => b'f',
            Entry::Link => b'l',
        }]);
        self.hasher.update((bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
        self.hasher.update(content.finalize());
        self.count += 1;
    }

    pub(super) fn finish(self) -> Digest {
        Digest::finish(self.hasher)
    }
}

/// A copy in progress with its digest. Without a target, only the digest is computed.
struct Copy<'a> {
    progress: &'a Progress,
    entries: TreeHasher,
    bytes: u64,
    buffer: Vec<u8>,
}

impl Copy<'_> {
    fn file(&mut self, path: &Path, from: &Path, to: Option<&Path>, executable: bool) -> Result<bool, SourceError> {
        self.progress.step(from);
        let Ok(mut source) = open_regular(from, Links::Refuse) else { return self.unreadable(from) };
        let mut target = match to {
            Some(to) => Some((to, File::create(to).map_err(|error| SourceError::io("write", to, error))?)),
            None => None,
        };
        let mut content = Sha256::new();
        loop {
            let n = source.read(&mut self.buffer).map_err(|error| SourceError::io("read", from, error))?;
            if n == 0 {
                break;
            }
            self.progress.step(from);
            content.update(&self.buffer[..n]);
            self.bytes += n as u64;
            if let Some((to, target)) = &mut target {
                target.write_all(&self.buffer[..n]).map_err(|error| SourceError::io("write", to, error))?;
            }
        }
        if let Some((to, target)) = target {
            let permissions = fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 });
            target.set_permissions(permissions).map_err(|error| SourceError::io("write", to, error))?;
        }
        self.entries.add(path, Entry::File { executable }, content);
        Ok(true)
    }

    fn link(&mut self, path: &Path, from: &Path, to: Option<&Path>) -> Result<bool, SourceError> {
        self.progress.step(from);
        let Ok(link_target) = fs::read_link(from) else { return Ok(false) };
        if let Some(to) = to {
            symlink(&link_target, to).map_err(|error| SourceError::io("write", to, error))?;
        }
        self.entries.add(path, Entry::Link, Sha256::new_with_prefix(link_target.as_os_str().as_bytes()));
        Ok(true)
    }

    /// Returns false for a file that was removed. An unreadable file is an error: without it, the tests could fail.
    fn unreadable(&self, from: &Path) -> Result<bool, SourceError> {
        match open_regular(from, Links::Refuse) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(SourceError::io("read", from, error)),
            Ok(_) => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::Listing;
    use crate::source::FileSet as _;

    #[test]
    fn tracked_file_below_link_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let (top, outside) = (dir.path().join("top"), dir.path().join("outside"));
        fs::create_dir_all(top.join("data")).unwrap();
        fs::create_dir(&outside).unwrap();
        for path in [&top.join("data/key"), &outside.join("key"), &top.join("seen")] {
            fs::write(path, "x").unwrap();
        }
        let repository = git2::Repository::init(&top).unwrap();
        let mut index = repository.index().unwrap();
        index.add_path(Path::new("data/key")).unwrap();
        index.write().unwrap();
        fs::remove_dir_all(top.join("data")).unwrap();
        symlink(&outside, top.join("data")).unwrap();
        let listing = Listing::read(&top, false).unwrap();
        assert_eq!(listing.paths(), ["data", "seen"]);
        assert_eq!(listing.left_out[Path::new("data/key")], "below a symbolic link");
    }

    #[test]
    fn index_unsupported_by_libgit2_is_read_with_the_git_command() {
        let git = |top: &Path, arguments: &[&str]| {
            let mut command = std::process::Command::new("git");
            command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(arguments).current_dir(top);
            command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
            assert!(command.status().unwrap().success(), "{arguments:?}");
        };
        let commands: [&[&str]; 2] =
            [&["update-index", "--split-index"], &["sparse-checkout", "set", "--cone", "--sparse-index", "in"]];
        for command in commands {
            let dir = tempfile::tempdir().unwrap();
            let top = dir.path().join("a b");
            for path in ["in/x", "out/y", "kept.log"] {
                fs::create_dir_all(top.join(path).parent().unwrap()).unwrap();
                fs::write(top.join(path), "x").unwrap();
            }
            fs::write(top.join(".gitignore"), "*.log\n").unwrap();
            git(&top, &["init", "-q"]);
            git(&top, &["add", "-A", "-f"]);
            git(&top, &["commit", "-qm", "one"]);
            git(&top, command);
            let paths = || {
                let listing = Listing::read(&top, false).unwrap();
                listing.paths().into_iter().map(str::to_owned).collect::<Vec<_>>()
            };
            assert!(git2::Repository::open(&top).unwrap().index().is_err(), "{command:?}: supported by libgit2");
            let is_sparse = !top.join("out").exists();
            let all = [".gitignore", "in/x", "kept.log", "out/y"];
            assert_eq!(paths(), all[..if is_sparse { 3 } else { 4 }], "{command:?}");
            assert!(!super::repository::facts(&top).dirty, "{command:?}");
            fs::write(top.join("new"), "x").unwrap();
            fs::write(top.join("other.log"), "x").unwrap();
            assert!(paths().contains(&"new".to_owned()) && !paths().contains(&"other.log".to_owned()), "{command:?}");
            assert!(super::repository::facts(&top).dirty, "{command:?}");
        }
    }
}
