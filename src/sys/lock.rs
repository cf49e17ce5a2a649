//! File locks between processes. The kernel releases the lock of a process that dies.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A lock, released when dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// Fails if the file can't be created or locked.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = File::options().create(true).truncate(false).write(true).open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(e),
            }
            // The last holder may have removed the file before it was locked here, which makes this lock useless.
            if is_current(&file, path) {
                return Ok(Some(Self { path: path.to_owned(), file }));
            }
        }
    }

    /// Waits for the lock. Returns `None` if `stop` returns true first.
    ///
    /// # Errors
    /// Fails if the file can't be created or locked.
    pub fn take(path: &Path, stop: &dyn Fn() -> bool) -> io::Result<Option<Self>> {
        loop {
            if let Some(lock) = Self::try_take(path)? {
                return Ok(Some(lock));
            }
            if stop() {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns the locked file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Releases the lock and removes its file.
    ///
    /// # Errors
    /// Fails if the file can't be removed.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that another thread has forked has the file open until it executes its
        // program. If unlocking fails, the lock is released when the last of them closes the file.
        let _ = self.file.unlock();
    }
}

/// Reports whether a path still leads to this open file.
pub fn is_current(file: &File, path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| file.metadata().is_ok_and(|open| open.ino() == found.ino()))
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn dropping_releases_the_lock_despite_a_duplicate_descriptor() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let lock = Lock::try_take(&path).unwrap().unwrap();
        // A child has such a duplicate between fork and exec.
        let duplicate = lock.file().try_clone().unwrap();
        drop(lock);
        assert!(Lock::try_take(&path).unwrap().is_some());
        drop(duplicate);
    }

    #[test]
    fn second_lock_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::try_take(&path).unwrap().unwrap();
        assert!(Lock::try_take(&path).unwrap().is_none());
        assert!(Lock::take(&path, &|| true).unwrap().is_none());
        first.remove().unwrap();
        assert!(Lock::try_take(&path).unwrap().is_some());
    }
}
