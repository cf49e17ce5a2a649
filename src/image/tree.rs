//! Writes the entries of layers into a directory. Even a malicious entry is never written outside it.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid};
use rustix::io::Errno;
use tar::{Entry, EntryType};

use super::whiteout::{Meaning, meaning};
use crate::sys::remove::remove_at;
use crate::sys::rooted::Rooted;

/// Maximum length of a path in bytes, as in the kernel.
const MAX_PATH_LEN: usize = 4096;
/// Maximum total length of the recorded paths in bytes; millions of files need a tenth of it.
const MAX_RECORDED: usize = 1 << 30;
/// Maximum total size of all sparse files in bytes: a small entry can declare any size.
const MAX_SPARSE_SIZE: u64 = 64 << 30;

/// An entry cannot be written.
#[derive(Debug)]
pub(super) enum EntryError {
    /// The entry is invalid or malicious.
    Invalid(String),
    /// An operation of the operating system failed.
    Io(io::Error),
}

impl From<io::Error> for EntryError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for EntryError {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

/// A writer that applies layers to a tree, lowest first.
pub(super) struct Writer {
    root: Rooted,
    /// Whether files get the owners stated in the layers.
    owners: bool,
    /// The last used directory, because entries of one directory are usually adjacent.
    last: Option<(Vec<u8>, Rc<OwnedFd>)>,
    /// Paths of this layer: whiteouts only hide entries of lower layers.
    own: HashSet<Vec<u8>>,
    /// Times of directories, set at the end because writing into a directory changes them.
    times: BTreeMap<Vec<u8>, i64>,
    /// Total length of the paths in `own` and `times` in bytes.
    recorded: usize,
    /// Remaining size of sparse files in bytes.
    sparse: u64,
}

struct Attributes {
    mode: u32,
    owner: Option<(Uid, Gid)>,
    mtime: i64,
}

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const CREATE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Writer {
    pub(super) fn open(rootfs: &Path) -> io::Result<Self> {
        let root = Rooted::open(rootfs)?;
        rustix::fs::chmodat(root.fd(), ".", Mode::from_raw_mode(0o755), AtFlags::empty())?;
        let owners = rustix::process::geteuid().is_root();
        Ok(Self {
            root,
            owners,
            last: None,
            own: HashSet::new(),
            times: BTreeMap::new(),
            recorded: 0,
            sparse: MAX_SPARSE_SIZE,
        })
    }

    pub(super) fn start_layer(&mut self) {
        self.own.clear();
        self.recorded = self.times.keys().map(Vec::len).sum();
    }

    /// Sets the times of directories.
    pub(super) fn finish(self) -> io::Result<()> {
        for (path, mtime) in &self.times {
            let Some((parent_path, name)) = split(path) else { continue };
            // A later layer may have replaced or removed the directory.
            let Ok(parent) = self.root.find(Path::new(as_os(parent_path))) else { continue };
            set_time(&parent.fd, name, *mtime)?;
        }
        Ok(())
    }

    /// Writes one entry of the current layer.
    pub(super) fn entry(&mut self, entry: &mut Entry<'_, impl Read>) -> Result<(), EntryError> {
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        let path = clean(&entry.path_bytes())?;
        let Some((parent_path, name)) = split(&path) else { return self.top(entry) };
        let parent = self.parent(parent_path)?;
        match meaning(name) {
            Meaning::Metadata => return Ok(()),
            Meaning::Hides(hidden) => return self.hide(&parent, parent_path, hidden),
            Meaning::Opaque => return self.clear(&parent, parent_path),
            Meaning::File => {}
        }
        let attributes = self.attributes(entry)?;
        match kind {
            EntryType::Directory => {
                self.make_directory(&parent, name, &attributes)?;
                self.recorded += path.len();
                self.times.insert(path.clone(), attributes.mtime);
            }
            EntryType::Symlink => self.make_link(&parent, name, &link_target(entry)?, &attributes)?,
            EntryType::Link => self.make_hard_link(&parent, name, &link_target(entry)?)?,
            EntryType::Regular | EntryType::Continuous => {
                self.make_file(&parent, name, &attributes, |file| io::copy(entry, file).map(drop))?;
            }
            EntryType::GNUSparse => {
                let remaining = self.sparse.checked_sub(entry.size());
                let over =
                    || EntryError::Invalid(format!("the total size of sparse files exceeds {MAX_SPARSE_SIZE} bytes"));
                self.sparse = remaining.ok_or_else(over)?;
                self.make_file(&parent, name, &attributes, |file| copy_sparse(entry, file))?;
            }
            // Devices and pipes are not needed, and some are dangerous.
            _ => return Ok(()),
        }
        self.own(path)
    }

    /// Records a path of this layer and its parent directories, which may not have entries.
    fn own(&mut self, path: Vec<u8>) -> Result<(), EntryError> {
        let mut path = path;
        while !path.is_empty() && !self.own.contains(&path) {
            let parent_path = split(&path).map_or_else(Vec::new, |(parent_path, _)| parent_path.to_vec());
            self.recorded += path.len();
            self.own.insert(std::mem::replace(&mut path, parent_path));
        }
        if self.recorded > MAX_RECORDED {
            return Err(EntryError::Invalid("the names of all entries are too long in total".to_owned()));
        }
        Ok(())
    }

    fn top(&mut self, entry: &Entry<'_, impl Read>) -> Result<(), EntryError> {
        if entry.header().entry_type() == EntryType::Directory {
            let attributes = self.attributes(entry)?;
            self.set_directory(self.root.fd().try_clone_to_owned()?, &attributes)?;
        }
        Ok(())
    }

    fn parent(&mut self, parent_path: &[u8]) -> Result<Rc<OwnedFd>, EntryError> {
        if let Some((path, fd)) = &self.last
            && path == parent_path
        {
            return Ok(Rc::clone(fd));
        }
        let fd = match self.root.directory(Path::new(as_os(parent_path))) {
            Ok(found) => Rc::new(found.fd),
            Err(e) if Errno::from_io_error(&e) == Some(Errno::NOTDIR) => {
                return Err(EntryError::Invalid("a parent is not a directory".to_owned()));
            }
            Err(e) => return Err(e.into()),
        };
        self.last = Some((parent_path.to_vec(), Rc::clone(&fd)));
        Ok(fd)
    }

    fn attributes(&self, entry: &Entry<'_, impl Read>) -> Result<Attributes, EntryError> {
        let header = entry.header();
        let id = |id: io::Result<u64>| id.ok().and_then(|id| u32::try_from(id).ok()).filter(|id| *id != u32::MAX);
        let owner = match (self.owners, id(header.uid()), id(header.gid())) {
            (false, ..) => None,
            (true, Some(uid), Some(gid)) => Some((Uid::from_raw(uid), Gid::from_raw(gid))),
            (true, ..) => return Err(EntryError::Invalid("invalid owner".to_owned())),
        };
        let mode = header.mode().map_err(|_| EntryError::Invalid("invalid mode".to_owned()))? & 0o7777;
        let mtime = header.mtime().ok().and_then(|t| i64::try_from(t).ok()).unwrap_or(0);
        Ok(Attributes { mode, owner, mtime })
    }

    fn make_directory(&mut self, parent: &OwnedFd, name: &[u8], attributes: &Attributes) -> Result<(), EntryError> {
        match rustix::fs::mkdirat(parent, name, Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST) if is_directory(parent, name)? => {}
            Err(Errno::EXIST) => {
                self.remove(parent, name)?;
                rustix::fs::mkdirat(parent, name, Mode::RWXU)?;
            }
            Err(e) => return Err(e.into()),
        }
        let fd = rustix::fs::openat(parent, name, DIRECTORY, Mode::empty())?;
        self.set_directory(fd, attributes)
    }

    fn set_directory(&self, fd: OwnedFd, attributes: &Attributes) -> Result<(), EntryError> {
        if let Some((uid, gid)) = attributes.owner {
            rustix::fs::chownat(&fd, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
        }
        // A non-root user must be able to write into it and to remove it later.
        let mode = if self.owners { attributes.mode } else { attributes.mode | 0o700 };
        rustix::fs::chmodat(&fd, ".", Mode::from_raw_mode(mode), AtFlags::empty())?;
        Ok(())
    }

    fn make_file(
        &mut self,
        parent: &OwnedFd,
        name: &[u8],
        attributes: &Attributes,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), EntryError> {
        let mode = Mode::RUSR | Mode::WUSR;
        let fd = self.replace(parent, name, || rustix::fs::openat(parent, name, CREATE, mode))?;
        let mut file = File::from(fd);
        fill(&mut file)?;
        if let Some((uid, gid)) = attributes.owner {
            rustix::fs::fchown(&file, Some(uid), Some(gid))?;
        }
        // After the owner: a change of owner clears the set-user-id bit.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(attributes.mode))?;
        rustix::fs::futimens(&file, &times(attributes.mtime))?;
        Ok(())
    }

    fn make_link(
        &mut self,
        parent: &OwnedFd,
        name: &[u8],
        target: &[u8],
        attributes: &Attributes,
    ) -> Result<(), EntryError> {
        self.replace(parent, name, || rustix::fs::symlinkat(target, parent, name))?;
        if let Some((uid, gid)) = attributes.owner {
            rustix::fs::chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
        }
        set_time(parent, name, attributes.mtime)?;
        Ok(())
    }

    fn make_hard_link(&mut self, parent: &OwnedFd, name: &[u8], target: &[u8]) -> Result<(), EntryError> {
        let target = clean(target)?;
        let Some((parent_path, file)) = split(&target) else {
            return Err(EntryError::Invalid("hard link to the root directory".to_owned()));
        };
        let missing = || EntryError::Invalid("hard link to a missing file".to_owned());
        let from = self.root.find(Path::new(as_os(parent_path))).map_err(|_| missing())?.fd;
        match rustix::fs::statat(&from, file, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                return Err(EntryError::Invalid("hard link to a directory".to_owned()));
            }
            Ok(_) => {}
            Err(Errno::NOENT | Errno::NOTDIR) => return Err(missing()),
            Err(e) => return Err(e.into()),
        }
        if same(&from, file, parent, name) {
            return Ok(());
        }
        self.replace(parent, name, || rustix::fs::linkat(&from, file, parent, name, AtFlags::empty()))
    }

    /// Creates an entry, replacing an existing one.
    fn replace<T>(
        &mut self,
        parent: &OwnedFd,
        name: &[u8],
        make: impl Fn() -> rustix::io::Result<T>,
    ) -> Result<T, EntryError> {
        match make() {
            Err(Errno::EXIST) => {
                self.remove(parent, name)?;
                Ok(make()?)
            }
            other => Ok(other?),
        }
    }

    fn remove(&mut self, parent: &OwnedFd, name: &[u8]) -> Result<(), EntryError> {
        // The last used directory may be removed.
        self.last = None;
        Ok(remove_at(parent.try_clone()?, name)?)
    }

    fn hide(&mut self, parent: &OwnedFd, parent_path: &[u8], hidden: &[u8]) -> Result<(), EntryError> {
        if self.own.contains(&join(parent_path, hidden)) {
            return Ok(());
        }
        self.remove(parent, hidden)
    }

    /// Removes the entries of lower layers from a directory.
    fn clear(&mut self, parent: &OwnedFd, parent_path: &[u8]) -> Result<(), EntryError> {
        self.last = None;
        let mut pending = vec![(parent.try_clone()?, parent_path.to_vec())];
        while let Some((fd, parent_path)) = pending.pop() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let open = rustix::fs::openat(&fd, ".", flags, Mode::empty())?;
            for entry in Dir::read_from(&open)? {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if name == b"." || name == b".." {
                    continue;
                }
                let path = join(&parent_path, name);
                if !self.own.contains(&path) {
                    remove_at(fd.try_clone()?, name)?;
                } else if is_directory(&fd, name)? {
                    pending.push((rustix::fs::openat(&fd, name, DIRECTORY, Mode::empty())?, path));
                }
            }
        }
        Ok(())
    }
}

/// Copies with holes instead of zeros, so a sparse file stays sparse.
fn copy_sparse(content: &mut impl Read, file: &mut File) -> io::Result<()> {
    let mut chunk = vec![0; 1 << 16];
    loop {
        let n = content.read(&mut chunk)?;
        let (read, hole) = (&chunk[..n], i64::try_from(n).unwrap_or(i64::MAX));
        if n == 0 {
            let length = file.stream_position()?;
            return file.set_len(length);
        }
        if read.iter().all(|byte| *byte == 0) {
            file.seek(SeekFrom::Current(hole))?;
        } else {
            file.write_all(read)?;
        }
    }
}

/// Normalises the path of an entry: without leading `/`, `.` and repeated slashes.
fn clean(path: &[u8]) -> Result<Vec<u8>, EntryError> {
    let invalid = |reason: &str| Err(EntryError::Invalid(reason.to_owned()));
    let mut clean: Vec<u8> = Vec::with_capacity(path.len());
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => continue,
            b".." => return invalid("path contains `..`"),
            part if part.contains(&0) => return invalid("path contains a NUL character"),
            part if part.len() > 255 => return invalid("path component is longer than 255 bytes"),
            part => {
                if !clean.is_empty() {
                    clean.push(b'/');
                }
                clean.extend_from_slice(part);
            }
        }
    }
    if clean.len() > MAX_PATH_LEN { invalid("path is longer than 4096 bytes") } else { Ok(clean) }
}

/// Splits a path into directory and file name. `None` for the root.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.is_empty() {
        return None;
    }
    let slash = path.iter().rposition(|b| *b == b'/');
    Some(slash.map_or((&[][..], path), |slash| (&path[..slash], &path[slash + 1..])))
}

fn join(parent_path: &[u8], name: &[u8]) -> Vec<u8> {
    if parent_path.is_empty() { name.to_vec() } else { [parent_path, b"/", name].concat() }
}

fn as_os(bytes: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}

fn link_target(entry: &Entry<'_, impl Read>) -> Result<Vec<u8>, EntryError> {
    match entry.link_name_bytes() {
        Some(target) if target.is_empty() || target.contains(&0) || target.len() >= MAX_PATH_LEN => {
            Err(EntryError::Invalid("invalid link target".to_owned()))
        }
        Some(target) => Ok(target.into_owned()),
        None => Err(EntryError::Invalid("link without a target".to_owned())),
    }
}

fn is_directory(parent: &OwnedFd, name: &[u8]) -> io::Result<bool> {
    let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn same(a: &OwnedFd, a_name: &[u8], b: &OwnedFd, b_name: &[u8]) -> bool {
    let stat = |fd: &OwnedFd, name: &[u8]| rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW);
    match (stat(a, a_name), stat(b, b_name)) {
        (Ok(a), Ok(b)) => (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino),
        _ => false,
    }
}

fn times(mtime: i64) -> Timestamps {
    let last_access = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    Timestamps { last_access, last_modification: Timespec { tv_sec: mtime, tv_nsec: 0 } }
}

fn set_time(parent: &OwnedFd, name: &[u8], mtime: i64) -> io::Result<()> {
    match rustix::fs::utimensat(parent.as_fd(), name, &times(mtime), AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(()),
        other => Ok(other?),
    }
}
