//! Reads the result of a run from a directory that the run could change in any way.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::io::Errno;

use crate::sys::rooted::Rooted;

/// An error when reading a result.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// The path is not a regular file or contains a link.
    #[error("result `{0}` is not a regular file or is reached through a link")]
    NotAFile(String),
    /// The file is too large.
    #[error("result `{path}` is larger than {max_bytes} bytes")]
    TooLarge {
        /// The file.
        path: String,
        /// Maximum size in bytes.
        max_bytes: u64,
    },
    /// The file can't be read.
    #[error("failed to read result `{0}`")]
    Read(String, #[source] io::Error),
}

/// Reads the regular file at `path` below `root`. Returns `None` if it does not exist. Links are not followed.
///
/// # Errors
/// Fails if the path is not a regular file, if the file is larger than `max_bytes` or if it can't be read.
pub fn read_below(root: &Path, path: &Path, max_bytes: u64) -> Result<Option<Vec<u8>>, ResultError> {
    let name = || path.display().to_string();
    let error = match Rooted::open_no_follow(root).and_then(|root| root.file_without_links(path)) {
        Ok(file) => return read_file(file, &name(), max_bytes).map(Some),
        Err(error) => error,
    };
    match Errno::from_io_error(&error) {
        Some(Errno::NOENT) => Ok(None),
        Some(Errno::LOOP | Errno::NOTDIR | Errno::ISDIR | Errno::NXIO | Errno::INVAL) => {
            Err(ResultError::NotAFile(name()))
        }
        None if error.kind() == io::ErrorKind::InvalidInput => Err(ResultError::NotAFile(name())),
        _ => Err(ResultError::Read(name(), error)),
    }
}

fn read_file(file: File, name: &str, max_bytes: u64) -> Result<Vec<u8>, ResultError> {
    let failed = |error| ResultError::Read(name.to_owned(), error);
    let too_large = || ResultError::TooLarge { path: name.to_owned(), max_bytes };
    if file.metadata().map_err(failed)?.len() > max_bytes {
        return Err(too_large());
    }
    let mut content = Vec::new();
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > max_bytes { Err(too_large()) } else { Ok(content) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{ResultError, read_below};

    #[test]
    fn read_below_accepts_only_a_regular_file_without_links() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().join("scratch");
        std::fs::create_dir_all(root.join("a/b")).expect("directories");
        std::fs::write(root.join("a/b/result"), b"12345").expect("a file");
        std::fs::write(dir.path().join("secret"), b"secret").expect("a file");
        symlink("../secret", root.join("link")).expect("a link");
        symlink("a", root.join("dir")).expect("a link");
        let fifo = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
        rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe"), fifo.0, fifo.1, 0).expect("a FIFO");
        let read = |path: &str, max_bytes| read_below(&root, Path::new(path), max_bytes);

        assert_eq!(read("a/b/result", 5).expect("the file exists"), Some(b"12345".to_vec()));
        assert_eq!(read("a/none", 5).expect("a missing file is not an error"), None);
        assert!(matches!(read("a/b/result", 4), Err(ResultError::TooLarge { max_bytes: 4, .. })));
        for path in ["link", "dir/b/result", "../secret", "a", "a/../../secret", "pipe"] {
            assert!(matches!(read(path, 100), Err(ResultError::NotAFile(_))), "{path}");
        }
    }
}
