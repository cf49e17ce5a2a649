//! The result of a run, which the program writes to its standard output. No path inside the image leads to it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

/// Name of the file in the directory of a run.
const NAME: &str = "result";

/// An error when reading a result.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// The result is too large.
    #[error("the result is larger than {0} bytes")]
    TooLarge(u64),
    /// The result can't be read.
    #[error("failed to read the result")]
    Read(#[from] io::Error),
}

/// A result that arrives in pieces.
#[derive(Debug)]
pub(super) struct ResultBuffer {
    content: Vec<u8>,
    max_bytes: u64,
}

impl ResultBuffer {
    /// Stores at most `max_bytes` bytes.
    pub(super) fn new(max_bytes: u64) -> Self {
        Self { content: Vec::new(), max_bytes }
    }

    /// Adds a piece.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        // One byte more than allowed shows that the result is too large.
        let room = usize::try_from(self.max_bytes + 1).unwrap_or(usize::MAX).saturating_sub(self.content.len());
        self.content.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Returns the result, or `None` if it is empty.
    ///
    /// # Errors
    /// Fails if the result is too large.
    pub(super) fn finish(self) -> Result<Option<Vec<u8>>, ResultError> {
        if self.content.len() as u64 > self.max_bytes {
            return Err(ResultError::TooLarge(self.max_bytes));
        }
        Ok(Some(self.content).filter(|content| !content.is_empty()))
    }
}

/// The file for the result of a run on this machine.
#[derive(Debug)]
pub(super) struct ResultFile {
    path: PathBuf,
    file: File,
}

impl ResultFile {
    /// Creates the file in the directory of a run.
    ///
    /// # Errors
    /// Fails if the directory is not writable or already contains the file.
    pub(super) fn create(dir: &Path) -> io::Result<Self> {
        let path = dir.join(NAME);
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Self { path, file })
    }

    /// Creates a file that no directory lists, on the file system of `dir`. Its path leads through this process, so only a
    /// process that may trace this one can use it.
    ///
    /// # Errors
    /// Fails if the directory is not writable.
    pub(super) fn create_unlisted(dir: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(dir)?;
        let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
        Ok(Self { path, file })
    }

    /// Returns its path, from which a helper process opens it for the program.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the result. Returns `None` if the file is empty. The file is the one that was created here, even if its path
    /// leads to another one now.
    ///
    /// # Errors
    /// Fails if the result is larger than `max_bytes` or can't be read.
    pub(super) fn read(mut self, max_bytes: u64) -> Result<Option<Vec<u8>>, ResultError> {
        let mut result = ResultBuffer::new(max_bytes);
        self.file.rewind()?;
        self.file.take(max_bytes.saturating_add(1)).read_to_end(&mut result.content)?;
        result.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write as _;

    use super::{ResultError, ResultFile};

    #[test]
    fn result_is_read_from_the_created_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let result = ResultFile::create(dir.path()).expect("a file");
        let path = result.path().to_owned();
        File::options().append(true).open(&path).expect("the file").write_all(b"12345").expect("written");
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "replaced").expect("a file");
        assert_eq!(result.read(5).expect("the result"), Some(b"12345".to_vec()));
    }

    #[test]
    fn empty_result_is_missing_and_large_result_is_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(ResultFile::create(dir.path()).expect("a file").read(5).expect("the result"), None);
        fs::remove_file(dir.path().join("result")).expect("removed");
        let result = ResultFile::create(dir.path()).expect("a file");
        fs::write(result.path(), "123456").expect("written");
        assert!(matches!(result.read(5), Err(ResultError::TooLarge(5))));
    }
}
