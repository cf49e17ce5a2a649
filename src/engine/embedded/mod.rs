//! The engine without a daemon: namespaces, an overlay file system and control groups, made by this program itself.
//!
//! It works as root, and as an ordinary user where the kernel lets users make namespaces. It keeps a test from reaching
//! this machine by mistake; it is no wall against an attacker with a hole in the kernel: there is no filter of system
//! calls.
//!
//! A run is three processes. The engine starts `outer`, which makes the namespaces and starts `inner` as their first
//! process, which puts the file system together, gives up its rights and starts the program. When `inner` ends, the
//! kernel kills all that is left in its process namespace; `outer` kills `inner` when the engine's end of its standard
//! input is gone, for whatever reason.

mod control;
mod detect;
mod overlay;
mod prepare;
mod protocol;
mod run;
mod run_dir;
pub mod sandbox;
mod user;

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::job::{Completed, Job};
use super::{Availability, Engine, EngineError, ImageLocation, Lines, Opened, Task};
use crate::error::{Failure as _, chain};
use crate::image::disk::OnDisk;
use crate::image::error::ImageError;
use crate::image::unpack::unpack;
use crate::model::digest::Digest;
use crate::model::image::ImageIdentity;
use crate::model::reference::Reference;
use crate::sys::cache::Cache;

/// The engine's name.
pub const NAME: &str = "embedded";

/// The engine without a daemon.
#[derive(Debug, Clone)]
pub struct Embedded {
    helper: PathBuf,
    cache: Cache,
}

impl Embedded {
    /// An engine that keeps its trees in `cache`.
    pub fn new(cache: Cache) -> Self {
        // The link names this very file, even after another one has taken its name.
        Self { helper: PathBuf::from("/proc/self/exe"), cache }
    }

    /// The same with another program that calls [`sandbox::run_if_asked`] first of all. A test isn't that program.
    #[must_use]
    pub fn with_helper(self, helper: PathBuf) -> Self {
        Self { helper, ..self }
    }

    /// Removes what killed processes left in the cache and among the control groups, and gives the names of the runs.
    ///
    /// # Errors
    /// When something can't be removed.
    pub fn sweep(&self) -> std::io::Result<Vec<String>> {
        run_dir::sweep(&self.cache)
    }

    /// The directory of the state kept under this key, whether it is there or not.
    fn kept_dir(&self, base: &Opened, key: &str) -> Result<PathBuf, EngineError> {
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return Err(failed("naming the kept state")(format!("`{key}` is no key")));
        }
        let base_name = match (self.kept_name(base), &base.identity.config_digest, &base.place) {
            (Some(name), ..) => name,
            (None, Some(config), _) => config.hex().to_owned(),
            (None, None, place) => Digest::of(format!("{place:?}").as_bytes()).hex().to_owned(),
        };
        Ok(self.cache.kept().join(format!("{base_name}-{key}")))
    }

    /// The name of a kept state that lies topmost in this image.
    fn kept_name(&self, image: &Opened) -> Option<String> {
        let ImageLocation::Trees(trees) = &image.place else { return None };
        let dir = trees.first()?.parent()?;
        let inside = dir.parent() == Some(&*self.cache.kept());
        inside.then(|| dir.file_name().map(|name| name.to_string_lossy().into_owned()))?
    }

    /// The writable directories that kept states of this image left, topmost first.
    fn boxes(&self, trees: &[PathBuf]) -> Vec<PathBuf> {
        let kept = self.cache.kept();
        trees
            .iter()
            .filter(|tree| tree.starts_with(&kept))
            .filter_map(|tree| Some(tree.parent()?.join("box")))
            .collect()
    }

    fn kept_image(dir: &Path, base: &Opened) -> Opened {
        let mut trees = vec![dir.join("upper")];
        if let ImageLocation::Trees(below) = &base.place {
            trees.extend(below.iter().cloned());
        }
        Opened { identity: base.identity.clone(), place: ImageLocation::Trees(trees) }
    }
}

impl Engine for Embedded {
    fn name(&self) -> &'static str {
        NAME
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
            let (wanted, cache) = (reference.clone(), self.cache.clone());
            let work = tokio::task::spawn_blocking(move || open(&wanted, &cache, &cancel));
            let opened = work.await.map_err(failed("unpacking the image"))?;
            let (identity, tree) = opened.map_err(|e| not_opened(reference, &e))?;
            Ok(Opened { identity, place: ImageLocation::Trees(vec![tree]) })
        })
    }

    fn identify<'a>(&'a self, reference: &'a Reference) -> Task<'a, Result<Option<ImageIdentity>, EngineError>> {
        Box::pin(async move {
            let wanted = reference.clone();
            let work = tokio::task::spawn_blocking(move || OnDisk::open(&wanted));
            let image = work.await.map_err(failed("reading the image"))?;
            Ok(Some(image.map_err(|e| not_opened(reference, &e))?.identity().clone()))
        })
    }

    fn kept<'a>(&'a self, base: &'a Opened, key: &'a str) -> Task<'a, Result<Option<Opened>, EngineError>> {
        Box::pin(async move {
            let dir = self.kept_dir(base, key)?;
            let there = tokio::fs::try_exists(&dir).await.map_err(failed("looking for the kept state"))?;
            Ok(there.then(|| Self::kept_image(&dir, base)))
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
) -> Result<(ImageIdentity, PathBuf), ImageError> {
    let image = OnDisk::open(reference)?;
    let tree = unpack(&image, cache, &|| cancel.is_cancelled())?;
    Ok((image.identity().clone(), tree))
}

fn not_opened(reference: &Reference, error: &ImageError) -> EngineError {
    match error {
        ImageError::Stopped => EngineError::Cancelled,
        ImageError::Unsupported { .. } => EngineError::Unsupported {
            engine: NAME,
            reference: reference.to_string(),
            hint: "it runs images on disk: save it with `docker save -o FILE NAME` and use docker-archive:FILE"
                .to_owned(),
        },
        other => EngineError::Image { reference: reference.to_string(), reason: chain(other), hint: other.hint() },
    }
}

fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(doing: &str) -> impl FnOnce(E) -> EngineError {
    EngineError::run(NAME, doing)
}
