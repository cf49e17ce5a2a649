//! The cache directory: unpacked images, saved states, results and directories of runs.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::environment;
use crate::error::{Failure, Kind};
use crate::model::digest::Digest;

/// An error of the cache directory.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// No variable contains a directory.
    #[error("no cache directory: CARNET_CACHE, XDG_CACHE_HOME and HOME are not set")]
    NotSet,
    /// An operation on the cache failed.
    #[error("failed to use cache directory `{}`", path.display())]
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
    /// Returns `$CARNET_CACHE`, `$XDG_CACHE_HOME/carnet` or `~/.cache/carnet`: the first that is set.
    ///
    /// # Errors
    /// Fails if none is set.
    pub fn from_env() -> Result<Self, CacheError> {
        let var = |name: &str| environment::non_empty_os(name).map(PathBuf::from);
        let dir = var("CARNET_CACHE")
            .or_else(|| var("XDG_CACHE_HOME").map(|dir| dir.join("carnet")))
            .or_else(|| var("HOME").map(|home| home.join(".cache/carnet")))
            .ok_or(CacheError::NotSet)?;
        Ok(Self::at(std::path::absolute(&dir).map_err(|e| CacheError::io(&dir, e))?))
    }

    /// Returns the cache in a directory, which is created on first use.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Returns the directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Creates the directory and hides it from git. CI systems cache only directories in the checkout, where the cache must
    /// not be part of the analysis.
    ///
    /// # Errors
    /// Fails if the directory can't be written.
    pub fn create(&self) -> io::Result<()> {
        private_dir(&self.dir)?;
        match fs::OpenOptions::new().write(true).create_new(true).open(self.dir.join(".gitignore")) {
            Ok(mut file) => file.write_all(b"*\n"),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Returns the directory of unpacked images: `trees/<config digest>/rootfs`.
    pub fn trees(&self) -> PathBuf {
        self.dir.join("trees")
    }

    /// Returns the directory of current runs: `runs/<job id>`.
    pub fn runs(&self) -> PathBuf {
        self.dir.join("runs")
    }

    /// Returns the directory of states saved on top of images: `kept/<name>`.
    pub fn saved_states(&self) -> PathBuf {
        self.dir.join("kept")
    }

    /// Returns the directory of states saved by setups on this machine: `kept-host/<key>`.
    pub fn host_states(&self) -> PathBuf {
        self.dir.join("kept-host")
    }

    /// Returns the directory of cached results: `results/<question>/<image>.json`.
    pub fn results(&self) -> PathBuf {
        self.dir.join("results")
    }

    /// Returns the unpacked tree of an image if it is complete.
    pub fn tree(&self, config: &Digest) -> Option<PathBuf> {
        let dir = self.trees().join(config.hex());
        dir.join(COMPLETE).exists().then(|| dir.join(ROOTFS))
    }

    /// Removes the unpacked tree of an image.
    ///
    /// # Errors
    /// Fails if a file can't be removed.
    pub fn remove_tree(&self, config: &Digest) -> Result<(), CacheError> {
        let dir = self.trees().join(config.hex());
        super::remove::remove_tree(&dir).map_err(|e| CacheError::io(&dir, e))
    }
}

/// Name of the tree in an entry of [`Cache::trees`].
pub(crate) const ROOTFS: &str = "rootfs";
/// Marker file of a complete tree.
pub(crate) const COMPLETE: &str = "complete";

/// Creates a directory and its parents, closed to other users, because images contain untrusted set-user-ID programs.
///
/// # Errors
/// Fails if a directory can't be created.
pub fn private_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
