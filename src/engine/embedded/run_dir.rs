//! The directory of a run, saved states, and the directories of killed runs.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::control;
use crate::model::contract::Ids;
use crate::sys::cache::{Cache, private_dir};
use crate::sys::lock::Lock;
use crate::sys::remove::{remove_and_measure, remove_tree};

/// Names in the directory of a run.
pub(super) mod name {
    /// Mount point of the root.
    pub(in super::super) const ROOT: &str = "root";
    /// Changes of the root.
    pub(in super::super) const UPPER: &str = "upper";
    /// Changes of the writable directory.
    pub(in super::super) const SCRATCH: &str = "box";
    /// Working directory of the overlay over the root.
    pub(in super::super) const WORK: &str = "work";
    /// Working directory of the overlay over the writable directory.
    pub(in super::super) const SCRATCH_WORK: &str = "box-work";
    /// `/tmp`, if its size is not limited.
    pub(in super::super) const TMP: &str = "tmp";
    /// `/etc/hosts`.
    pub(in super::super) const HOSTS: &str = "hosts";
    /// Mount point of a file system in memory, for machines that refuse an overlay on the disk.
    pub(in super::super) const MEMORY: &str = "memory";
}

/// Metadata of a saved state.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct StateMetadata {
    /// The home, if the run created it.
    pub home: Option<String>,
}

const RECORD: &str = "record.json";
/// Maximum number of attempts to take the lock of a new run, in about 2 s.
const MAX_ATTEMPTS: u32 = 100;
/// File with the directories of control groups, one per line.
const GROUPS: &str = "groups";

/// The directory of a run, removed when dropped.
#[derive(Debug)]
pub(super) struct RunDir {
    pub dir: PathBuf,
    pub lock_path: PathBuf,
    lock: Option<Lock>,
}

impl RunDir {
    /// Creates the directory of a run. The writable directory belongs to `user`.
    pub(super) fn create(cache: &Cache, id: &str, user: Option<Ids>) -> io::Result<Self> {
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("invalid run id `{id}`")));
        }
        let runs = cache.runs();
        private_dir(&runs)?;
        let (dir, lock_path) = (runs.join(id), runs.join(format!("{id}.lock")));
        // A sweep may hold the new lock for a moment.
        let attempts = Cell::new(0);
        let lock = Lock::take(&lock_path, &|| attempts.replace(attempts.get() + 1) > MAX_ATTEMPTS)?;
        let lock = lock.ok_or_else(|| io::Error::other(format!("run `{id}` is already running")))?;
        remove_tree(&dir)?;
        fs::create_dir(&dir)?;
        let run = Self { dir, lock_path, lock: Some(lock) };
        for part in [name::ROOT, name::UPPER, name::WORK, name::SCRATCH, name::SCRATCH_WORK, name::TMP, name::MEMORY] {
            fs::create_dir(run.dir.join(part))?;
        }
        fs::write(run.dir.join(name::HOSTS), "127.0.0.1 localhost carnet\n::1 localhost carnet\n")?;
        for (part, mode) in [(name::UPPER, 0o755), (name::SCRATCH, 0o755), (name::TMP, 0o1777), (name::HOSTS, 0o644)] {
            fs::set_permissions(run.dir.join(part), fs::Permissions::from_mode(mode))?;
        }
        if let Some(user) = user {
            chown(run.dir.join(name::SCRATCH), Some(user.uid), Some(user.gid))?;
        }
        Ok(run)
    }

    /// Returns the directories with the files that the program writes, except those in memory.
    pub(super) fn written_dirs(&self) -> Vec<PathBuf> {
        [name::UPPER, name::SCRATCH, name::TMP].map(|name| self.dir.join(name)).to_vec()
    }

    /// Records a control group for the sweep after a killed run.
    pub(super) fn record_group(&self, dir: &Path) -> io::Result<()> {
        let mut file = fs::File::options().append(true).create(true).open(self.dir.join(GROUPS))?;
        writeln!(file, "{}", dir.display())
    }

    /// Saves the state of this run as `to`. An existing state is replaced if it is `stale`. Otherwise it stays, because
    /// another run saved it meanwhile.
    pub(super) fn keep(&self, to: &Path, stale: bool, record: &StateMetadata) -> io::Result<()> {
        let fresh = self.dir.join("kept");
        fs::create_dir(&fresh)?;
        for part in [name::UPPER, name::SCRATCH] {
            fs::rename(self.dir.join(part), fresh.join(part))?;
        }
        fs::write(fresh.join(RECORD), serde_json::to_vec(record)?)?;
        if let Some(parent) = to.parent() {
            private_dir(parent)?;
        }
        if stale {
            self.retire(to)?;
        }
        match fs::rename(&fresh, to) {
            Err(e) if matches!(e.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => Ok(()),
            other => other,
        }
    }

    /// Moves a saved state away. It is removed with this run, or by `carnet clean` if another run uses it.
    fn retire(&self, kept: &Path) -> io::Result<()> {
        let is_free = fs::File::open(kept).is_ok_and(|dir| dir.try_lock().is_ok());
        let mut renamed = kept.as_os_str().to_owned();
        renamed.push(format!(".{}", std::process::id()));
        let to = if is_free { self.dir.join("stale") } else { PathBuf::from(renamed) };
        match fs::rename(kept, to) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Removes the directory and reports errors, which dropping ignores.
    pub(super) fn remove(mut self) -> io::Result<()> {
        self.clear()
    }

    fn clear(&mut self) -> io::Result<()> {
        let Some(lock) = self.lock.take() else { return Ok(()) };
        remove_tree(&self.dir)?;
        lock.remove()
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        // An earlier error is reported instead. The next sweep removes the rest.
        let _ = self.clear();
    }
}

/// Locks saved states against removal until the returned files are dropped.
pub(super) fn lock_states(scratch_layers: &[PathBuf]) -> Vec<fs::File> {
    let dirs = scratch_layers.iter().filter_map(|inner| fs::File::open(inner.parent()?).ok());
    dirs.filter(|dir| dir.try_lock_shared().is_ok()).collect()
}

/// Returns the metadata of the saved state with this tree on top.
pub(super) fn state_metadata(tree: &Path) -> StateMetadata {
    let read = tree.parent().and_then(|dir| fs::read(dir.join(RECORD)).ok());
    read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Removes the directories and control groups of runs whose engine is dead, and returns the names of the runs and their
/// sizes in bytes.
pub(super) fn sweep(cache: &Cache) -> io::Result<BTreeMap<String, u64>> {
    let runs = cache.runs();
    let mut swept = BTreeMap::new();
    let entries = match fs::read_dir(&runs) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(swept),
        other => other?,
    };
    for entry in entries {
        let file_name = entry?.file_name();
        let Some(id) = file_name.to_str().map(|name| name.strip_suffix(".lock").unwrap_or(name)) else { continue };
        if swept.contains_key(id) {
            continue;
        }
        let dir = runs.join(id);
        let Some(lock) = Lock::try_take(&runs.join(format!("{id}.lock")))? else { continue };
        for line in fs::read_to_string(dir.join(GROUPS)).unwrap_or_default().lines() {
            if let Some(group) = control::parse_recorded(line) {
                control::remove(&group);
            }
        }
        let bytes = remove_and_measure(&dir)?;
        lock.remove()?;
        swept.insert(id.to_owned(), bytes);
    }
    Ok(swept)
}
