//! Where carnet keeps what it can make again: unpacked images, kept states, results, directories of runs.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::environment;
use crate::error::{Failure, Kind};
use crate::model::digest::Digest;

/// Why the cache directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// No variable names a directory.
    #[error("no cache directory: CARNET_CACHE, XDG_CACHE_HOME and HOME are not set")]
    NotSet,
    /// An operation on the cache failed.
    #[error("`{}`", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl CacheError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

impl Failure for CacheError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::NotSet).then(|| "set CARNET_CACHE to a directory".to_owned())
    }
}

/// The cache directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// `$CARNET_CACHE`, `$XDG_CACHE_HOME/carnet` or `~/.cache/carnet`, the first that is set.
    ///
    /// # Errors
    /// When none is.
    pub fn from_env() -> Result<Self, CacheError> {
        let var = |name: &str| environment::non_empty_os(name).map(PathBuf::from);
        let dir = var("CARNET_CACHE")
            .or_else(|| var("XDG_CACHE_HOME").map(|dir| dir.join("carnet")))
            .or_else(|| var("HOME").map(|home| home.join(".cache/carnet")))
            .ok_or(CacheError::NotSet)?;
        Ok(Self::at(std::path::absolute(&dir).map_err(|e| CacheError::io(&dir, e))?))
    }

    /// The cache in this directory, made when first needed.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes the directory, hidden from git: CI systems keep between jobs only what lies in the checkout, and there a cache must
    /// be no part of the analysis.
    ///
    /// # Errors
    /// When it can't be written to.
    pub fn make(&self) -> io::Result<()> {
        private_dir(&self.dir)?;
        match fs::OpenOptions::new().write(true).create_new(true).open(self.dir.join(".gitignore")) {
            Ok(mut file) => file.write_all(b"*\n"),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Unpacked images: `trees/<config digest>/rootfs`.
    pub fn trees(&self) -> PathBuf {
        self.dir.join("trees")
    }

    /// Directories of runs that are going on: `runs/<job id>`.
    pub fn runs(&self) -> PathBuf {
        self.dir.join("runs")
    }

    /// States that runs left on top of images: `kept/<name>`.
    pub fn kept(&self) -> PathBuf {
        self.dir.join("kept")
    }

    /// States that set-ups on this machine itself left: `kept-host/<key>`.
    pub fn kept_host(&self) -> PathBuf {
        self.dir.join("kept-host")
    }

    /// Results of cells: `results/<question>/<image>.json`.
    pub fn results(&self) -> PathBuf {
        self.dir.join("results")
    }

    /// The unpacked tree of an image, when it is there and complete.
    pub fn tree(&self, config: &Digest) -> Option<PathBuf> {
        let at = self.trees().join(config.hex());
        at.join(COMPLETE).exists().then(|| at.join(ROOTFS))
    }

    /// Removes the unpacked tree of an image.
    ///
    /// # Errors
    /// When something in it can't be removed.
    pub fn remove_tree(&self, config: &Digest) -> Result<(), CacheError> {
        let at = self.trees().join(config.hex());
        super::remove::remove_tree(&at).map_err(|e| CacheError::io(&at, e))
    }
}

/// The tree inside an entry of [`Cache::trees`].
pub(crate) const ROOTFS: &str = "rootfs";
/// The file whose presence says that the tree is complete.
pub(crate) const COMPLETE: &str = "complete";

/// Makes a directory and its parents, closed to others: trees hold set-user-id programs of foreign making.
///
/// # Errors
/// Whatever making one fails with.
pub fn private_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
