//! Installs and removes the hook. A hook that existed before is preserved and runs after carnet's.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::hooks_dir::{HooksDir, HooksDirError};
use super::script::{BACKUP_SUFFIX, NAME, is_carnet_hook, render};
use crate::sys;

/// Number of bytes of an existing hook that are read. A hook of carnet is shorter.
const MAX_HOOK_BYTES: u64 = 1 << 20;

/// The result of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The hook file.
    pub file: PathBuf,
    /// What the installation changed.
    pub change: Change,
    /// The hook that existed before and runs after carnet's.
    pub previous: Option<PathBuf>,
}

/// What an installation changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The hook was created.
    Created,
    /// An older hook of carnet was replaced.
    Updated,
    /// The hook was up to date.
    Unchanged,
}

/// The result of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// There was no hook of carnet.
    Nothing,
    /// The hook was removed.
    Removed,
    /// The hook was removed, and the previous hook was restored.
    Restored,
}

/// Installs a hook that starts `program` with `options`.
///
/// # Errors
/// If the hook can't be written, or a backup of another hook already exists.
pub fn install(hooks: &HooksDir, program: &Path, options: &[String]) -> Result<Installed, HooksDirError> {
    if hooks.dir.exists() && !hooks.dir.is_dir() {
        return Err(HooksDirError::NoDirectory { dir: hooks.dir.clone() });
    }
    if hooks.leaves_working_tree() {
        return Err(HooksDirError::Linked { dir: hooks.dir.clone() });
    }
    fs::create_dir_all(&hooks.dir).map_err(io_error("create", &hooks.dir))?;
    let (file, backup) = (hooks.dir.join(NAME), backup(&hooks.dir));
    let script = render(program, options);
    let existing = read_hook(&file).map_err(io_error("read", &file))?;
    let change = match &existing {
        None => Change::Created,
        Some(text) if *text == script && is_executable(&file) => Change::Unchanged,
        Some(text) if is_carnet_hook(text) => Change::Updated,
        Some(_) if backup.symlink_metadata().is_ok() => return Err(HooksDirError::BackupExists { file, backup }),
        Some(_) => {
            fs::rename(&file, &backup).map_err(io_error("rename", &file))?;
            Change::Created
        }
    };
    if change != Change::Unchanged {
        let written = write(&hooks.dir, &file, &script).map_err(io_error("write", &file));
        if written.is_err() && existing.is_some() && change == Change::Created {
            // Restores the other hook, so that a failed installation changes nothing.
            let _ = fs::rename(&backup, &file);
        }
        written?;
    }
    let previous = backup.symlink_metadata().is_ok().then_some(backup);
    Ok(Installed { file, change, previous })
}

/// Removes the hook and restores the previous one.
///
/// # Errors
/// If a file can't be moved or removed.
pub fn remove(hooks: &HooksDir) -> Result<Removed, HooksDirError> {
    let (file, backup) = (hooks.dir.join(NAME), backup(&hooks.dir));
    let existing = read_hook(&file).map_err(io_error("read", &file))?;
    if !existing.is_some_and(|text| is_carnet_hook(&text)) {
        return Ok(Removed::Nothing);
    }
    if backup.symlink_metadata().is_ok() {
        fs::rename(&backup, &file).map_err(io_error("restore", &backup))?;
        return Ok(Removed::Restored);
    }
    fs::remove_file(&file).map_err(io_error("remove", &file))?;
    Ok(Removed::Removed)
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> HooksDirError + use<> {
    let path = path.to_owned();
    move |source| HooksDirError::Io { action, path, source }
}

/// Returns the path to which an existing hook is moved.
fn backup(dir: &Path) -> PathBuf {
    dir.join(format!("{NAME}{BACKUP_SUFFIX}"))
}

/// Reads the existing hook. A dangling link counts as an empty hook.
fn read_hook(file: &Path) -> std::io::Result<Option<Vec<u8>>> {
    match sys::file::read(file, MAX_HOOK_BYTES) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(file.is_symlink().then(Vec::new)),
        Err(error) => Err(error),
    }
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}

/// Writes the file atomically, so that a simultaneous push runs either the old hook or the new one.
fn write(dir: &Path, file: &Path, text: &[u8]) -> std::io::Result<()> {
    let mode = fs::Permissions::from_mode(0o777);
    let mut temporary = tempfile::Builder::new().prefix(".carnet-").permissions(mode).tempfile_in(dir)?;
    temporary.write_all(text)?;
    temporary.persist(file).map_err(|error| error.error)?;
    Ok(())
}
