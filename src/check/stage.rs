//! The directory that engines show inside as the input: the own program, the analysis, the plans.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::RunError;
use super::execute::unique_id;
use crate::error::Error;
use crate::model::canonical;
use crate::model::plan::CellPlan;
use crate::model::tree::Tree;
use crate::source::SourceError;
use crate::source::git::tree::Listing;
use crate::sys::cache::{Cache, private_dir};
use crate::sys::lock::Lock;
use crate::sys::remove::remove_tree;

/// Name of the program in the input directory.
pub const PROGRAM: &str = "carnet";
/// Name of the analysis in the input directory.
pub const SOURCE: &str = "src";

/// An input directory, removed when it is dropped.
#[derive(Debug)]
pub struct Stage {
    room: Room,
    tree: Tree,
}

/// The directory, with the lock that says that somebody uses it: on a shared home no process id says that.
#[derive(Debug)]
struct Room {
    dir: PathBuf,
    lock: Option<Lock>,
}

impl Room {
    fn make(parent: &Path) -> std::io::Result<Self> {
        private_dir(parent)?;
        let dir = parent.join(unique_id("stage"));
        let lock = Lock::try_take(&lock_of(&dir))?;
        let room = Self { dir, lock };
        fs::create_dir(&room.dir)?;
        Ok(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // What can't be removed now is found by `carnet clean`.
        if remove_tree(&self.dir).is_ok()
            && let Some(lock) = self.lock.take()
        {
            let _ = lock.remove();
        }
    }
}

fn lock_of(dir: &Path) -> PathBuf {
    dir.with_extension("lock")
}

/// Removes the input directories that nobody uses any more, and gives back what could and what could not be removed.
pub(super) fn sweep(cache: &Cache) -> Vec<(PathBuf, std::io::Result<()>)> {
    let mut swept = Vec::new();
    for entry in fs::read_dir(parent(cache)).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some() {
            continue;
        }
        match Lock::try_take(&lock_of(&path)) {
            Ok(Some(lock)) => {
                let removed = remove_tree(&path).and_then(|()| lock.remove());
                swept.push((path, removed));
            }
            Ok(None) => {}
            Err(error) => swept.push((path, Err(error))),
        }
    }
    swept
}

impl Stage {
    /// Makes one with the analysis and the running program in it.
    ///
    /// # Errors
    /// When something can't be copied, or the program isn't static.
    pub fn new(listing: &Listing) -> Result<Self, Error> {
        let cache = Cache::from_env()?;
        let parent = parent(&cache);
        let room = cache
            .make()
            .and_then(|()| Room::make(&parent))
            .map_err(|error| SourceError::io("create a directory in", &parent, error))?;
        // Programs inside may run as any user, and must get as far as this.
        open_to_all(&room.dir)?;
        copy_program(&room.dir.join(PROGRAM))?;
        let source = room.dir.join(SOURCE);
        fs::create_dir(&source).map_err(|error| SourceError::io("create", &source, error))?;
        open_to_all(&source)?;
        let tree = listing.copy(&source)?;
        Ok(Self { room, tree })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.room.dir
    }

    /// What was copied.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Writes a plan and gives back its name in the directory.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_plan(&self, job: &str, plan: &CellPlan) -> Result<String, SourceError> {
        let name = format!("plan-{job}.json");
        let path = self.room.dir.join(&name);
        let text = canonical::to_string(plan).map_err(|error| SourceError::io("write", &path, error.into()))?;
        fs::write(&path, text).map_err(|error| SourceError::io("write", &path, error))?;
        // The umask of who starts this must not keep the user inside from reading it.
        let mode = fs::Permissions::from_mode(0o644);
        fs::set_permissions(&path, mode).map_err(|error| SourceError::io("write", &path, error))?;
        Ok(name)
    }
}

/// Where input directories are made.
fn parent(cache: &Cache) -> PathBuf {
    cache.dir().join("stage")
}

fn open_to_all(dir: &Path) -> Result<(), SourceError> {
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(dir, mode).map_err(|error| SourceError::io("set the mode of", dir, error))
}

/// Copies the running program, which must be static: inside there may be another libc, or none.
fn copy_program(target: &Path) -> Result<(), Error> {
    let program = PathBuf::from("/proc/self/exe");
    let bytes = fs::read(&program).map_err(|error| SourceError::io("read", &program, error))?;
    if is_dynamic(&bytes) {
        return Err(RunError::NotStatic { reason: "it is dynamically linked".to_owned() }.into());
    }
    fs::write(target, bytes).map_err(|error| SourceError::io("write", target, error))?;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(target, mode).map_err(|error| SourceError::io("write", target, error))?;
    Ok(())
}

/// Whether the program asks for a dynamic loader.
fn is_dynamic(program: &[u8]) -> bool {
    use object::read::elf::{FileHeader as _, ProgramHeader as _};
    type Header = object::elf::FileHeader64<object::Endianness>;
    let Ok(header) = Header::parse(program) else { return false };
    let Ok(endian) = header.endian() else { return false };
    let segments = header.program_headers(endian, program).unwrap_or_default();
    segments.iter().any(|segment| segment.p_type(endian) == object::elf::PT_INTERP)
}
