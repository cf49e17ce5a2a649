//! Puts the hook into a repository and takes it away again. A hook that was there keeps running.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::file::{BEFORE, NAME, is_ours, text};
use super::hooks_dir::{HooksDir, HooksDirError};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The hook.
    pub file: PathBuf,
    /// How it came there.
    pub how: How,
    /// The hook that was there before and runs after ours.
    pub before: Option<PathBuf>,
}

/// How a hook came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is new.
    New,
    /// An older one of ours gave way.
    Renewed,
    /// The same was there.
    Same,
}

/// What was taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// There was no hook of ours.
    Nothing,
    /// Ours is gone.
    Ours,
    /// Ours is gone, and the one that was there before is back.
    Restored,
}

/// Installs the hook that starts `program` with these options.
///
/// # Errors
/// When it can't be written, or two hooks would have to be kept.
pub fn install(place: &HooksDir, program: &Path, options: &[String]) -> Result<Installed, HooksDirError> {
    let io = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| HooksDirError::Io { doing, path, source }
    };
    if place.dir.exists() && !place.dir.is_dir() {
        return Err(HooksDirError::NoDirectory { dir: place.dir.clone() });
    }
    fs::create_dir_all(&place.dir).map_err(io("making", &place.dir))?;
    let (file, aside) = (place.dir.join(NAME), aside(&place.dir));
    let wanted = text(program, options);
    let there = present(&file).map_err(io("reading", &file))?;
    let how = match &there {
        None => How::New,
        Some(text) if *text == wanted && is_executable(&file) => How::Same,
        Some(text) if is_ours(text) => How::Renewed,
        Some(_) if aside.symlink_metadata().is_ok() => return Err(HooksDirError::Two { file, aside }),
        Some(_) => {
            fs::rename(&file, &aside).map_err(io("putting aside", &file))?;
            How::New
        }
    };
    if how != How::Same {
        let written = write(&place.dir, &file, &wanted).map_err(io("writing", &file));
        if written.is_err() && there.is_some() && how == How::New {
            // Nobody's hook gets lost because ours can't be written.
            let _ = fs::rename(&aside, &file);
        }
        written?;
    }
    let before = aside.symlink_metadata().is_ok().then_some(aside);
    Ok(Installed { file, how, before })
}

/// Takes the hook away and puts back what was there before it.
///
/// # Errors
/// When a file can't be moved or removed.
pub fn remove(place: &HooksDir) -> Result<Removed, HooksDirError> {
    let io = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| HooksDirError::Io { doing, path, source }
    };
    let (file, aside) = (place.dir.join(NAME), aside(&place.dir));
    let there = present(&file).map_err(io("reading", &file))?;
    if !there.is_some_and(|text| is_ours(&text)) {
        return Ok(Removed::Nothing);
    }
    if aside.symlink_metadata().is_ok() {
        fs::rename(&aside, &file).map_err(io("putting back", &aside))?;
        return Ok(Removed::Restored);
    }
    fs::remove_file(&file).map_err(io("removing", &file))?;
    Ok(Removed::Ours)
}

/// Where a hook goes that was there before.
fn aside(dir: &Path) -> PathBuf {
    dir.join(format!("{NAME}{BEFORE}"))
}

/// The hook that is there. A link to nowhere is one too.
fn present(file: &Path) -> std::io::Result<Option<Vec<u8>>> {
    match fs::read(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(file.is_symlink().then(Vec::new)),
        Err(error) => Err(error),
    }
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}

/// Writes it in one step: a push meanwhile meets the old one or the new one, whole.
fn write(dir: &Path, file: &Path, text: &[u8]) -> std::io::Result<()> {
    let mode = fs::Permissions::from_mode(0o777);
    let mut fresh = tempfile::Builder::new().prefix(".carnet-").permissions(mode).tempfile_in(dir)?;
    fresh.write_all(text)?;
    fresh.persist(file).map_err(|error| error.error)?;
    Ok(())
}
