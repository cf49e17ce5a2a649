//! The directory that engines show inside as the input: the own program, the analysis, the plans.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::RunError;
use crate::error::Error;
use crate::image::cache::{Cache, private_dir};
use crate::model::canonical;
use crate::model::plan::CellPlan;
use crate::model::tree::Tree;
use crate::repo::RepoError;
use crate::repo::tree::Listing;

/// Name of the program in the input directory.
pub const PROGRAM: &str = "carnet";
/// Name of the analysis in the input directory.
pub const SOURCE: &str = "src";

/// An input directory, removed when it is dropped.
#[derive(Debug)]
pub struct Stage {
    dir: tempfile::TempDir,
    tree: Tree,
    /// Says that the directory is in use, as long as we live.
    _held: Option<File>,
}

impl Stage {
    /// Makes one with the analysis and the running program in it.
    ///
    /// # Errors
    /// When something can't be copied, or the program isn't static.
    pub fn new(listing: &Listing) -> Result<Self, Error> {
        let parent = parent(&Cache::from_env()?);
        private_dir(&parent).map_err(|error| RepoError::io("making", &parent, error))?;
        let prefix = format!("{}-", std::process::id());
        let dir = tempfile::Builder::new().prefix(&prefix).tempdir_in(&parent);
        let dir = dir.map_err(|error| RepoError::io("making a directory in", &parent, error))?;
        // A file system without locks has none to tell of us by.
        let held = File::open(dir.path()).ok().filter(|held| held.try_lock().is_ok());
        // Programs inside may run as any user, and must get as far as this.
        open_to_all(dir.path())?;
        copy_program(&dir.path().join(PROGRAM))?;
        let source = dir.path().join(SOURCE);
        fs::create_dir(&source).map_err(|error| RepoError::io("making", &source, error))?;
        open_to_all(&source)?;
        let tree = listing.copy(&source)?;
        Ok(Self { dir, tree, _held: held })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// What was copied.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Writes a plan and gives back its name in the directory.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_plan(&self, job: &str, plan: &CellPlan) -> Result<String, RepoError> {
        let name = format!("plan-{job}.json");
        let path = self.dir.path().join(&name);
        let text = canonical::to_string(plan).map_err(|error| RepoError::io("writing", &path, error.into()))?;
        fs::write(&path, text).map_err(|error| RepoError::io("writing", &path, error))?;
        Ok(name)
    }
}

/// Where input directories are made.
pub(super) fn parent(cache: &Cache) -> PathBuf {
    cache.dir().join("stage")
}

fn open_to_all(dir: &Path) -> Result<(), RepoError> {
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(dir, mode).map_err(|error| RepoError::io("opening", dir, error))
}

/// Copies the running program, which must be static: inside there may be another libc, or none.
fn copy_program(target: &Path) -> Result<(), Error> {
    let program = PathBuf::from("/proc/self/exe");
    let bytes = fs::read(&program).map_err(|error| RepoError::io("reading", &program, error))?;
    if is_dynamic(&bytes) {
        return Err(RunError::NotStatic { reason: "it is dynamically linked".to_owned() }.into());
    }
    fs::write(target, bytes).map_err(|error| RepoError::io("writing", target, error))?;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(target, mode).map_err(|error| RepoError::io("writing", target, error))?;
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
