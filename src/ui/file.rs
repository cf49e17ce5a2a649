//! Atomic writes of output files.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Failure, Kind};

/// A file or directory that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write `{}`", path.display())]
pub struct WriteError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

impl Failure for WriteError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }

    fn hint(&self) -> Option<String> {
        Some("check that the directory exists and is writable, and that the disk has free space".to_owned())
    }
}

/// Writes a file atomically. On failure, an existing file is unchanged.
///
/// # Errors
/// If the directory is not writable or the disk is full.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    attempt(path, bytes).map_err(|source| WriteError { path: path.to_owned(), source })
}

fn attempt(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // Devices and pipes (`/dev/null`, `/dev/stdout`) must not be replaced by a file.
    if path.metadata().is_ok_and(|data| !data.is_file() && !data.is_dir()) {
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".carnet-").permissions(mode()).tempfile_in(parent)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Returns the default mode of new files. CI steps of other users may read reports.
fn mode() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

/// Creates a directory and its parents.
///
/// # Errors
/// If it can't be created.
pub fn create_dir(dir: &Path) -> Result<(), WriteError> {
    std::fs::create_dir_all(dir).map_err(|source| WriteError { path: dir.to_owned(), source })
}

/// Creates the directory for reports, with a .gitignore file that excludes it from commits and from the analysis.
///
/// # Errors
/// If it can't be created.
pub fn create_report_dir(dir: &Path) -> Result<(), WriteError> {
    create_dir(dir)?;
    let ignore = dir.join(".gitignore");
    if ignore.exists() { Ok(()) } else { write(&ignore, b"*\n") }
}

/// Removes the directory for reports, if it contains no report.
pub fn remove_empty_report_dir(dir: &Path) {
    let mut names = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    if names.all(|name| name == ".gitignore") {
        // Failures are ignored: a remaining empty directory is harmless.
        let _ = std::fs::remove_file(dir.join(".gitignore")).and_then(|()| std::fs::remove_dir(dir));
    }
}
