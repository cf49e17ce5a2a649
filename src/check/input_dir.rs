//! The directory that engines mount as the input of a job. It contains the executable, the analysis and the plans.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::error::CheckError;
use super::job_id::unique_id;
use crate::error::Error;
use crate::model::canonical;
use crate::model::plan::CellPlan;
use crate::model::tree::Tree;
use crate::source::SourceError;
use crate::source::git::tree::Listing;
use crate::sys::cache::{Cache, private_dir};
use crate::sys::lock::Lock;
use crate::sys::remove::remove_tree;
use crate::sys::sweep::{lock_path, sweep};

/// Name of the executable in the input directory.
pub(super) const PROGRAM: &str = "carnet";
/// Name of the analysis in the input directory.
pub(super) const SOURCE: &str = "src";

/// An input directory, removed on drop.
#[derive(Debug)]
pub(super) struct InputDir {
    locked: LockedDir,
    tree: Tree,
}

/// A directory with a lock that marks it as used. A process id can't mark it, because other machines may share the
/// home directory.
#[derive(Debug)]
struct LockedDir {
    path: PathBuf,
    lock: Option<Lock>,
}

impl LockedDir {
    fn create(parent: &Path) -> std::io::Result<Self> {
        private_dir(parent)?;
        let path = parent.join(unique_id("stage"));
        // A check that removes leftovers may hold the new lock for a moment.
        let lock = Lock::take(&lock_path(&path), &|| false)?;
        let locked = Self { path, lock };
        fs::create_dir(&locked.path)?;
        Ok(locked)
    }
}

impl Drop for LockedDir {
    fn drop(&mut self) {
        // `carnet clean` removes directories that can't be removed here.
        if remove_tree(&self.path).is_ok()
            && let Some(lock) = self.lock.take()
        {
            let _ = lock.remove();
        }
    }
}

/// Removes the unused input directories. Returns a line for each that was removed or could not be removed.
pub(super) fn remove_unused(cache: &Cache) -> Vec<String> {
    sweep(&parent(cache), |dir| Some(dir.to_owned()))
}

impl InputDir {
    /// Creates an input directory with copies of the analysis and of the current executable.
    ///
    /// # Errors
    /// If a file can't be copied, or the executable is not static.
    pub(super) fn create(listing: &Listing) -> Result<Self, Error> {
        let cache = Cache::from_env()?;
        let parent = parent(&cache);
        let locked = cache
            .create()
            .and_then(|()| LockedDir::create(&parent))
            .map_err(|error| SourceError::io("create a directory in", &parent, error))?;
        // Programs in an image may run as any user and need access.
        open_to_all(&locked.path)?;
        copy_program(&locked.path.join(PROGRAM))?;
        let source = locked.path.join(SOURCE);
        fs::create_dir(&source).map_err(|error| SourceError::io("create", &source, error))?;
        open_to_all(&source)?;
        let tree = listing.copy(&source)?;
        Ok(Self { locked, tree })
    }

    /// Returns the path of the directory.
    pub(super) fn path(&self) -> &Path {
        &self.locked.path
    }

    /// Returns the tree that was copied.
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Writes a plan and returns its name in the directory.
    ///
    /// # Errors
    /// If the plan can't be written.
    pub(super) fn write_plan(&self, job: &str, plan: &CellPlan) -> Result<String, SourceError> {
        let name = format!("plan-{job}.json");
        let path = self.locked.path.join(&name);
        let text = canonical::to_string(plan).map_err(|error| SourceError::io("write", &path, error.into()))?;
        fs::write(&path, text).map_err(|error| SourceError::io("write", &path, error))?;
        // The caller's umask must not make the plan unreadable for the user in the image.
        let mode = fs::Permissions::from_mode(0o644);
        fs::set_permissions(&path, mode).map_err(|error| SourceError::io("write", &path, error))?;
        Ok(name)
    }
}

/// Returns the parent of all input directories.
fn parent(cache: &Cache) -> PathBuf {
    cache.dir().join("stage")
}

fn open_to_all(dir: &Path) -> Result<(), SourceError> {
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(dir, mode).map_err(|error| SourceError::io("set the mode of", dir, error))
}

/// Copies the current executable. It must be static, because an image may have another libc, or none.
fn copy_program(target: &Path) -> Result<(), Error> {
    let program = PathBuf::from("/proc/self/exe");
    let bytes = fs::read(&program).map_err(|error| SourceError::io("read", &program, error))?;
    if is_dynamic(&bytes) {
        return Err(CheckError::NotStatic { reason: "it is dynamically linked".to_owned() }.into());
    }
    fs::write(target, bytes).map_err(|error| SourceError::io("write", target, error))?;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(target, mode).map_err(|error| SourceError::io("write", target, error))?;
    Ok(())
}

/// Reports whether an ELF file requires a dynamic loader.
fn is_dynamic(program: &[u8]) -> bool {
    use object::read::elf::{FileHeader as _, ProgramHeader as _};
    type Header = object::elf::FileHeader64<object::Endianness>;
    let Ok(header) = Header::parse(program) else { return false };
    let Ok(endian) = header.endian() else { return false };
    let segments = header.program_headers(endian, program).unwrap_or_default();
    segments.iter().any(|segment| segment.p_type(endian) == object::elf::PT_INTERP)
}
