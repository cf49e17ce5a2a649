//! Writes the entries of layers into a directory, whatever they say: nothing is ever written outside of it.

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

/// Bytes a path may have, as in the kernel.
const PATH_CAP: usize = 4096;
/// Bytes of paths remembered of one layer and of all directories: millions of files have a tenth of that.
const MEMORY_CAP: usize = 1 << 30;
/// Bytes that all sparse files together may have: one may say any size and stand in the layer as a few bytes.
const SPARSE_CAP: u64 = 64 << 30;

/// Why an entry was not written.
#[derive(Debug)]
pub(super) enum Refused {
    /// No honest image holds such an entry.
    Hostile(String),
    /// The operating system refused.
    Io(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for Refused {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

/// Applies layers to a tree, lowest first.
pub(super) struct Writer {
    root: Rooted,
    /// Whether files get the owners that the layers name.
    owners: bool,
    /// The directory written to last: entries of one directory come together.
    last: Option<(Vec<u8>, Rc<OwnedFd>)>,
    /// Paths of this layer: whiteouts only take away what lies below it.
    own: HashSet<Vec<u8>>,
    /// Times of directories, set last of all, since writing into a directory changes them.
    times: BTreeMap<Vec<u8>, i64>,
    /// Bytes of the paths in `own` and `times`.
    remembered: usize,
    /// Bytes that sparse files may still have.
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
            remembered: 0,
            sparse: SPARSE_CAP,
        })
    }

    pub(super) fn start_layer(&mut self) {
        self.own.clear();
        self.remembered = self.times.keys().map(Vec::len).sum();
    }

    /// Sets what could only be set last.
    pub(super) fn finish(self) -> io::Result<()> {
        for (path, mtime) in &self.times {
            let Some((folder, name)) = split(path) else { continue };
            // A later layer may have put something else there, or nothing.
            let Ok(parent) = self.root.find(Path::new(as_os(folder))) else { continue };
            set_time(&parent.fd, name, *mtime)?;
        }
        Ok(())
    }

    /// Writes one entry of the current layer.
    pub(super) fn entry(&mut self, entry: &mut Entry<'_, impl Read>) -> Result<(), Refused> {
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        let path = clean(&entry.path_bytes())?;
        let Some((folder, name)) = split(&path) else { return self.top(entry) };
        let parent = self.parent(folder)?;
        match meaning(name) {
            Meaning::Note => return Ok(()),
            Meaning::Hides(hidden) => return self.hide(&parent, folder, hidden),
            Meaning::Opaque => return self.clear(&parent, folder),
            Meaning::File => {}
        }
        let attributes = self.attributes(entry)?;
        match kind {
            EntryType::Directory => {
                self.make_directory(&parent, name, &attributes)?;
                self.remembered += path.len();
                self.times.insert(path.clone(), attributes.mtime);
            }
            EntryType::Symlink => self.make_link(&parent, name, &link_target(entry)?, &attributes)?,
            EntryType::Link => self.make_hard_link(&parent, name, &link_target(entry)?)?,
            EntryType::Regular | EntryType::Continuous => {
                self.make_file(&parent, name, &attributes, |file| io::copy(entry, file).map(drop))?;
            }
            EntryType::GNUSparse => {
                let left = self.sparse.checked_sub(entry.size());
                let over = || Refused::Hostile(format!("sparse files have more than {SPARSE_CAP} bytes together"));
                self.sparse = left.ok_or_else(over)?;
                self.make_file(&parent, name, &attributes, |file| copy_sparse(entry, file))?;
            }
            // Devices and pipes: none is needed, and some are dangerous.
            _ => return Ok(()),
        }
        self.own(path)
    }

    /// Remembers a path of this layer with the directories above it, which may have no entry of their own.
    fn own(&mut self, path: Vec<u8>) -> Result<(), Refused> {
        let mut path = path;
        while !path.is_empty() && !self.own.contains(&path) {
            let folder = split(&path).map_or_else(Vec::new, |(folder, _)| folder.to_vec());
            self.remembered += path.len();
            self.own.insert(std::mem::replace(&mut path, folder));
        }
        if self.remembered > MEMORY_CAP {
            return Err(Refused::Hostile("the names of all entries are too long together".to_owned()));
        }
        Ok(())
    }

    fn top(&mut self, entry: &Entry<'_, impl Read>) -> Result<(), Refused> {
        if entry.header().entry_type() == EntryType::Directory {
            let attributes = self.attributes(entry)?;
            self.set_directory(self.root.fd().try_clone_to_owned()?, &attributes)?;
        }
        Ok(())
    }

    fn parent(&mut self, folder: &[u8]) -> Result<Rc<OwnedFd>, Refused> {
        if let Some((path, fd)) = &self.last
            && path == folder
        {
            return Ok(Rc::clone(fd));
        }
        let fd = match self.root.directory(Path::new(as_os(folder))) {
            Ok(found) => Rc::new(found.fd),
            Err(e) if Errno::from_io_error(&e) == Some(Errno::NOTDIR) => {
                return Err(Refused::Hostile("it lies under a file that is no directory".to_owned()));
            }
            Err(e) => return Err(e.into()),
        };
        self.last = Some((folder.to_vec(), Rc::clone(&fd)));
        Ok(fd)
    }

    fn attributes(&self, entry: &Entry<'_, impl Read>) -> Result<Attributes, Refused> {
        let header = entry.header();
        let id = |id: io::Result<u64>| id.ok().and_then(|id| u32::try_from(id).ok()).filter(|id| *id != u32::MAX);
        let owner = match (self.owners, id(header.uid()), id(header.gid())) {
            (false, ..) => None,
            (true, Some(uid), Some(gid)) => Some((Uid::from_raw(uid), Gid::from_raw(gid))),
            (true, ..) => return Err(Refused::Hostile("its owner is no user id".to_owned())),
        };
        let mode = header.mode().map_err(|_| Refused::Hostile("its mode is no number".to_owned()))? & 0o7777;
        let mtime = header.mtime().ok().and_then(|t| i64::try_from(t).ok()).unwrap_or(0);
        Ok(Attributes { mode, owner, mtime })
    }

    fn make_directory(&mut self, parent: &OwnedFd, name: &[u8], attributes: &Attributes) -> Result<(), Refused> {
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

    fn set_directory(&self, fd: OwnedFd, attributes: &Attributes) -> Result<(), Refused> {
        if let Some((uid, gid)) = attributes.owner {
            rustix::fs::chownat(&fd, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
        }
        // An ordinary user must be able to write into it now and to remove it later.
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
    ) -> Result<(), Refused> {
        let mode = Mode::RUSR | Mode::WUSR;
        let fd = self.afresh(parent, name, || rustix::fs::openat(parent, name, CREATE, mode))?;
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
    ) -> Result<(), Refused> {
        self.afresh(parent, name, || rustix::fs::symlinkat(target, parent, name))?;
        if let Some((uid, gid)) = attributes.owner {
            rustix::fs::chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
        }
        set_time(parent, name, attributes.mtime)?;
        Ok(())
    }

    fn make_hard_link(&mut self, parent: &OwnedFd, name: &[u8], target: &[u8]) -> Result<(), Refused> {
        let target = clean(target)?;
        let Some((folder, file)) = split(&target) else {
            return Err(Refused::Hostile("it is a hard link to the root".to_owned()));
        };
        let missing = || Refused::Hostile("it is a hard link to a file that isn't there".to_owned());
        let from = self.root.find(Path::new(as_os(folder))).map_err(|_| missing())?.fd;
        match rustix::fs::statat(&from, file, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                return Err(Refused::Hostile("it is a hard link to a directory".to_owned()));
            }
            Ok(_) => {}
            Err(Errno::NOENT | Errno::NOTDIR) => return Err(missing()),
            Err(e) => return Err(e.into()),
        }
        if same(&from, file, parent, name) {
            return Ok(());
        }
        self.afresh(parent, name, || rustix::fs::linkat(&from, file, parent, name, AtFlags::empty()))
    }

    /// Makes something new, after removing what has its name.
    fn afresh<T>(
        &mut self,
        parent: &OwnedFd,
        name: &[u8],
        make: impl Fn() -> rustix::io::Result<T>,
    ) -> Result<T, Refused> {
        match make() {
            Err(Errno::EXIST) => {
                self.remove(parent, name)?;
                Ok(make()?)
            }
            other => Ok(other?),
        }
    }

    fn remove(&mut self, parent: &OwnedFd, name: &[u8]) -> Result<(), Refused> {
        // What is removed may be, or lead to, the directory that is remembered.
        self.last = None;
        Ok(remove_at(parent.try_clone()?, name)?)
    }

    fn hide(&mut self, parent: &OwnedFd, folder: &[u8], hidden: &[u8]) -> Result<(), Refused> {
        if self.own.contains(&join(folder, hidden)) {
            return Ok(());
        }
        self.remove(parent, hidden)
    }

    /// Removes what lower layers put into a directory.
    fn clear(&mut self, parent: &OwnedFd, folder: &[u8]) -> Result<(), Refused> {
        self.last = None;
        let mut pending = vec![(parent.try_clone()?, folder.to_vec())];
        while let Some((fd, folder)) = pending.pop() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let open = rustix::fs::openat(&fd, ".", flags, Mode::empty())?;
            for entry in Dir::read_from(&open)? {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if name == b"." || name == b".." {
                    continue;
                }
                let path = join(&folder, name);
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

/// Copies with holes where there are only zeros, so that a sparse file takes no more of the disk than it says.
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

/// An entry's path without leading `/`, `.` and doubled slashes.
fn clean(path: &[u8]) -> Result<Vec<u8>, Refused> {
    let hostile = |reason: &str| Err(Refused::Hostile(reason.to_owned()));
    let mut clean: Vec<u8> = Vec::with_capacity(path.len());
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => continue,
            b".." => return hostile("its path leads upwards"),
            part if part.contains(&0) => return hostile("its path holds a NUL character"),
            part if part.len() > 255 => return hostile("a part of its path is longer than 255 bytes"),
            part => {
                if !clean.is_empty() {
                    clean.push(b'/');
                }
                clean.extend_from_slice(part);
            }
        }
    }
    if clean.len() > PATH_CAP { hostile("its path is longer than 4096 bytes") } else { Ok(clean) }
}

/// Directory and last name; none for the root.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.is_empty() {
        return None;
    }
    let at = path.iter().rposition(|b| *b == b'/');
    Some(at.map_or((&[][..], path), |at| (&path[..at], &path[at + 1..])))
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

fn as_os(bytes: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}

fn link_target(entry: &Entry<'_, impl Read>) -> Result<Vec<u8>, Refused> {
    match entry.link_name_bytes() {
        Some(target) if target.is_empty() || target.contains(&0) || target.len() >= PATH_CAP => {
            Err(Refused::Hostile("its target is no path".to_owned()))
        }
        Some(target) => Ok(target.into_owned()),
        None => Err(Refused::Hostile("it is a link without a target".to_owned())),
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
