//! The tree that a snapshot reads: the running system or an unpacked image.
//!
//! All file access of the probe goes through [`Root`]. In an unpacked image it follows symbolic links as the image
//! would see them, so that no link leads out of the tree; everywhere it refuses what is no regular file (a FIFO would
//! block), and bounds what it reads.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use nix::fcntl::OFlag;

/// Links followed before a path counts as a loop; what Linux allows.
const MAX_LINKS: usize = 40;
/// Entries of one directory; more is an error rather than a partial list.
const MAX_ENTRIES: usize = 100_000;
/// Bytes read of one tree altogether. A large image needs a tenth; one made to keep us busy has sparse files without end.
const BUDGET: u64 = 4 << 30;
/// Bytes of a small text file, such as `os-release` or `INSTALLER`.
pub(super) const SMALL: u64 = 256 << 10;
/// Bytes of a package database's text or of a shared library.
pub(super) const LARGE: u64 = 128 << 20;

/// A file system tree; every path given to it is absolute within the tree.
#[derive(Debug)]
pub(super) struct Root {
    base: PathBuf,
    live: bool,
    /// Directories already resolved, so that hundreds of files of one directory cost one walk.
    resolved: Mutex<HashMap<PathBuf, PathBuf>>,
    /// Directories that did not answer; nothing below them is touched again.
    dead: Vec<PathBuf>,
    /// Bytes that may still be read.
    budget: AtomicU64,
}

/// What a directory entry is; links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
    Link,
    Other,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Root {
    /// The tree below `base`; `/` itself is read as the kernel sees it.
    pub(super) fn new(base: &Path) -> Self {
        let base = fs::canonicalize(base).unwrap_or_else(|_| base.to_owned());
        let live = base == Path::new("/");
        Self { base, live, resolved: Mutex::new(HashMap::new()), dead: Vec::new(), budget: AtomicU64::new(BUDGET) }
    }

    /// The same tree, with directories that must not be touched because they don't answer.
    pub(super) fn without(mut self, dead: Vec<PathBuf>) -> Self {
        self.dead = dead;
        self
    }

    /// Whether this is the root of the running system.
    pub(super) fn is_system(&self) -> bool {
        self.live
    }

    /// Where a path within the tree leads after following every link, as a path within the tree.
    pub(super) fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.check(path)?;
        let path = absolute(path);
        if self.live {
            return fs::canonicalize(path);
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(path) };
        let known = self.lock().get(parent).cloned();
        let parent = match known {
            Some(parent) => parent,
            None => {
                let found = self.walk(parent)?;
                self.lock().insert(parent.to_owned(), found.clone());
                found
            }
        };
        self.walk(&parent.join(name))
    }

    /// Whether something stands at a path, links followed.
    pub(super) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.metadata(path).is_ok()
    }

    /// Whether a path leads to a directory.
    pub(super) fn is_dir(&self, path: impl AsRef<Path>) -> bool {
        self.metadata(path).is_ok_and(|found| found.is_dir())
    }

    /// Whether a path leads to a regular file that someone may execute.
    pub(super) fn is_executable(&self, path: impl AsRef<Path>) -> bool {
        self.metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    }

    /// What stands at a path, links followed.
    pub(super) fn metadata(&self, path: impl AsRef<Path>) -> io::Result<Metadata> {
        let path = path.as_ref();
        if self.live {
            self.check(path)?;
            return fs::metadata(absolute(path));
        }
        fs::symlink_metadata(self.outside(&self.resolve(path)?))
    }

    /// Where the link at a path points, uninterpreted; an error when it is no link.
    pub(super) fn link(&self, path: &Path) -> io::Result<PathBuf> {
        let path = absolute(path);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        fs::read_link(self.outside(&self.resolve(parent)?.join(name)))
    }

    /// The whole of a regular file of at most `cap` bytes.
    pub(super) fn read(&self, path: impl AsRef<Path>, cap: u64) -> io::Result<Vec<u8>> {
        let (file, found) = self.open(path.as_ref())?;
        let mut bytes = Vec::with_capacity(usize::try_from(found.len().min(cap)).unwrap_or_default());
        file.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
        self.spend(bytes.len())?;
        if bytes.len() as u64 > cap {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {cap} bytes")));
        }
        Ok(bytes)
    }

    /// At most the first `count` bytes of a regular file.
    pub(super) fn head(&self, path: impl AsRef<Path>, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path.as_ref())?.0.take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A small text file; bytes that aren't UTF-8 are replaced.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> io::Result<String> {
        self.read(path, SMALL).map(into_text)
    }

    /// The beginning of a file, up to and with its first empty line: the headers of a metadata file, whatever stands below.
    pub(super) fn headers(&self, path: impl AsRef<Path>) -> io::Result<String> {
        const CAP: usize = 1 << 20;
        let (mut file, _) = self.open(path.as_ref())?;
        let mut bytes = Vec::new();
        let mut chunk = [0; 8 << 10];
        loop {
            let read = file.read(&mut chunk)?;
            self.spend(read)?;
            let from = bytes.len().saturating_sub(3);
            bytes.extend_from_slice(&chunk[..read]);
            if let Some(at) = header_end(&bytes[from..]) {
                bytes.truncate(from + at);
                break;
            }
            if read == 0 || bytes.len() > CAP {
                break;
            }
        }
        Ok(into_text(bytes))
    }

    /// Hands on the lines of a regular file of at most `cap` bytes, one at a time: the largest are never held whole.
    pub(super) fn lines(&self, path: impl AsRef<Path>, cap: u64, mut each: impl FnMut(&str)) -> io::Result<()> {
        let (file, found) = self.open(path.as_ref())?;
        if found.len() > cap {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {cap} bytes")));
        }
        let mut reader = BufReader::with_capacity(16 << 10, file.take(cap));
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(());
            }
            self.spend(read)?;
            each(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        }
    }

    /// The entries of a directory, sorted by name; names that aren't UTF-8 are replaced.
    pub(super) fn list(&self, path: impl AsRef<Path>) -> io::Result<Vec<Entry>> {
        let inside = self.inside(path.as_ref())?;
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.outside(&inside))? {
            let entry = entry?;
            if entries.len() == MAX_ENTRIES {
                return Err(io::Error::other(format!("more than {MAX_ENTRIES} entries")));
            }
            let kind = entry.file_type().map_or(Kind::Other, |kind| match kind {
                kind if kind.is_dir() => Kind::Directory,
                kind if kind.is_file() => Kind::File,
                kind if kind.is_symlink() => Kind::Link,
                _ => Kind::Other,
            });
            entries.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Whether a directory has no entries; only the first is looked for.
    pub(super) fn is_empty(&self, path: impl AsRef<Path>) -> io::Result<bool> {
        let inside = self.inside(path.as_ref())?;
        fs::read_dir(self.outside(&inside))?.next().transpose().map(|entry| entry.is_none())
    }

    /// Names of a directory's entries, sorted; none when it can't be read.
    pub(super) fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        self.list(path).map(|entries| entries.into_iter().map(|entry| entry.name).collect()).unwrap_or_default()
    }

    /// Device and inode of what stands at a path: equal for two paths to one thing.
    pub(super) fn identity(&self, path: impl AsRef<Path>) -> Option<(u64, u64)> {
        self.metadata(path).ok().map(|found| (found.dev(), found.ino()))
    }

    fn open(&self, path: &Path) -> io::Result<(File, Metadata)> {
        let mut options = fs::OpenOptions::new();
        options.read(true);
        let outside = if self.live {
            self.check(path)?;
            options.custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits());
            absolute(path)
        } else {
            options.custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_NOFOLLOW).bits());
            self.outside(&self.resolve(path)?)
        };
        let file = options.open(outside)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok((file, found))
    }

    /// A path that may be handed to the kernel once it is put below the base.
    fn inside(&self, path: &Path) -> io::Result<PathBuf> {
        if self.live {
            self.check(path)?;
            Ok(absolute(path))
        } else {
            self.resolve(path)
        }
    }

    fn outside(&self, inside: &Path) -> PathBuf {
        if self.live { inside.to_owned() } else { self.base.join(inside.strip_prefix("/").unwrap_or(inside)) }
    }

    fn check(&self, path: &Path) -> io::Result<()> {
        if self.dead.iter().any(|dead| path.starts_with(dead)) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "its file system does not answer"));
        }
        Ok(())
    }

    /// Takes what was read from what may be read.
    fn spend(&self, read: usize) -> io::Result<()> {
        let take = |left: u64| left.checked_sub(read as u64);
        let spent = self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        spent.map(|_| ()).map_err(|_| io::Error::other("more was read already than any environment needs"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, PathBuf>> {
        self.resolved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows a path component by component, with absolute links starting at the tree's root and `..` stopping there.
    fn walk(&self, path: &Path) -> io::Result<PathBuf> {
        let mut pending: VecDeque<OsString> = parts(path).collect();
        let mut done = PathBuf::from("/");
        let mut links = 0;
        while let Some(part) = pending.pop_front() {
            if part == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&part);
            let outside = self.outside(&next);
            if !fs::symlink_metadata(&outside)?.is_symlink() {
                done = next;
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(io::Error::other("too many links"));
            }
            let target = fs::read_link(&outside)?;
            if target.is_absolute() {
                done = PathBuf::from("/");
            }
            for part in parts(&target).collect::<Vec<_>>().into_iter().rev() {
                pending.push_front(part);
            }
        }
        Ok(done)
    }
}

/// Why a file could not be read, as the reason of an unknown: the same words for the same fault on every machine.
pub(super) fn reason(path: impl AsRef<Path>, error: &io::Error) -> String {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "not there".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "not a directory".to_owned(),
        _ => error.to_string(),
    };
    format!("{}: {what}", path.as_ref().display())
}

/// A path without `.` and with `..` resolved by its text.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(part) => out.push(part),
            Component::ParentDir => {
                // Only the file system knows what a link's parent is: keep it for `resolve`.
                out.push("..");
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    out
}

/// Text of bytes, those that aren't UTF-8 replaced.
pub(super) fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn parts(path: &Path) -> impl Iterator<Item = OsString> + '_ {
    path.components().filter_map(|component| match component {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

fn header_end(bytes: &[u8]) -> Option<usize> {
    let newline = |at: usize| bytes.get(at) == Some(&b'\n');
    (0..bytes.len())
        .find(|&at| newline(at) && (newline(at + 1) || (bytes.get(at + 1) == Some(&b'\r') && newline(at + 2))))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir_all(dir.path().join("usr/lib")).expect("directories");
        fs::write(dir.path().join("usr/lib/a"), "inside").expect("a file");
        let root = Root::new(dir.path());
        (dir, root)
    }

    #[test]
    fn absolute_links_stay_inside_the_tree() {
        let (dir, root) = tree();
        symlink("/usr/lib", dir.path().join("lib")).expect("a link");
        symlink("/etc/passwd", dir.path().join("leak")).expect("a link");
        symlink("../../../../../../../../etc/passwd", dir.path().join("climb")).expect("a link");
        assert_eq!(root.text("/lib/a").expect("reads"), "inside");
        assert_eq!(root.resolve(Path::new("/lib/a")).expect("resolves"), Path::new("/usr/lib/a"));
        assert!(root.read("/leak", SMALL).is_err());
        assert!(root.read("/climb", SMALL).is_err());
        assert!(root.read("/../../../../../etc/passwd", SMALL).is_err());
    }

    #[test]
    fn a_loop_of_links_ends() {
        let (dir, root) = tree();
        symlink("b", dir.path().join("a")).expect("a link");
        symlink("a", dir.path().join("b")).expect("a link");
        assert!(root.resolve(Path::new("/a")).is_err());
    }

    #[test]
    fn a_fifo_is_refused_rather_than_waited_for() {
        let (dir, root) = tree();
        nix::unistd::mkfifo(&dir.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        assert!(root.read("/pipe", SMALL).is_err());
    }

    #[test]
    fn a_file_larger_than_the_cap_is_an_error() {
        let (_dir, root) = tree();
        assert_eq!(root.read("/usr/lib/a", 6).expect("fits").len(), 6);
        assert_eq!(root.read("/usr/lib/a", 5).expect_err("too large").kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_tree_without_end_is_not_read_to_its_end() {
        let (dir, root) = tree();
        let sparse = File::create(dir.path().join("sparse")).expect("a file");
        sparse.set_len(1 << 20).expect("a length");
        root.budget.store(3 << 19, Ordering::Relaxed);
        assert!(root.read("/sparse", LARGE).is_ok());
        assert!(root.read("/sparse", LARGE).is_err());
    }

    #[test]
    fn headers_end_at_the_first_empty_line() {
        let (dir, root) = tree();
        let long = format!("Name: a\nVersion: 1\n{}\n\nbody", "x".repeat(8 << 10));
        fs::write(dir.path().join("m"), &long).expect("a file");
        assert_eq!(root.headers("/m").expect("reads"), long.trim_end_matches("\n\nbody"));
        fs::write(dir.path().join("crlf"), "Name: a\r\n\r\nbody").expect("a file");
        assert_eq!(root.headers("/crlf").expect("reads"), "Name: a\r");
    }
}
