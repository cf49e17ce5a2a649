//! The engine without a daemon: this program creates namespaces, an overlay file system and control groups itself.
//!
//! It works as root, and as an ordinary user where the kernel lets users create namespaces. As root it also creates a user
//! namespace, so programs get no capability of this machine. It denies the system calls of [`crate::sys::seccomp`].
//!
//! A run has three processes. The engine starts `outer`, which creates the namespaces and starts `inner` as their first
//! process. `inner` assembles the file system, drops privileges and starts the program. When `inner` ends, the kernel
//! kills the remaining processes in its process namespace. `outer` kills `inner` when its standard input ends, which
//! also happens when the engine is killed. If the job requests it, `inner` also starts a launcher (`super::launcher`).

mod control;
mod detect;
mod prepare;
mod protocol;
mod run;
mod run_dir;
pub mod sandbox;
mod user;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::job::{Completed, Job};
use super::{Availability, Engine, EngineError, ImageLocation, Lines, Opened, Task};
use crate::error::{Failure as _, chain};
use crate::image::disk::OnDisk;
use crate::image::error::ImageError;
use crate::image::unpack::{is_damaged, unpack};
use crate::model::digest::Digest;
use crate::model::engine::EngineKind;
use crate::model::image::ImageIdentity;
use crate::model::reference::Reference;
use crate::model::text;
use crate::sys::cache::Cache;
use crate::sys::remove::remove_and_describe;

/// The name of the engine.
pub const NAME: &str = EngineKind::Embedded.name();

/// The engine without a daemon.
#[derive(Debug, Clone)]
pub struct Embedded {
    helper: PathBuf,
    cache: Cache,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Embedded {
    /// Returns an engine that stores its trees in `cache`.
    pub fn new(cache: Cache) -> Self {
        // The link leads to the running program, even after another file replaced it.
        Self { helper: PathBuf::from("/proc/self/exe"), cache, notes: Arc::default() }
    }

    /// Starts `helper` as the helper process instead of the running program. It must call
    /// [`sandbox::run_if_requested`] first.
    #[must_use]
    pub fn with_helper(self, helper: PathBuf) -> Self {
        Self { helper, ..self }
    }

    /// Removes the directories and control groups of killed runs and returns the names of the runs.
    ///
    /// # Errors
    /// Fails if a directory can't be removed.
    pub fn sweep(&self) -> std::io::Result<Vec<String>> {
        run_dir::sweep(&self.cache).map(|runs| runs.into_keys().collect())
    }

    /// Returns the directory of the state with this key, which may not exist.
    fn state_dir(&self, base: &Opened, key: &str) -> Result<PathBuf, EngineError> {
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return Err(failed("naming the saved state")(format!("invalid key `{key}`")));
        }
        let base_name = match (self.state_name(base), &base.identity.config_digest, &base.location) {
            (Some(name), ..) => name,
            (None, Some(config), _) => config.hex().to_owned(),
            (None, None, location) => Digest::of(format!("{location:?}").as_bytes()).hex().to_owned(),
        };
        Ok(self.cache.saved_states().join(format!("{base_name}-{key}")))
    }

    /// Returns the name of the saved state on top of this image.
    fn state_name(&self, image: &Opened) -> Option<String> {
        let ImageLocation::Trees(trees) = &image.location else { return None };
        let dir = trees.first()?.parent()?;
        let is_saved = dir.parent() == Some(&*self.cache.saved_states());
        is_saved.then(|| dir.file_name().map(|name| name.to_string_lossy().into_owned()))?
    }

    /// Returns the writable directories of the saved states in this image, topmost first.
    fn scratch_layers(&self, trees: &[PathBuf]) -> Vec<PathBuf> {
        let states = self.cache.saved_states();
        trees
            .iter()
            .filter(|tree| tree.starts_with(&states))
            .filter_map(|tree| Some(tree.parent()?.join(run_dir::name::SCRATCH)))
            .collect()
    }

    fn saved_image(dir: &Path, base: &Opened) -> Opened {
        let mut trees = vec![dir.join("upper")];
        if let ImageLocation::Trees(below) = &base.location {
            trees.extend(below.iter().cloned());
        }
        Opened { identity: base.identity.clone(), location: ImageLocation::Trees(trees) }
    }
}

impl Engine for Embedded {
    fn kind(&self) -> EngineKind {
        EngineKind::Embedded
    }

    fn detect(&self) -> Task<'_, Availability> {
        Box::pin(detect::detect(&self.helper))
    }

    fn open<'a>(
        &'a self,
        reference: &'a Reference,
        cancel: CancellationToken,
    ) -> Task<'a, Result<Opened, EngineError>> {
        Box::pin(async move {
            let (owned, cache) = (reference.clone(), self.cache.clone());
            let notes = Arc::clone(&self.notes);
            let work = tokio::task::spawn_blocking(move || open(&owned, &cache, &cancel, &notes));
            let opened = work.await.map_err(failed("unpacking the image"))?;
            let (identity, tree) = opened.map_err(|e| not_opened(reference, &e))?;
            Ok(Opened { identity, location: ImageLocation::Trees(vec![tree]) })
        })
    }

    fn identify<'a>(&'a self, reference: &'a Reference) -> Task<'a, Result<Option<ImageIdentity>, EngineError>> {
        Box::pin(async move {
            let owned = reference.clone();
            let work = tokio::task::spawn_blocking(move || OnDisk::open(&owned));
            let image = work.await.map_err(failed("reading the image"))?;
            Ok(Some(image.map_err(|e| not_opened(reference, &e))?.identity().clone()))
        })
    }

    fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn saved_state<'a>(&'a self, base: &'a Opened, key: &'a str) -> Task<'a, Result<Option<Opened>, EngineError>> {
        Box::pin(async move {
            let dir = self.state_dir(base, key)?;
            let exists = tokio::fs::try_exists(&dir).await.map_err(failed("finding the saved state"))?;
            Ok(exists.then(|| Self::saved_image(&dir, base)))
        })
    }

    fn clean(&self, all: bool) -> Task<'_, Vec<String>> {
        Box::pin(async move {
            let line = |(run, bytes)| format!("removed leftovers of run {run} ({})", text::size(bytes));
            let mut lines: Vec<String> = match run_dir::sweep(&self.cache) {
                Ok(runs) => runs.into_iter().map(line).collect(),
                Err(error) => {
                    vec![format!("failed to remove leftovers of runs in {}: {error}", self.cache.dir().display())]
                }
            };
            if all {
                let dirs = [self.cache.trees(), self.cache.saved_states()];
                lines.extend(dirs.iter().filter_map(|dir| remove_and_describe(dir)));
            }
            lines
        })
    }

    fn run<'a>(
        &'a self,
        image: &'a Opened,
        job: &'a Job,
        lines: Lines,
        cancel: CancellationToken,
    ) -> Task<'a, Result<Completed, EngineError>> {
        Box::pin(run::run(self, image, job, lines, cancel))
    }
}

fn open(
    reference: &Reference,
    cache: &Cache,
    cancel: &CancellationToken,
    notes: &Mutex<Vec<String>>,
) -> Result<(ImageIdentity, PathBuf), ImageError> {
    let image = OnDisk::open(reference)?;
    if is_damaged(&image, cache) {
        let note = format!("the unpacked tree of {reference} is damaged: unpacking the image again");
        notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }
    let tree = unpack(&image, cache, &|| cancel.is_cancelled())?;
    Ok((image.identity().clone(), tree))
}

fn not_opened(reference: &Reference, error: &ImageError) -> EngineError {
    match error {
        ImageError::Stopped => EngineError::Cancelled,
        ImageError::Unsupported { .. } => EngineError::Unsupported {
            engine: NAME,
            reference: reference.to_string(),
            hint: "this engine runs images on disk; save the image with `docker save -o FILE NAME` and use docker-archive:FILE"
                .to_owned(),
        },
        other => EngineError::Image { reference: reference.to_string(), reason: chain(other), hint: other.hint() },
    }
}

fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(doing: &str) -> impl FnOnce(E) -> EngineError {
    EngineError::run(NAME, doing)
}
