//! Files that users get, written so that a crash never leaves half of one.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Failure, Kind};

/// A file that couldn't be written.
#[derive(Debug, thiserror::Error)]
#[error("writing {} failed", path.display())]
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
        Some("free some space, or name a place that can be written to (--out, --output)".to_owned())
    }
}

/// Writes a file in one step: either the old one is there, or the new one, whole.
///
/// # Errors
/// When the directory can't be written to or the disk is full.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    attempt(path, bytes).map_err(|source| WriteError { path: path.to_owned(), source })
}

fn attempt(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A device or a pipe (`/dev/null`, `/dev/stdout`) is written to, never replaced by a file.
    if path.metadata().is_ok_and(|data| !data.is_file() && !data.is_dir()) {
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".carnet-").permissions(mode()).tempfile_in(parent)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// As any new file, minus the umask: reports are read by other users' CI steps.
fn mode() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

/// Makes a directory and those above it.
///
/// # Errors
/// When it can't be made.
pub fn directory(dir: &Path) -> Result<(), WriteError> {
    std::fs::create_dir_all(dir).map_err(|source| WriteError { path: dir.to_owned(), source })
}

/// Makes the directory for reports. It ignores itself, so that it is never committed nor seen by tests.
///
/// # Errors
/// When it can't be made.
pub fn out_directory(dir: &Path) -> Result<(), WriteError> {
    directory(dir)?;
    let ignore = dir.join(".gitignore");
    if ignore.exists() { Ok(()) } else { write(&ignore, b"*\n") }
}

/// Removes the directory for reports when there is no report in it.
pub fn remove_out_directory(dir: &Path) {
    let mut names = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    if names.all(|name| name == ".gitignore") {
        // An empty directory that stays harms nobody.
        let _ = std::fs::remove_file(dir.join(".gitignore")).and_then(|()| std::fs::remove_dir(dir));
    }
}
