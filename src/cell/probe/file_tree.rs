//! The file tree that a snapshot reads: the running system or an unpacked image.
//!
//! The probe reads files only through [`FileTree`]. Paths of an unpacked image resolve inside it (see [`Rooted`]). In
//! both trees only regular files are read, because a FIFO would block, and the number of bytes is limited.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, FileType, OFlags};

use crate::sys::rooted::Rooted;

/// Maximum number of entries of one directory. A larger one is an error, not a partial list.
const MAX_ENTRIES: usize = 100_000;
/// Maximum number of bytes read from one tree. A large image needs a tenth; sparse files could keep the probe busy.
const MAX_TOTAL_BYTES: u64 = 4 << 30;
/// Maximum size in bytes of a small text file, such as `os-release` or `INSTALLER`.
pub(super) const MAX_SMALL_FILE_SIZE: u64 = 256 << 10;
/// Maximum size in bytes of the text of a package database or of a shared library.
pub(super) const MAX_LARGE_FILE_SIZE: u64 = 128 << 20;

/// A file system tree. Every path passed to it is absolute within the tree.
#[derive(Debug)]
pub(super) struct FileTree {
    base: Base,
    /// Directories that did not respond; no file below them is read.
    unresponsive: Vec<PathBuf>,
    /// Number of bytes that may still be read.
    budget: AtomicU64,
}

#[derive(Debug)]
enum Base {
    /// The running system, whose paths the kernel resolves.
    System,
    /// An unpacked image.
    Image(Rooted),
    /// A directory that can't be opened.
    Unreadable(io::ErrorKind),
}

/// The type of a directory entry; links are not followed.
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

impl FileTree {
    /// Returns the tree below `base`. The kernel resolves paths if `base` is `/`.
    pub(super) fn new(base: &Path) -> Self {
        let is_system = fs::canonicalize(base).is_ok_and(|base| base == Path::new("/"));
        let base = match Rooted::open(base) {
            _ if is_system => Base::System,
            Ok(rooted) => Base::Image(rooted),
            Err(error) => Base::Unreadable(error.kind()),
        };
        Self { base, unresponsive: Vec::new(), budget: AtomicU64::new(MAX_TOTAL_BYTES) }
    }

    /// Excludes directories that do not respond.
    pub(super) fn without(mut self, unresponsive: Vec<PathBuf>) -> Self {
        self.unresponsive = unresponsive;
        self
    }

    /// Reports whether this is the root of the running system.
    pub(super) fn is_system(&self) -> bool {
        matches!(self.base, Base::System)
    }

    /// Follows every link in a path and returns the resulting path within the tree.
    pub(super) fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        match self.image()? {
            Some(rooted) => Ok(rooted.find(path)?.path),
            None => fs::canonicalize(self.live(path)?),
        }
    }

    /// Reports whether a path exists; links are followed.
    pub(super) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.metadata(path).is_ok()
    }

    /// Reports whether a path leads to a directory.
    pub(super) fn is_dir(&self, path: impl AsRef<Path>) -> bool {
        self.metadata(path).is_ok_and(|found| found.is_dir())
    }

    /// Reports whether a path leads to a regular file with an execute bit.
    pub(super) fn is_executable(&self, path: impl AsRef<Path>) -> bool {
        self.metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    }

    /// Returns the metadata of a path; links are followed.
    pub(super) fn metadata(&self, path: impl AsRef<Path>) -> io::Result<Metadata> {
        match self.image()? {
            Some(rooted) => rooted.metadata(path.as_ref()),
            None => fs::metadata(self.live(path.as_ref())?),
        }
    }

    /// Returns the uninterpreted target of the link at a path.
    pub(super) fn link(&self, path: &Path) -> io::Result<PathBuf> {
        match self.image()? {
            Some(rooted) => rooted.read_link(path),
            None => fs::read_link(self.live(path)?),
        }
    }

    /// Reads a regular file of at most `max_bytes` bytes.
    pub(super) fn read(&self, path: impl AsRef<Path>, max_bytes: u64) -> io::Result<Vec<u8>> {
        let (file, found) = self.open(path.as_ref())?;
        let mut bytes = Vec::with_capacity(usize::try_from(found.len().min(max_bytes)).unwrap_or_default());
        file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        self.spend(bytes.len())?;
        if bytes.len() as u64 > max_bytes { Err(too_large(max_bytes)) } else { Ok(bytes) }
    }

    /// Reads at most the first `count` bytes of a regular file.
    pub(super) fn head(&self, path: impl AsRef<Path>, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path.as_ref())?.0.take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads a small text file; bytes that are not UTF-8 are replaced.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> io::Result<String> {
        self.read(path, MAX_SMALL_FILE_SIZE).map(into_text)
    }

    /// Reads a metadata file up to its first empty line.
    pub(super) fn headers(&self, path: impl AsRef<Path>) -> io::Result<String> {
        const MAX_BYTES: usize = 1 << 20;
        let (mut file, _) = self.open(path.as_ref())?;
        let mut bytes = Vec::new();
        let mut chunk = [0; 8 << 10];
        loop {
            let read = file.read(&mut chunk)?;
            self.spend(read)?;
            let from = bytes.len().saturating_sub(3);
            bytes.extend_from_slice(&chunk[..read]);
            if let Some(end) = header_end(&bytes[from..]) {
                bytes.truncate(from + end);
                break;
            }
            if read == 0 || bytes.len() > MAX_BYTES {
                break;
            }
        }
        Ok(into_text(bytes))
    }

    /// Calls `each` with every line of a regular file of at most `max_bytes` bytes, without loading the whole file.
    pub(super) fn lines(&self, path: impl AsRef<Path>, max_bytes: u64, mut each: impl FnMut(&str)) -> io::Result<()> {
        let (file, found) = self.open(path.as_ref())?;
        if found.len() > max_bytes {
            return Err(too_large(max_bytes));
        }
        let mut reader = BufReader::with_capacity(16 << 10, file.take(max_bytes));
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

    /// Returns the entries of a directory, sorted by name. Bytes of names that are not UTF-8 are replaced.
    pub(super) fn list(&self, path: impl AsRef<Path>) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.each_entry(path.as_ref(), |name, kind| {
            if entries.len() == MAX_ENTRIES {
                return Err(io::Error::other(format!("more than {MAX_ENTRIES} entries")));
            }
            entries.push(Entry { name: name.to_string_lossy().into_owned(), kind });
            Ok(true)
        })?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Reports whether a directory has no entries. Reads at most one.
    pub(super) fn is_empty(&self, path: impl AsRef<Path>) -> io::Result<bool> {
        let mut is_empty = true;
        self.each_entry(path.as_ref(), |_, _| {
            is_empty = false;
            Ok(false)
        })?;
        Ok(is_empty)
    }

    /// Returns the names of the entries of a directory, sorted. The list is empty if the directory can't be read.
    pub(super) fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        self.list(path).map(|entries| entries.into_iter().map(|entry| entry.name).collect()).unwrap_or_default()
    }

    /// Returns the device and inode of a path: equal for two paths to one file.
    pub(super) fn identity(&self, path: impl AsRef<Path>) -> Option<(u64, u64)> {
        self.metadata(path).ok().map(|found| (found.dev(), found.ino()))
    }

    /// Calls `each` with the entries of a directory until it returns false.
    fn each_entry(&self, path: &Path, mut each: impl FnMut(&OsStr, Kind) -> io::Result<bool>) -> io::Result<()> {
        let Some(rooted) = self.image()? else {
            for entry in fs::read_dir(self.live(path)?)? {
                let entry = entry?;
                if !each(&entry.file_name(), entry.file_type().map_or(Kind::Other, Kind::from_std))? {
                    break;
                }
            }
            return Ok(());
        };
        let mut dir = rooted.read_dir(path)?;
        while let Some(entry) = dir.read() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                let stat = rustix::fs::statat(dir.fd()?, name, AtFlags::SYMLINK_NOFOLLOW);
                kind = stat.map_or(kind, |stat| FileType::from_raw_mode(stat.st_mode));
            }
            if !each(OsStr::from_bytes(name.to_bytes()), Kind::from_rustix(kind))? {
                break;
            }
        }
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<(File, Metadata)> {
        let file = match self.image()? {
            Some(rooted) => rooted.file(path)?,
            None => {
                let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
                let flags = i32::try_from(flags).map_err(io::Error::other)?;
                fs::OpenOptions::new().read(true).custom_flags(flags).open(self.live(path)?)?
            }
        };
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok((file, found))
    }

    /// Returns the image that resolves paths, or `None` for the running system.
    fn image(&self) -> io::Result<Option<&Rooted>> {
        match &self.base {
            Base::System => Ok(None),
            Base::Image(rooted) => Ok(Some(rooted)),
            Base::Unreadable(kind) => Err((*kind).into()),
        }
    }

    /// Returns a path of the running system, unless it is below a directory that does not respond.
    fn live(&self, path: &Path) -> io::Result<PathBuf> {
        if self.unresponsive.iter().any(|directory| path.starts_with(directory)) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the file system does not respond"));
        }
        Ok(absolute(path))
    }

    /// Deducts bytes that were read from the budget.
    fn spend(&self, read: usize) -> io::Result<()> {
        let take = |left: u64| left.checked_sub(read as u64);
        let spent = self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        spent.map(|_| ()).map_err(|_| io::Error::other(format!("more than {MAX_TOTAL_BYTES} bytes read")))
    }
}

impl Kind {
    fn from_std(kind: fs::FileType) -> Self {
        match kind {
            kind if kind.is_dir() => Self::Directory,
            kind if kind.is_file() => Self::File,
            kind if kind.is_symlink() => Self::Link,
            _ => Self::Other,
        }
    }

    fn from_rustix(kind: FileType) -> Self {
        match kind {
            FileType::Directory => Self::Directory,
            FileType::RegularFile => Self::File,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

fn too_large(max_bytes: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {max_bytes} bytes"))
}

/// Describes a failure to read a file as the reason of an unknown value. The text is the same on every machine.
pub(super) fn reason(path: impl AsRef<Path>, error: &io::Error) -> String {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "not found".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "not a directory".to_owned(),
        _ => error.to_string(),
    };
    format!("{}: {what}", path.as_ref().display())
}

/// Returns an absolute path without `.`.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(part) => out.push(part),
            // Only the file system can resolve the parent of a link.
            Component::ParentDir => out.push(".."),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    out
}

/// Converts bytes to text; bytes that are not UTF-8 are replaced.
pub(super) fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn header_end(bytes: &[u8]) -> Option<usize> {
    let is_newline = |index: usize| bytes.get(index) == Some(&b'\n');
    (0..bytes.len()).find(|&index| {
        is_newline(index) && (is_newline(index + 1) || (bytes.get(index + 1) == Some(&b'\r') && is_newline(index + 2)))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> (tempfile::TempDir, FileTree) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir_all(dir.path().join("usr/lib")).expect("directories");
        fs::write(dir.path().join("usr/lib/a"), "inside").expect("a file");
        let root = FileTree::new(dir.path());
        (dir, root)
    }

    #[test]
    fn links_resolve_inside_the_tree() {
        let (dir, root) = tree();
        symlink("/usr/lib", dir.path().join("lib")).expect("a link");
        symlink("/etc/passwd", dir.path().join("leak")).expect("a link");
        symlink("../../../../../../../../etc/passwd", dir.path().join("climb")).expect("a link");
        assert_eq!(root.text("/lib/a").expect("reads"), "inside");
        assert_eq!(root.resolve(Path::new("/lib/a")).expect("resolves"), Path::new("/usr/lib/a"));
        assert!(root.read("/leak", MAX_SMALL_FILE_SIZE).is_err());
        assert!(root.read("/climb", MAX_SMALL_FILE_SIZE).is_err());
        assert!(root.read("/../../../../../etc/passwd", MAX_SMALL_FILE_SIZE).is_err());
    }

    #[test]
    fn link_loop_is_an_error() {
        let (dir, root) = tree();
        symlink("b", dir.path().join("a")).expect("a link");
        symlink("a", dir.path().join("b")).expect("a link");
        assert!(root.resolve(Path::new("/a")).is_err());
    }

    #[test]
    fn fifo_is_an_error() {
        let (dir, root) = tree();
        rustix::fs::mknodat(rustix::fs::CWD, dir.path().join("pipe"), FileType::Fifo, rustix::fs::Mode::RWXU, 0)
            .expect("a FIFO");
        assert!(root.read("/pipe", MAX_SMALL_FILE_SIZE).is_err());
    }

    #[test]
    fn file_above_the_size_limit_is_an_error() {
        let (_dir, root) = tree();
        assert_eq!(root.read("/usr/lib/a", 6).expect("fits").len(), 6);
        assert_eq!(root.read("/usr/lib/a", 5).expect_err("too large").kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn reading_more_than_the_budget_is_an_error() {
        let (dir, root) = tree();
        let sparse = File::create(dir.path().join("sparse")).expect("a file");
        sparse.set_len(1 << 20).expect("a length");
        root.budget.store(3 << 19, Ordering::Relaxed);
        assert!(root.read("/sparse", MAX_LARGE_FILE_SIZE).is_ok());
        assert!(root.read("/sparse", MAX_LARGE_FILE_SIZE).is_err());
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
