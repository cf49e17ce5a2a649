//! The tree that tests see: which files, their digest, and a copy of them.
//!
//! Tracked files and untracked ones that git doesn't ignore, as they are in the working tree; submodules that are
//! checked out, likewise. Outside git, everything that `.gitignore` files don't leave out. Links stay links and are
//! never followed.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use git2::Repository;
use ignore::WalkBuilder;
use sha2::{Digest as _, Sha256};

use super::repository;
use crate::model::digest::Digest;
use crate::model::tree::{LeftOut, Tree};
use crate::source::{FileSet, SourceError};

/// Most entries that a tree may have.
const MOST_ENTRIES: usize = 1_000_000;
/// Most paths that are named as left out.
const MOST_LEFT_OUT: usize = 100;

/// The files of an analysis, by path relative to its top, with the reasons of those left out.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    top: PathBuf,
    entries: BTreeMap<PathBuf, Entry>,
    left_out: BTreeMap<PathBuf, String>,
    with_git: bool,
    /// The directory looked at last, and whether it is what its path says: entries of one directory come together.
    last: Option<(PathBuf, bool)>,
}

impl Listing {
    /// Lists what the tests of the analysis at `top` see.
    ///
    /// # Errors
    /// When a directory can't be read or there are too many files.
    pub fn read(top: &Path, with_git: bool) -> Result<Self, SourceError> {
        if !top.is_dir() {
            return Err(SourceError::NoDirectory { path: top.to_owned() });
        }
        let top = top.canonicalize().map_err(|error| SourceError::io("reading", top, error))?;
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

    /// Copies the tree to `target`, a directory that exists, and says what it is.
    ///
    /// Everything is readable there by every user, as the tests may run as one that git's modes say nothing of.
    ///
    /// # Errors
    /// When a file can't be read or written; one that vanished since the listing counts as left out.
    pub fn copy(&self, target: &Path) -> Result<Tree, SourceError> {
        self.take(Some(target))
    }

    /// Says what the tree is, as [`Self::copy`] does, without copying it.
    ///
    /// # Errors
    /// When a file can't be read; one that vanished since the listing counts as left out.
    pub fn digest(&self) -> Result<Tree, SourceError> {
        self.take(None)
    }

    fn take(&self, target: Option<&Path>) -> Result<Tree, SourceError> {
        let mut copy = Copy { entries: TreeHasher::default(), bytes: 0, buffer: vec![0; 1 << 18] };
        let mut left_out = self.left_out.clone();
        for (path, entry) in &self.entries {
            let (from, to) = (self.top.join(path), target.map(|target| target.join(path)));
            if let Some(parent) = to.as_deref().and_then(Path::parent) {
                make_directories(parent)?;
            }
            let done = match entry {
                Entry::File { executable } => copy.file(path, &from, to.as_deref(), *executable)?,
                Entry::Link => copy.link(path, &from, to.as_deref())?,
            };
            if !done {
                left_out.insert(path.clone(), "it vanished while it was copied".to_owned());
            }
        }
        let left_out = left_out.into_iter().take(MOST_LEFT_OUT);
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

    /// The repository and, below it, every submodule that is checked out.
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
                None => self.leave_out(&inner, "a submodule that isn't checked out"),
            }
        }
        Ok(paths)
    }

    /// What lies below `dir` outside git.
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
                Err(error) => self.not_walked(&error),
            }
        }
        Ok(())
    }

    /// Notes a directory that can't be read. Other errors tell of lines in `.gitignore` files and leave nothing out.
    fn not_walked(&mut self, error: &ignore::Error) {
        let mut inner = error;
        while let ignore::Error::WithDepth { err, .. } = inner {
            inner = err;
        }
        if let ignore::Error::WithPath { path, err } = inner
            && let Some(reason) = err.io_error()
            && reason.kind() != ErrorKind::NotFound
        {
            self.leave_out(path, &format!("it can't be read: {reason}"));
        }
    }

    fn add_git_directory(&mut self) -> Result<(), SourceError> {
        let dir = self.top.join(".git");
        if !dir.is_dir() {
            self.leave_out(&dir, "`.git` is no directory here (a worktree, a submodule or a part of a repository)");
            return Ok(());
        }
        for entry in WalkBuilder::new(&dir).standard_filters(false).follow_links(false).build().flatten() {
            if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
                self.add(entry.path())?;
            }
        }
        Ok(())
    }

    /// Adds one path, when it lies in the analysis and still exists.
    fn add(&mut self, path: &Path) -> Result<(), SourceError> {
        let Ok(relative) = path.strip_prefix(&self.top) else { return Ok(()) };
        match fs::symlink_metadata(path).map(|metadata| kind(&metadata)) {
            // git's index may name files below what is now a link, which can lead anywhere.
            Ok(Some(_)) if self.is_below_link(path) => self.leave_out(path, "it lies below a link"),
            Ok(Some(entry)) => {
                self.entries.insert(relative.to_owned(), entry);
            }
            Ok(None) => self.leave_out(path, "neither a file nor a link"),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => self.leave_out(path, &format!("it can't be reached: {error}")),
        }
        match self.entries.len() > MOST_ENTRIES {
            true => Err(SourceError::TooMany { path: self.top.clone(), limit: MOST_ENTRIES }),
            false => Ok(()),
        }
    }

    fn is_below_link(&mut self, path: &Path) -> bool {
        let Some(parent) = path.parent() else { return false };
        match &self.last {
            Some((dir, linked)) if dir == parent => *linked,
            _ => {
                // The top has no link in it, so none of the directories below may change by following any.
                let linked = parent.canonicalize().ok().as_deref() != Some(parent);
                self.last = Some((parent.to_owned(), linked));
                linked
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
        File::open(self.top.join(path)).ok()?.take(max_bytes).read_to_end(&mut bytes).ok()?;
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

fn unreadable(workdir: &Path, reason: String) -> SourceError {
    SourceError::Git { path: workdir.to_owned(), reason }
}

/// Makes a directory and those above it that every user may enter, whatever the umask of who runs this.
fn make_directories(dir: &Path) -> Result<(), SourceError> {
    let failed = |error| SourceError::io("making", dir, error);
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        make_directories(parent)?;
    }
    fs::create_dir(dir).map_err(failed)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).map_err(failed)
}

/// The digest of a tree under way. Entries come in the order of their paths, part by part.
#[derive(Debug, Default)]
pub(super) struct TreeHasher {
    hasher: Sha256,
    count: u64,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// A file, perhaps executable.
    File { executable: bool },
    /// A link; its content is its target.
    Link,
}

impl TreeHasher {
    /// One entry: type, length of the path, path, digest of the content.
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

/// A copy under way, or only a look at what would be copied, and the digest of that.
struct Copy {
    entries: TreeHasher,
    bytes: u64,
    buffer: Vec<u8>,
}

impl Copy {
    fn file(&mut self, path: &Path, from: &Path, to: Option<&Path>, executable: bool) -> Result<bool, SourceError> {
        let Ok(mut source) = File::open(from) else { return self.unreadable(from) };
        let mut target = match to {
            Some(to) => Some((to, File::create(to).map_err(|error| SourceError::io("writing", to, error))?)),
            None => None,
        };
        let mut content = Sha256::new();
        loop {
            let n = source.read(&mut self.buffer).map_err(|error| SourceError::io("reading", from, error))?;
            if n == 0 {
                break;
            }
            content.update(&self.buffer[..n]);
            self.bytes += n as u64;
            if let Some((to, target)) = &mut target {
                target.write_all(&self.buffer[..n]).map_err(|error| SourceError::io("writing", to, error))?;
            }
        }
        if let Some((to, target)) = target {
            let permissions = fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 });
            target.set_permissions(permissions).map_err(|error| SourceError::io("writing", to, error))?;
        }
        self.entries.add(path, Entry::File { executable }, content);
        Ok(true)
    }

    fn link(&mut self, path: &Path, from: &Path, to: Option<&Path>) -> Result<bool, SourceError> {
        let Ok(aim) = fs::read_link(from) else { return Ok(false) };
        if let Some(to) = to {
            symlink(&aim, to).map_err(|error| SourceError::io("writing", to, error))?;
        }
        self.entries.add(path, Entry::Link, Sha256::new_with_prefix(aim.as_os_str().as_bytes()));
        Ok(true)
    }

    /// A file that vanished is left out; one that we may not read would make the tests fail for a reason of this machine.
    fn unreadable(&self, from: &Path) -> Result<bool, SourceError> {
        match File::open(from) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(SourceError::io("reading", from, error)),
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
    fn what_git_knows_below_a_link_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let (top, outside) = (dir.path().join("top"), dir.path().join("outside"));
        fs::create_dir_all(top.join("data")).unwrap();
        fs::create_dir(&outside).unwrap();
        for place in [&top.join("data/key"), &outside.join("key"), &top.join("seen")] {
            fs::write(place, "x").unwrap();
        }
        let repository = git2::Repository::init(&top).unwrap();
        let mut index = repository.index().unwrap();
        index.add_path(Path::new("data/key")).unwrap();
        index.write().unwrap();
        fs::remove_dir_all(top.join("data")).unwrap();
        symlink(&outside, top.join("data")).unwrap();
        let listing = Listing::read(&top, false).unwrap();
        assert_eq!(listing.paths(), ["data", "seen"]);
        assert_eq!(listing.left_out[Path::new("data/key")], "it lies below a link");
    }

    #[test]
    fn an_index_that_the_library_can_not_read_is_read_by_git_itself() {
        let git = |top: &Path, arguments: &[&str]| {
            let mut command = std::process::Command::new("git");
            command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(arguments).current_dir(top);
            command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
            assert!(command.status().unwrap().success(), "{arguments:?}");
        };
        let odd: [&[&str]; 2] =
            [&["update-index", "--split-index"], &["sparse-checkout", "set", "--cone", "--sparse-index", "in"]];
        for odd in odd {
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
            git(&top, odd);
            let there = || {
                let listing = Listing::read(&top, false).unwrap();
                listing.paths().into_iter().map(str::to_owned).collect::<Vec<_>>()
            };
            assert!(git2::Repository::open(&top).unwrap().index().is_err(), "{odd:?}: the library can");
            let is_sparse = !top.join("out").exists();
            let all = [".gitignore", "in/x", "kept.log", "out/y"];
            assert_eq!(there(), all[..if is_sparse { 3 } else { 4 }], "{odd:?}");
            assert!(!super::repository::facts(&top).dirty, "{odd:?}");
            fs::write(top.join("new"), "x").unwrap();
            fs::write(top.join("other.log"), "x").unwrap();
            assert!(there().contains(&"new".to_owned()) && !there().contains(&"other.log".to_owned()), "{odd:?}");
            assert!(super::repository::facts(&top).dirty, "{odd:?}");
        }
    }
}
