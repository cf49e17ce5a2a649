//! Locks between processes: a file that one of them holds, freed by the kernel when it dies.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A held lock; dropping it frees it.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock when nobody holds it.
    ///
    /// # Errors
    /// When the file can't be made or locked.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = File::options().create(true).truncate(false).write(true).open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(e),
            }
            // Its last holder may have removed it between opening and locking: then the lock is worth nothing.
            if fs::metadata(path).is_ok_and(|there| file.metadata().is_ok_and(|held| held.ino() == there.ino())) {
                return Ok(Some(Self { path: path.to_owned(), file }));
            }
        }
    }

    /// Waits for the lock until `stop` says so; `None` then.
    ///
    /// # Errors
    /// When the file can't be made or locked.
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

    /// The locked file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Frees the lock and removes its file.
    ///
    /// # Errors
    /// When the file can't be removed.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // To close it is not enough: a process that another thread is just starting has the file too, until its program runs. When
        // this fails the lock goes with the last of them.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn it_is_free_once_dropped_whoever_has_the_file_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = Lock::try_take(&path).unwrap().unwrap();
        // As a child has it between its fork and its program.
        let copy = held.file().try_clone().unwrap();
        drop(held);
        assert!(Lock::try_take(&path).unwrap().is_some());
        drop(copy);
    }

    #[test]
    fn only_one_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::try_take(&path).unwrap().unwrap();
        assert!(Lock::try_take(&path).unwrap().is_none());
        assert!(Lock::take(&path, &|| true).unwrap().is_none());
        first.remove().unwrap();
        assert!(Lock::try_take(&path).unwrap().is_some());
    }
}
