//! Writes fixes to files.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use crate::error::{Failure, Kind};
use crate::scan::fixes::{FilePatch, Patch};

/// Error when a fix cannot be written. Files that were written before remain changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file is not a regular, unchanged file of the repository.
    #[error("refused to fix `{}`: {reason}", path.display())]
    Refused {
        /// The file, relative to the top.
        path: PathBuf,
        /// The reason.
        reason: &'static str,
    },
    /// The file cannot be read or written.
    #[error("failed to fix `{}`", path.display())]
    Io {
        /// The file, relative to the top.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl Failure for ApplyError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Refused { .. })
            .then(|| "print the patch with `carnet scan --fix` and apply it manually".to_owned())
    }
}

/// Writes every file of a patch atomically and keeps its mode.
///
/// # Errors
/// If a file changed since the scan, is reached through a link, is outside `top`, or cannot be written. All files are
/// checked before the first one is written.
pub fn write(top: &Path, patch: &Patch) -> Result<(), ApplyError> {
    let paths: Result<Vec<PathBuf>, ApplyError> = patch.files.iter().map(|file| checked_path(top, file)).collect();
    for (file, target) in patch.files.iter().zip(paths?) {
        replace(file, &target).map_err(|source| ApplyError::Io { path: file.path.clone().into(), source })?;
    }
    Ok(())
}

/// Returns the path of a file if its content is what was scanned.
fn checked_path(top: &Path, file: &FilePatch) -> Result<PathBuf, ApplyError> {
    let relative = Path::new(&file.path);
    let refused = |reason| ApplyError::Refused { path: relative.to_owned(), reason };
    let failed = |source| ApplyError::Io { path: relative.to_owned(), source };
    if relative.components().next().is_none() || !relative.components().all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(refused("it is outside the analysis"));
    }
    let mut target = top.to_owned();
    for part in relative.components() {
        target.push(part);
        if target.symlink_metadata().map_err(failed)?.is_symlink() {
            return Err(refused("it is reached through a link"));
        }
    }
    let metadata = target.symlink_metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(refused("it is not a regular file"));
    }
    if metadata.len() != file.before.len() as u64 {
        return Err(refused("it changed since the scan"));
    }
    let mut current = Vec::new();
    File::open(&target).and_then(|open| open.take(metadata.len() + 1).read_to_end(&mut current)).map_err(failed)?;
    if current != file.before.as_bytes() {
        return Err(refused("it changed since the scan"));
    }
    Ok(target)
}

fn replace(file: &FilePatch, target: &Path) -> io::Result<()> {
    let parent = target.parent().unwrap_or(Path::new("."));
    let mode = fs::metadata(target)?.permissions().mode() & 0o7777;
    let mut fresh = tempfile::Builder::new().prefix(".carnet-").tempfile_in(parent)?;
    fresh.write_all(file.after.as_bytes())?;
    fresh.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    fresh.as_file().sync_all()?;
    fresh.persist(target).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::write;
    use crate::scan::fixes::{FilePatch, Patch};

    fn patch(path: &str, before: &str) -> Patch {
        let file =
            FilePatch { path: path.to_owned(), before: before.to_owned(), after: "new\r\n".to_owned(), fixes: 1 };
        Patch { files: vec![file], notes: Vec::new() }
    }

    #[test]
    fn write_replaces_file_and_keeps_mode() {
        let top = tempfile::tempdir().expect("a directory");
        let file = top.path().join("run.sh");
        fs::write(&file, "old\r\n").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o751)).expect("a mode");
        write(top.path(), &patch("run.sh", "old\r\n")).expect("written");
        assert_eq!(fs::read_to_string(&file).expect("a file"), "new\r\n");
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o7777, 0o751);
        assert_eq!(fs::read_dir(top.path()).expect("a directory").count(), 1);
    }

    #[test]
    fn write_refuses_changed_files_links_and_outside_paths_before_writing() {
        let base = tempfile::tempdir().expect("a directory");
        let top = base.path().join("top");
        fs::create_dir_all(top.join("real")).expect("directories");
        for path in ["out.py", "top/a.py", "top/real/b.py"] {
            fs::write(base.path().join(path), "old\n").expect("a file");
        }
        symlink("a.py", top.join("link.py")).expect("a link");
        symlink("real", top.join("dir")).expect("a link");
        for path in ["link.py", "dir/b.py", "../out.py", "real", "gone.py", "", "."] {
            let mut both = patch("a.py", "old\n");
            both.files.extend(patch(path, "old\n").files);
            assert!(write(&top, &both).is_err(), "{path}");
        }
        assert!(write(&top, &patch("a.py", "odd\n")).is_err() && write(&top, &patch("a.py", "older\n")).is_err());
        assert_eq!(fs::read_to_string(top.join("a.py")).expect("a file"), "old\n");
    }
}
