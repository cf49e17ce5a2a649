//! Writes the fixes of an audit into the files they are for.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use crate::error::{Failure, Kind};
use crate::scan::fixes::{FilePatch, Patch};

/// A fix that wasn't written. What was written before it stays.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file is no plain file of the repository.
    #[error("{} is not mended: {reason}", path.display())]
    Refused {
        /// The file, relative to the top.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// The file can't be read or written.
    #[error("mending {} failed", path.display())]
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
        matches!(self, Self::Refused { .. }).then(|| "see the patch with --fix alone, and apply it by hand".to_owned())
    }
}

/// Writes every file of a patch, each in one step with its mode kept.
///
/// # Errors
/// At the first file that changed since it was scanned, that is reached through a link, lies outside of `top`, or can't
/// be written. All are looked at before the first is written.
pub fn write(top: &Path, patch: &Patch) -> Result<(), ApplyError> {
    let targets: Result<Vec<PathBuf>, ApplyError> = patch.files.iter().map(|file| target(top, file)).collect();
    for (file, target) in patch.files.iter().zip(targets?) {
        replace(file, &target).map_err(|source| ApplyError::Io { path: file.path.clone().into(), source })?;
    }
    Ok(())
}

/// Where the file lies, when it is what was scanned.
fn target(top: &Path, file: &FilePatch) -> Result<PathBuf, ApplyError> {
    let relative = Path::new(&file.path);
    let refused = |reason| ApplyError::Refused { path: relative.to_owned(), reason };
    let failed = |source| ApplyError::Io { path: relative.to_owned(), source };
    if relative.components().next().is_none() || !relative.components().all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(refused("it lies outside of the analysis"));
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
        return Err(refused("it is no plain file"));
    }
    if metadata.len() != file.before.len() as u64 {
        return Err(refused("it changed since it was scanned"));
    }
    let mut current = Vec::new();
    File::open(&target).and_then(|open| open.take(metadata.len() + 1).read_to_end(&mut current)).map_err(failed)?;
    if current != file.before.as_bytes() {
        return Err(refused("it changed since it was scanned"));
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
    fn a_file_is_replaced_and_keeps_its_mode() {
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
    fn changed_files_links_and_outside_places_are_refused_before_anything_is_written() {
        let room = tempfile::tempdir().expect("a directory");
        let top = room.path().join("top");
        fs::create_dir_all(top.join("real")).expect("directories");
        for path in ["out.py", "top/a.py", "top/real/b.py"] {
            fs::write(room.path().join(path), "old\n").expect("a file");
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
