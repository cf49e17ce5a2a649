//! A directory tree in which every path resolves as if the tree were `/`: no symbolic link leads out of it.
//!
//! The kernel resolves paths with `openat2(2)`. Where it lacks that call, and where the resolved path itself matters,
//! links are read and followed here, one component at a time. Either way `..`, absolute links and the magic links of
//! `/proc` stay inside the tree. The tree may change concurrently, because every step works on file descriptors.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Maximum number of links followed in one path, as in the kernel.
const MAX_LINKS: usize = 40;

/// The root of a tree.
#[derive(Debug)]
pub struct Rooted {
    fd: OwnedFd,
}

/// A resolved path.
#[derive(Debug)]
pub struct Found {
    /// The file, opened with `O_PATH`.
    pub fd: OwnedFd,
    /// The file type; never a symbolic link.
    pub kind: FileType,
    /// Whether the call created the directory.
    pub made: bool,
    /// The absolute path inside the tree, without links.
    pub path: PathBuf,
    parent: OwnedFd,
    name: OsString,
}

/// Treatment of symbolic links in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    Follow,
    Refuse,
}

const PATH_ONLY: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Flags for reading a file. A FIFO or a device must neither block nor act.
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

impl Rooted {
    /// Opens a directory of this machine as a root. Links in `path` itself are followed.
    ///
    /// # Errors
    /// Fails if the path is not a directory or can't be reached.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_with(path, OFlags::empty())
    }

    /// Opens a directory of this machine as a root, unless the last component of the path is a link.
    ///
    /// # Errors
    /// Fails if the path is not a directory or can't be reached.
    pub fn open_no_follow(path: &Path) -> io::Result<Self> {
        Self::open_with(path, OFlags::NOFOLLOW)
    }

    fn open_with(path: &Path, flags: OFlags) -> io::Result<Self> {
        let flags = flags | OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { fd: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// Returns the root directory, opened with `O_PATH`.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Resolves a path and follows links inside the tree.
    ///
    /// # Errors
    /// Fails if a component is missing or not a directory, or if links form a loop.
    pub fn find(&self, path: &Path) -> io::Result<Found> {
        self.walk(path, false, Links::Follow)
    }

    /// Returns the directory at a path. Missing directories are created with mode 0755.
    ///
    /// # Errors
    /// Fails if a component is not a directory or can't be created.
    pub fn directory(&self, path: &Path) -> io::Result<Found> {
        let found = self.walk(path, true, Links::Follow)?;
        if found.kind == FileType::Directory { Ok(found) } else { Err(Errno::NOTDIR.into()) }
    }

    /// Returns the file at a path. A missing file is created empty, with its parents, and replaces a dangling link.
    ///
    /// # Errors
    /// Fails if the path is a directory or the file can't be created.
    pub fn find_or_create_file(&self, path: &Path) -> io::Result<Found> {
        match self.find(path) {
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
        self.find(path)
    }

    /// Opens a regular file for reading and follows links inside the tree.
    ///
    /// # Errors
    /// Fails if the path does not exist or is not a regular file.
    pub fn file(&self, path: &Path) -> io::Result<File> {
        regular(self.open_inside(path, READ, Links::Follow)?)
    }

    /// Opens a regular file for reading. No component of the path may be a link or `..`.
    ///
    /// # Errors
    /// Fails if the path does not exist, contains a link or is not a regular file.
    pub fn file_without_links(&self, path: &Path) -> io::Result<File> {
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(Errno::INVAL.into());
        }
        regular(self.open_inside(path, READ, Links::Refuse)?)
    }

    /// Returns the metadata of the file at a path and follows links inside the tree.
    ///
    /// # Errors
    /// Fails if the path does not exist.
    pub fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        File::from(self.open_inside(path, OFlags::PATH | OFlags::CLOEXEC, Links::Follow)?).metadata()
    }

    /// Opens a directory for listing and follows links inside the tree.
    ///
    /// # Errors
    /// Fails if the path is not a directory or can't be read.
    pub fn read_dir(&self, path: &Path) -> io::Result<Dir> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Dir::new(self.open_inside(path, flags, Links::Follow)?)?)
    }

    /// Returns the uninterpreted target of the link at a path.
    ///
    /// # Errors
    /// Fails if the path does not exist or is not a link.
    pub fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let parent = self.open_inside(parent, OFlags::PATH | OFlags::CLOEXEC, Links::Follow)?;
        let target = rustix::fs::readlinkat(&parent, name, Vec::new())?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    /// Opens a file by one system call if the kernel has it, and component by component otherwise.
    fn open_inside(&self, path: &Path, flags: OFlags, links: Links) -> io::Result<OwnedFd> {
        let resolve = match links {
            Links::Follow => ResolveFlags::IN_ROOT,
            Links::Refuse => ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
        };
        let whole = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        match rustix::fs::openat2(&self.fd, whole, flags, Mode::empty(), resolve) {
            // Kernels before 5.6 lack the call and some sandboxes forbid it. The other two errors are for a concurrent
            // rename and a path longer than the kernel takes at once.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::NAMETOOLONG) => {
                self.open_by_walk(path, flags, links)
            }
            other => Ok(other?),
        }
    }

    fn open_by_walk(&self, path: &Path, flags: OFlags, links: Links) -> io::Result<OwnedFd> {
        let found = self.walk(path, false, links)?;
        Ok(rustix::fs::openat(&found.parent, &found.name, flags | OFlags::NOFOLLOW, Mode::empty())?)
    }

    fn walk(&self, path: &Path, make: bool, links: Links) -> io::Result<Found> {
        let mut pending = names(path.as_os_str());
        let mut stack: Vec<(OwnedFd, OsString)> = Vec::new();
        let (mut followed, mut made) = (0, false);
        while let Some(name) = pending.pop() {
            if name == ".." {
                stack.pop();
                continue;
            }
            let parent = stack.last().map_or(self.fd.as_fd(), |(fd, _)| fd.as_fd());
            let fd = match rustix::fs::openat(parent, &name, PATH_ONLY, Mode::empty()) {
                Err(Errno::NOENT) if make => {
                    rustix::fs::mkdirat(parent, &name, Mode::RWXU)?;
                    // A separate call, because the umask of the process applies to the first.
                    rustix::fs::chmodat(parent, &name, Mode::from_raw_mode(0o755), AtFlags::empty())?;
                    made = true;
                    rustix::fs::openat(parent, &name, PATH_ONLY, Mode::empty())?
                }
                other => other?,
            };
            match FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) {
                FileType::Directory => stack.push((fd, name)),
                FileType::Symlink => {
                    followed += 1;
                    if followed > MAX_LINKS || links == Links::Refuse {
                        return Err(Errno::LOOP.into());
                    }
                    let target = rustix::fs::readlinkat(parent, &name, Vec::new())?.into_bytes();
                    if target.starts_with(b"/") {
                        stack.clear();
                    }
                    pending.extend(names(&OsString::from_vec(target)));
                }
                _ if !pending.is_empty() => return Err(Errno::NOTDIR.into()),
                kind => {
                    let parent = parent.try_clone_to_owned()?;
                    let path = path_of(&stack).join(&name);
                    return Ok(Found { fd, kind, made: false, path, parent, name });
                }
            }
        }
        let path = path_of(&stack);
        let (fd, name) = match stack.pop() {
            Some(top) => top,
            None => (self.fd.try_clone()?, OsString::from(".")),
        };
        let parent = stack.last().map_or(self.fd.as_fd(), |(fd, _)| fd.as_fd()).try_clone_to_owned()?;
        Ok(Found { fd, kind: FileType::Directory, made, path, parent, name })
    }
}

fn path_of(stack: &[(OwnedFd, OsString)]) -> PathBuf {
    let mut path = PathBuf::from("/");
    path.extend(stack.iter().map(|(_, name)| name));
    path
}

fn is_link(parent: &OwnedFd, name: &OsStr) -> bool {
    let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW);
    stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

fn regular(fd: OwnedFd) -> io::Result<File> {
    match FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) {
        FileType::RegularFile => Ok(File::from(fd)),
        FileType::Directory => Err(Errno::ISDIR.into()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// Returns the components of a path, last first, without empty ones and `.`.
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
    fn links_and_dots_resolve_inside_the_tree() {
        let dir = tree();
        let path = dir.path().join("root");
        symlink("/etc", path.join("absolute")).unwrap();
        symlink("../../../../etc", path.join("dots")).unwrap();
        symlink("dots/passwd", path.join("file")).unwrap();
        let root = Rooted::open(&path).unwrap();
        for path in ["/etc/passwd", "../etc/passwd", "absolute/passwd", "dots/passwd", "file", "etc/../../etc/passwd"] {
            assert_eq!(read(&root, path).unwrap(), "inside", "{path}");
            let walked = root.open_by_walk(Path::new(path), READ, Links::Follow).unwrap();
            assert_eq!(io::read_to_string(File::from(walked)).unwrap(), "inside", "{path}");
            assert_eq!(root.find(Path::new(path)).unwrap().path, Path::new("/etc/passwd"), "{path}");
        }
    }

    #[test]
    fn link_loop_is_an_error() {
        let dir = tree();
        let path = dir.path().join("root");
        symlink("b", path.join("a")).unwrap();
        symlink("a", path.join("b")).unwrap();
        let error = read(&Rooted::open(&path).unwrap(), "a/x").unwrap_err();
        assert_eq!(Errno::from_io_error(&error), Some(Errno::LOOP));
    }

    #[test]
    fn directory_is_created_inside_the_tree_through_a_link() {
        let dir = tree();
        let path = dir.path().join("root");
        symlink("/new/place", path.join("link")).unwrap();
        let root = Rooted::open(&path).unwrap();
        assert!(root.directory(Path::new("link/deep")).unwrap().made);
        assert!(path.join("new/place/deep").is_dir());
        assert!(!root.directory(Path::new("link/deep")).unwrap().made);
    }

    #[test]
    fn file_without_links_refuses_links_and_dots() {
        let dir = tree();
        let path = dir.path().join("root");
        symlink("etc", path.join("link")).unwrap();
        symlink("etc/passwd", path.join("file")).unwrap();
        let root = Rooted::open_no_follow(&path).unwrap();
        assert!(root.file_without_links(Path::new("etc/passwd")).is_ok());
        for refused in ["link/passwd", "file", "etc/../etc/passwd", "/etc/passwd", "etc"] {
            assert!(root.file_without_links(Path::new(refused)).is_err(), "{refused}");
        }
        for refused in ["link/passwd", "file"] {
            assert!(root.open_by_walk(Path::new(refused), READ, Links::Refuse).is_err(), "{refused}");
        }
        symlink("root", dir.path().join("alias")).unwrap();
        assert!(Rooted::open_no_follow(&dir.path().join("alias")).is_err());
    }
}
