//! Removes directories whose process was killed.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::remove::{removal_line, remove_and_measure};

/// Extension of the file with the lock of a directory.
const EXTENSION: &str = "lock";

/// Returns the path of the lock of a directory: `NAME.lock` next to it.
pub fn lock_path(dir: &Path) -> PathBuf {
    dir.with_extension(EXTENSION)
}

/// Takes every free lock `NAME.lock` of this user in `parent`, and removes it with the directory that it protects, which
/// `protected` returns from `parent/NAME`; `None` for files of others. Returns a line for each directory that was removed
/// or could not be removed.
///
/// Only reads the names in `parent` if there is nothing to remove.
pub fn sweep(parent: &Path, protected: impl Fn(&Path) -> Option<PathBuf>) -> Vec<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_lock = path.extension().is_some_and(|extension| extension == EXTENSION);
        // The lock of a directory may be missing.
        if is_lock || protected(&path).is_some_and(|dir| dir == path) {
            names.insert(path.with_extension(""));
        }
    }
    names.iter().filter_map(|name| remove(&lock_path(name), &protected(name)?)).collect()
}

/// Removes a directory whose lock is free.
fn remove(lock: &Path, dir: &Path) -> Option<String> {
    // The directory of temporary files is shared, so another user may have created the file.
    let own = rustix::process::geteuid().as_raw();
    let is_own = |path: &Path| path.symlink_metadata().map_or(true, |data| data.uid() == own && !data.is_symlink());
    if !is_own(lock) || !is_own(dir) {
        return None;
    }
    let exists = dir.symlink_metadata().is_ok();
    let removed = match Lock::try_take(lock) {
        Ok(None) => return None,
        Ok(Some(lock)) => remove_and_measure(dir).and_then(|bytes| lock.remove().map(|()| bytes)),
        Err(error) => Err(error),
    };
    (exists || removed.is_err()).then(|| removal_line(dir, &removed))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Lock, lock_path, sweep};

    #[test]
    fn only_directories_with_a_free_lock_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["carnet-used", "carnet-dead", "carnet-unlocked", "other"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let lock = |name: &str| Lock::try_take(&lock_path(&dir.path().join(name))).unwrap().unwrap();
        let used = lock("carnet-used");
        drop([lock("carnet-dead"), lock("carnet-gone"), lock("other")]);
        std::os::unix::fs::symlink("other", dir.path().join("carnet-link")).unwrap();
        let is_own =
            |path: &std::path::Path| path.file_name().is_some_and(|name| name.to_str().unwrap().starts_with("carnet-"));
        let run = || sweep(dir.path(), |path| is_own(path).then(|| path.to_owned()));
        let lines = run();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("removed /") && lines[0].contains("carnet-dead ("), "{lines:?}");
        let left = || {
            let names =
                fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = names.collect();
            names.sort();
            names
        };
        assert_eq!(left(), ["carnet-link", "carnet-used", "carnet-used.lock", "other", "other.lock"]);
        drop(used);
        assert_eq!(run().len(), 1);
    }
}
