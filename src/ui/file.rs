//! Output files. A file is replaced atomically, and no link in a repository leads the output elsewhere.

use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::error::{Failure, Kind};
use crate::sys::file::{Links, SIZE_LIMIT_HINT, own_descriptor, special};

/// Maximum number of attempts to open a pipe, whose reader may start after carnet.
const MAX_ATTEMPTS: u32 = 150;
/// Time between two attempts to open a pipe.
const INTERVAL: Duration = Duration::from_millis(20);

/// A file or directory that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// An operation of the operating system failed.
    #[error("failed to write `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The directory for reports is a link, or is reached through one.
    #[error("refused to write reports to `{}`: `{}` is a symbolic link", dir.display(), link.display())]
    Link {
        /// The directory.
        dir: PathBuf,
        /// The link.
        link: PathBuf,
    },
    /// The path of the directory is a file.
    #[error("`{}` is not a directory", .0.display())]
    NotDirectory(PathBuf),
    /// The path leads through a link to a pipe, a socket or a device.
    #[error("refused to write to `{}`: it is a symbolic link to {kind}, or is reached through one", path.display())]
    LinkedDevice {
        /// The path.
        path: PathBuf,
        /// What it is: `a device`.
        kind: &'static str,
    },
    /// No program reads the pipe.
    #[error("no program reads the pipe `{}`", .0.display())]
    NoReader(PathBuf),
}

impl WriteError {
    fn io<E: Into<io::Error>>(path: &Path) -> impl FnOnce(E) -> Self + use<E> {
        let path = path.to_owned();
        |source| Self::Io { path, source: source.into() }
    }
}

impl Failure for WriteError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::FileTooLarge => SIZE_LIMIT_HINT.to_owned(),
            Self::Io { .. } => {
                "check that the directory exists and is writable, and that the disk has free space".to_owned()
            }
            Self::Link { link, .. } => {
                format!("remove the link with `rm {}`, or use another directory", link.display())
            }
            Self::NotDirectory(_) => "remove the file, or use another directory".to_owned(),
            Self::LinkedDevice { .. } => "use the path to which the link leads".to_owned(),
            Self::NoReader(_) => "start the program that reads it".to_owned(),
        })
    }
}

/// A directory for reports. It stays open, so that no program can replace it by a link while reports are written.
#[derive(Debug)]
pub struct ReportDir {
    path: PathBuf,
    fd: OwnedFd,
}

impl ReportDir {
    /// Creates the directory and its parents, with a .gitignore file that excludes it from commits and from the analysis.
    ///
    /// # Errors
    /// If it can't be created, or if a component of the path is a link and links are refused.
    pub fn create(path: &Path, links: Links) -> Result<Self, WriteError> {
        let fd = match links {
            Links::Refuse => create_without_links(path)?,
            Links::Follow => create_dir(path)?,
        };
        let dir = Self { path: path.to_owned(), fd };
        let ignore = rustix::fs::statat(&dir.fd, ".gitignore", AtFlags::SYMLINK_NOFOLLOW);
        // git does not follow a link either.
        let is_file = |mode| rustix::fs::FileType::from_raw_mode(mode) == rustix::fs::FileType::RegularFile;
        if !ignore.is_ok_and(|data| is_file(data.st_mode)) {
            dir.write(".gitignore", b"*\n")?;
        }
        Ok(dir)
    }

    /// Writes a file in the directory atomically. A link, a pipe or a device with this name is replaced.
    ///
    /// # Errors
    /// If the directory is not writable or the disk is full. An existing file is then unchanged.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
        replace(&self.fd, Path::new(name), bytes, MODE).map_err(WriteError::io(&self.path.join(name)))
    }

    /// Writes an executable file, as [`Self::write`] does.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_program(&self, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
        replace(&self.fd, Path::new(name), bytes, MODE | Mode::from_raw_mode(0o111))
            .map_err(WriteError::io(&self.path.join(name)))
    }
}

/// Default mode of new files. CI steps of other users may read reports.
const MODE: Mode = Mode::from_raw_mode(0o666);
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Creates a directory and its parents, and opens it. Links are followed.
///
/// # Errors
/// If it can't be created.
pub fn create_dir(path: &Path) -> Result<OwnedFd, WriteError> {
    std::fs::create_dir_all(path).map_err(|error| match path.metadata() {
        Ok(data) if !data.is_dir() => WriteError::NotDirectory(path.to_owned()),
        _ => WriteError::io(path)(error),
    })?;
    rustix::fs::open(path, DIRECTORY, Mode::empty()).map_err(WriteError::io(path))
}

/// Creates a directory and its parents one by one, and opens it. No component may be a link.
fn create_without_links(path: &Path) -> Result<OwnedFd, WriteError> {
    let mut dir = rustix::fs::open(".", DIRECTORY, Mode::empty()).map_err(WriteError::io(path))?;
    let mut current = PathBuf::new();
    for part in path.components() {
        current.push(part);
        let open =
            |dir: &OwnedFd| rustix::fs::openat(dir, part.as_os_str(), DIRECTORY | OFlags::NOFOLLOW, Mode::empty());
        let opened = match open(&dir) {
            Err(Errno::NOENT) => match rustix::fs::mkdirat(&dir, part.as_os_str(), Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => open(&dir),
                Err(error) => Err(error),
            },
            other => other,
        };
        dir = opened.map_err(|error| match current.symlink_metadata() {
            Ok(data) if data.is_symlink() => WriteError::Link { dir: path.to_owned(), link: current.clone() },
            Ok(data) if !data.is_dir() => WriteError::NotDirectory(current.clone()),
            _ => WriteError::io(path)(error),
        })?;
    }
    Ok(dir)
}

/// Writes a file atomically. A link, a pipe or a device with this name is replaced. Links to its directory are followed.
///
/// # Errors
/// If the directory is not writable or the disk is full. An existing file is then unchanged.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let attempt = || {
        let name = path.file_name().ok_or(Errno::ISDIR)?;
        let dir = rustix::fs::openat(CWD, parent, DIRECTORY, Mode::empty())?;
        replace(&dir, Path::new(name), bytes, MODE)
    };
    attempt().map_err(WriteError::io(path))
}

/// Writes to a path that the user typed. A pipe or a device is written to, and other files are written as by [`write()`].
///
/// # Errors
/// As [`write()`], if a link leads to a pipe or device, or if no program reads a pipe.
pub fn write_given(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    match own_descriptor(path) {
        Some(1) => return super::print_bytes(bytes).map_err(WriteError::io(path)),
        Some(_) => return write_special(path, OFlags::APPEND, bytes),
        None => {}
    }
    let Some(kind) = path.metadata().ok().and_then(|data| special(data.file_type())) else { return write(path, bytes) };
    match contains_link(path) {
        true => Err(WriteError::LinkedDevice { path: path.to_owned(), kind }),
        false => write_special(path, OFlags::NOFOLLOW, bytes),
    }
}

/// Reports whether a component of the path is a link.
fn contains_link(path: &Path) -> bool {
    let mut current = PathBuf::new();
    path.components().any(|part| {
        current.push(part);
        !matches!(part, Component::ParentDir | Component::CurDir) && current.is_symlink()
    })
}

/// Writes to a pipe or a device. Waits for the reader of a pipe.
fn write_special(path: &Path, flags: OFlags, bytes: &[u8]) -> Result<(), WriteError> {
    let flags = flags | OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut attempts = 0;
    let fd = loop {
        match rustix::fs::open(path, flags, Mode::empty()) {
            Err(Errno::NXIO) if attempts < MAX_ATTEMPTS => {
                attempts += 1;
                std::thread::sleep(INTERVAL);
            }
            Err(Errno::NXIO) => return Err(WriteError::NoReader(path.to_owned())),
            other => break other.map_err(WriteError::io(path))?,
        }
    };
    // A slow reader is not an error.
    let flags = rustix::fs::fcntl_getfl(&fd).map_err(WriteError::io(path))?;
    rustix::fs::fcntl_setfl(&fd, flags - OFlags::NONBLOCK).map_err(WriteError::io(path))?;
    std::fs::File::from(fd).write_all(bytes).map_err(WriteError::io(path))
}

/// Replaces a file in a directory atomically.
fn replace(dir: impl AsFd, name: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let (temporary, fd) = loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = format!(".carnet-{}-{number}", std::process::id());
        match rustix::fs::openat(&dir, temporary.as_str(), flags, mode) {
            // A killed process with the same id left it.
            Err(Errno::EXIST) if number < u32::MAX => {}
            other => break (temporary, other?),
        }
    };
    let mut file = std::fs::File::from(fd);
    let written = file.write_all(bytes);
    let replaced = written.and_then(|()| Ok(rustix::fs::renameat(&dir, temporary.as_str(), &dir, name)?));
    if replaced.is_err() {
        // The first error is returned, not one of the cleanup.
        let _ = rustix::fs::unlinkat(&dir, temporary.as_str(), AtFlags::empty());
    }
    replaced
}

/// Removes the directory for reports, if it contains no report.
pub fn remove_empty_report_dir(dir: &Path) {
    let mut names = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    if names.all(|name| name == ".gitignore") {
        // Failures are ignored: a remaining empty directory is harmless.
        let _ = std::fs::remove_file(dir.join(".gitignore")).and_then(|()| std::fs::remove_dir(dir));
    }
}
