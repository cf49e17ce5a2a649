//! A directory tree in which every path is resolved as if the tree were `/`: no link leads out of it.
//!
//! Links are read as text and followed by hand, one component at a time, so that neither `..`, an absolute link nor a
//! magic link of `/proc` ever leaves the tree. Nobody else may change the tree meanwhile, or may only change it to
//! something that is also inside.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

/// Links followed in one path, as in the kernel.
const LINK_CAP: usize = 40;

/// The root of a tree.
#[derive(Debug)]
pub struct Rooted {
    fd: OwnedFd,
}

/// What a path led to.
#[derive(Debug)]
pub struct Found {
    /// The file, opened with `O_PATH`.
    pub fd: OwnedFd,
    /// What it is; never a symbolic link.
    pub kind: FileType,
    /// Whether it was made on the way.
    pub made: bool,
    parent: OwnedFd,
    name: OsString,
}

const PLACE: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

impl Rooted {
    /// Opens a directory of this machine as a root; links in `path` itself are followed as usual.
    ///
    /// # Errors
    /// When it isn't a directory or can't be reached.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { fd: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// The root directory itself, opened with `O_PATH`.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Resolves a path, following links inside.
    ///
    /// # Errors
    /// When a part of it is missing or no directory, or links run in circles.
    pub fn find(&self, path: &Path) -> io::Result<Found> {
        self.walk(path, false)
    }

    /// The directory at a path, made with its parents (mode 0755) where missing.
    ///
    /// # Errors
    /// When a part of the path is no directory, or can't be made.
    pub fn directory(&self, path: &Path) -> io::Result<Found> {
        let found = self.walk(path, true)?;
        if found.kind == FileType::Directory { Ok(found) } else { Err(Errno::NOTDIR.into()) }
    }

    /// The file at a path, made empty where missing, with its parents; a link that leads nowhere is replaced.
    ///
    /// # Errors
    /// When a directory lies there, or it can't be made.
    pub fn place_for_file(&self, path: &Path) -> io::Result<Found> {
        match self.walk(path, false) {
            Ok(found) if found.kind == FileType::Directory => return Err(Errno::ISDIR.into()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Err(Errno::ISDIR.into()) };
        let parent = self.directory(folder)?.fd;
        if is_link(&parent, name) {
            rustix::fs::unlinkat(&parent, name, AtFlags::empty())?;
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o644))?;
        self.walk(path, false)
    }

    /// Opens a regular file for reading, following links inside.
    ///
    /// # Errors
    /// When there is none, or it is no regular file.
    pub fn file(&self, path: &Path) -> io::Result<File> {
        let found = self.walk(path, false)?;
        regular(rustix::fs::openat(&found.parent, &found.name, READ, Mode::empty())?)
    }

    fn walk(&self, path: &Path, make: bool) -> io::Result<Found> {
        let mut pending = names(path.as_os_str());
        let mut stack: Vec<(OwnedFd, OsString)> = Vec::new();
        let (mut links, mut made) = (0, false);
        while let Some(name) = pending.pop() {
            if name == ".." {
                stack.pop();
                continue;
            }
            let at = stack.last().map_or(self.fd.as_fd(), |(fd, _)| fd.as_fd());
            let fd = match rustix::fs::openat(at, &name, PLACE, Mode::empty()) {
                Err(Errno::NOENT) if make => {
                    rustix::fs::mkdirat(at, &name, Mode::RWXU)?;
                    // By itself: the process's mask would take bits away.
                    rustix::fs::chmodat(at, &name, Mode::from_raw_mode(0o755), AtFlags::empty())?;
                    made = true;
                    rustix::fs::openat(at, &name, PLACE, Mode::empty())?
                }
                other => other?,
            };
            match FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) {
                FileType::Directory => stack.push((fd, name)),
                FileType::Symlink => {
                    links += 1;
                    if links > LINK_CAP {
                        return Err(Errno::LOOP.into());
                    }
                    let target = rustix::fs::readlinkat(at, &name, Vec::new())?.into_bytes();
                    if target.starts_with(b"/") {
                        stack.clear();
                    }
                    pending.extend(names(&OsString::from_vec(target)));
                }
                _ if !pending.is_empty() => return Err(Errno::NOTDIR.into()),
                kind => {
                    let parent = at.try_clone_to_owned()?;
                    return Ok(Found { fd, kind, made: false, parent, name });
                }
            }
        }
        let (fd, name) = match stack.pop() {
            Some(top) => top,
            None => (self.fd.try_clone()?, OsString::from(".")),
        };
        let parent = stack.last().map_or(self.fd.as_fd(), |(fd, _)| fd.as_fd()).try_clone_to_owned()?;
        Ok(Found { fd, kind: FileType::Directory, made, parent, name })
    }
}

fn is_link(parent: &OwnedFd, name: &OsStr) -> bool {
    let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW);
    stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

fn regular(fd: OwnedFd) -> io::Result<File> {
    match FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) {
        FileType::RegularFile => Ok(File::from(fd)),
        FileType::Directory => Err(Errno::ISDIR.into()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
    }
}

/// The components of a path, last first, without empty ones and `.`.
fn names(path: &OsStr) -> Vec<OsString> {
    let mut names: Vec<OsString> = path
        .as_bytes()
        .split(|b| *b == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(|part| OsStr::from_bytes(part).to_owned())
        .collect();
    names.reverse();
    names
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("root/etc")).unwrap();
        fs::write(dir.path().join("root/etc/passwd"), "inside").unwrap();
        fs::create_dir_all(dir.path().join("etc")).unwrap();
        fs::write(dir.path().join("etc/passwd"), "outside").unwrap();
        dir
    }

    fn read(root: &Rooted, path: &str) -> io::Result<String> {
        let mut text = String::new();
        root.file(Path::new(path))?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn links_and_dots_stay_inside() {
        let dir = tree();
        let at = dir.path().join("root");
        symlink("/etc", at.join("absolute")).unwrap();
        symlink("../../../../etc", at.join("dots")).unwrap();
        symlink("dots/passwd", at.join("file")).unwrap();
        let root = Rooted::open(&at).unwrap();
        for path in ["/etc/passwd", "../etc/passwd", "absolute/passwd", "dots/passwd", "file", "etc/../../etc/passwd"] {
            assert_eq!(read(&root, path).unwrap(), "inside", "{path}");
        }
    }

    #[test]
    fn circles_end() {
        let dir = tree();
        let at = dir.path().join("root");
        symlink("b", at.join("a")).unwrap();
        symlink("a", at.join("b")).unwrap();
        let error = read(&Rooted::open(&at).unwrap(), "a/x").unwrap_err();
        assert_eq!(Errno::from_io_error(&error), Some(Errno::LOOP));
    }

    #[test]
    fn directories_are_made_inside_even_through_links() {
        let dir = tree();
        let at = dir.path().join("root");
        symlink("/new/place", at.join("link")).unwrap();
        let root = Rooted::open(&at).unwrap();
        assert!(root.directory(Path::new("link/deep")).unwrap().made);
        assert!(at.join("new/place/deep").is_dir());
        assert!(!root.directory(Path::new("link/deep")).unwrap().made);
    }
}
