//! Reads the result of a run from a directory that the run could do anything to.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;

/// Why a result can't be brought back.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// It is something else than a regular file, or lies below a link.
    #[error("the result `{0}` is no regular file, or a link leads to it")]
    NotAFile(String),
    /// It is too large.
    #[error("the result `{path}` is larger than the {cap} bytes it may have")]
    TooLarge {
        /// The file.
        path: String,
        /// Bytes it may have.
        cap: u64,
    },
    /// It can't be read.
    #[error("can't read the result `{0}`")]
    Read(String, #[source] io::Error),
}

/// The file at `path` below `root`, or none when there is no such file. No link is followed below `root`, and nothing
/// but a regular file of at most `cap` bytes is read.
///
/// # Errors
/// See [`ResultError`].
pub fn read_below(root: &Path, path: &Path, cap: u64) -> Result<Option<Vec<u8>>, ResultError> {
    let name = || path.display().to_string();
    match open_below(root, path) {
        Ok(fd) => read_file(fd.into(), &name(), cap).map(Some),
        Err(Errno::ENOENT) => Ok(None),
        Err(Errno::ELOOP | Errno::ENOTDIR | Errno::ENXIO | Errno::EINVAL) => Err(ResultError::NotAFile(name())),
        Err(errno) => Err(ResultError::Read(name(), errno.into())),
    }
}

/// Opens one directory after the other, so that no part of the path can be a link.
fn open_below(root: &Path, path: &Path) -> nix::Result<OwnedFd> {
    let dir = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_PATH;
    // A fifo or a device must neither block nor act.
    let file = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let mut at = open(root, dir, Mode::empty())?;
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(part) = part else { return Err(Errno::EINVAL) };
        let last = parts.peek().is_none();
        at = openat(&at, part, if last { file } else { dir }, Mode::empty())?;
    }
    Ok(at)
}

fn read_file(file: File, name: &str, cap: u64) -> Result<Vec<u8>, ResultError> {
    let failed = |error| ResultError::Read(name.to_owned(), error);
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(ResultError::NotAFile(name.to_owned()));
    }
    let too_large = || ResultError::TooLarge { path: name.to_owned(), cap };
    if metadata.len() > cap {
        return Err(too_large());
    }
    let mut content = Vec::new();
    file.take(cap.saturating_add(1)).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > cap { Err(too_large()) } else { Ok(content) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{ResultError, read_below};

    #[test]
    fn only_a_regular_file_of_its_own_is_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().join("box");
        std::fs::create_dir_all(root.join("a/b")).expect("directories");
        std::fs::write(root.join("a/b/result"), b"12345").expect("a file");
        std::fs::write(dir.path().join("secret"), b"secret").expect("a file");
        symlink("../secret", root.join("link")).expect("a link");
        symlink("a", root.join("dir")).expect("a link");
        let read = |path: &str, cap| read_below(&root, Path::new(path), cap);

        assert_eq!(read("a/b/result", 5).expect("it is there"), Some(b"12345".to_vec()));
        assert_eq!(read("a/none", 5).expect("absent is no failure"), None);
        assert!(matches!(read("a/b/result", 4), Err(ResultError::TooLarge { cap: 4, .. })));
        for path in ["link", "dir/b/result", "../secret", "a", "a/../../secret"] {
            assert!(matches!(read(path, 100), Err(ResultError::NotAFile(_))), "{path}");
        }
    }
}
