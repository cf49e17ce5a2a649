//! The directory of a run, what is kept of it, and what killed runs left.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::control;
use crate::model::contract::Ids;
use crate::sys::cache::{Cache, private_dir};
use crate::sys::lock::Lock;
use crate::sys::remove::remove_tree;

/// Names inside the directory of a run.
pub(super) mod name {
    /// Where the root is put together.
    pub(in super::super) const ROOT: &str = "root";
    /// What is written to the root.
    pub(in super::super) const UPPER: &str = "upper";
    /// What is written to the writable directory.
    pub(in super::super) const BOX: &str = "box";
    /// For the kernel, while it writes the two.
    pub(in super::super) const WORK: &str = "work";
    pub(in super::super) const BOX_WORK: &str = "box-work";
    /// `/tmp`, unless it has a size.
    pub(in super::super) const TMP: &str = "tmp";
    /// `/etc/hosts`.
    pub(in super::super) const HOSTS: &str = "hosts";
    /// A memory file system, for machines where the root can't be put together on the disk.
    pub(in super::super) const MEMORY: &str = "memory";
}

/// What a kept state says of itself.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// The home was made by the run and isn't the image's.
    pub home: Option<String>,
}

const RECORD: &str = "record.json";
/// File with the directories of control groups, one on a line.
const GROUPS: &str = "groups";

/// The directory of a run, removed when dropped.
#[derive(Debug)]
pub(super) struct RunDir {
    pub dir: PathBuf,
    pub lock_path: PathBuf,
    lock: Option<Lock>,
}

impl RunDir {
    /// Makes it, with all that the run writes to owned by `user` when we may do that.
    pub(super) fn make(cache: &Cache, id: &str, user: Option<Ids>) -> io::Result<Self> {
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{id}` is no name of a run")));
        }
        let runs = cache.runs();
        private_dir(&runs)?;
        let (dir, lock_path) = (runs.join(id), runs.join(format!("{id}.lock")));
        let lock = Lock::try_take(&lock_path)?.ok_or_else(|| io::Error::other(format!("`{id}` runs already")))?;
        remove_tree(&dir)?;
        fs::create_dir(&dir)?;
        let run = Self { dir, lock_path, lock: Some(lock) };
        for part in [name::ROOT, name::UPPER, name::WORK, name::BOX, name::BOX_WORK, name::TMP, name::MEMORY] {
            fs::create_dir(run.dir.join(part))?;
        }
        fs::write(run.dir.join(name::HOSTS), "127.0.0.1 localhost carnet\n::1 localhost carnet\n")?;
        for (part, mode) in [(name::UPPER, 0o755), (name::BOX, 0o755), (name::TMP, 0o1777), (name::HOSTS, 0o644)] {
            fs::set_permissions(run.dir.join(part), fs::Permissions::from_mode(mode))?;
        }
        if let Some(user) = user {
            chown(run.dir.join(name::BOX), Some(user.uid), Some(user.gid))?;
        }
        Ok(run)
    }

    /// Remembers a control group, so that it is found when we are killed.
    pub(super) fn record_group(&self, dir: &Path) -> io::Result<()> {
        let mut file = fs::File::options().append(true).create(true).open(self.dir.join(GROUPS))?;
        writeln!(file, "{}", dir.display())
    }

    /// Makes the state of this run the kept state `to`. One that is there stays when another run made it meanwhile, and
    /// gives way when it is `stale`.
    pub(super) fn keep(&self, to: &Path, stale: bool, record: &Record) -> io::Result<()> {
        let fresh = self.dir.join("kept");
        fs::create_dir(&fresh)?;
        for part in [name::UPPER, name::BOX] {
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

    /// Takes a kept state out of the way. It goes with this run, or when all are forgotten if another run is in it.
    fn retire(&self, kept: &Path) -> io::Result<()> {
        let is_free = fs::File::open(kept).is_ok_and(|dir| dir.try_lock().is_ok());
        let mut aside = kept.as_os_str().to_owned();
        aside.push(format!(".{}", std::process::id()));
        let to = if is_free { self.dir.join("stale") } else { PathBuf::from(aside) };
        match fs::rename(kept, to) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Removes it; a failure is told, unlike when it is dropped.
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
        // A failure came before this one; what is left is found by the next sweep.
        let _ = self.clear();
    }
}

/// Tells others that these kept states are in use, until it is dropped.
pub(super) fn hold(boxes: &[PathBuf]) -> Vec<fs::File> {
    let dirs = boxes.iter().filter_map(|inner| fs::File::open(inner.parent()?).ok());
    dirs.filter(|dir| dir.try_lock_shared().is_ok()).collect()
}

/// What the kept state with this tree on top says of itself.
pub(super) fn record(tree: &Path) -> Record {
    let read = tree.parent().and_then(|dir| fs::read(dir.join(RECORD)).ok());
    read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Removes the directories and control groups of runs whose engine is dead.
pub(super) fn sweep(cache: &Cache) -> io::Result<Vec<String>> {
    let runs = cache.runs();
    let mut swept = Vec::new();
    let entries = match fs::read_dir(&runs) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(swept),
        other => other?,
    };
    for entry in entries {
        let file_name = entry?.file_name();
        let Some(id) = file_name.to_str().map(|name| name.strip_suffix(".lock").unwrap_or(name)) else { continue };
        if swept.iter().any(|done| done == id) {
            continue;
        }
        let dir = runs.join(id);
        let Some(lock) = Lock::try_take(&runs.join(format!("{id}.lock")))? else { continue };
        for line in fs::read_to_string(dir.join(GROUPS)).unwrap_or_default().lines() {
            if let Some(group) = control::recorded(line) {
                control::remove(&group);
            }
        }
        remove_tree(&dir)?;
        lock.remove()?;
        swept.push(id.to_owned());
    }
    swept.sort();
    Ok(swept)
}
