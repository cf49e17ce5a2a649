//! This machine as it is: programs run with its files and its user, and what a contract asks beyond that is reported as
//! not enforced.
//!
//! Each run has a supervisor, a process of this same program ([`supervisor`]) that adopts whatever the run leaves
//! behind and kills it. Where namespaces can be made, the input is read-only, the network can be cut, and state can be
//! kept between runs at one path.

mod environment;
mod run;
mod sandbox;
pub mod supervisor;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tokio_util::sync::CancellationToken;

use super::job::{Completed, Job};
use super::{Availability, Engine, EngineError, ImageLocation, Layout, Lines, Opened, Task};
use crate::image::config::machine_platform;
use crate::model::image::ImageIdentity;
use crate::model::reference::Reference;
use crate::sys::cache::Cache;

/// Name of the engine.
pub const NAME: &str = "host";

/// The engine that runs on this machine itself.
#[derive(Debug)]
pub struct Host {
    /// This program, which can supervise.
    helper: PathBuf,
    /// Holds a directory for each kept state.
    cache: PathBuf,
    /// Whether namespaces can be made, once it was tried.
    sandbox: OnceLock<bool>,
}

impl Host {
    /// Supervises with the program `helper`, which is carnet, and keeps state in the directory `cache`.
    pub fn new(helper: PathBuf, cache: PathBuf) -> Self {
        Self { helper, cache, sandbox: OnceLock::new() }
    }

    /// Supervises with the running program and keeps state in the cache of this user.
    pub fn here(cache: &Cache) -> Self {
        // The link names this very file, even after another one has taken its name.
        Self::new(PathBuf::from("/proc/self/exe"), cache.kept_host())
    }

    /// Directories of states whose making was killed.
    pub fn half_made(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.cache).into_iter().flatten().flatten();
        let dirs = entries.map(|entry| entry.path()).filter(|dir| !is_whole(dir));
        dirs.filter(|dir| File::open(dir.join(run::LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())).collect()
    }

    /// Directory of the state of this key.
    fn kept_dir(&self, key: &str) -> PathBuf {
        self.cache.join(key)
    }

    fn has_sandbox(&self) -> bool {
        *self.sandbox.get_or_init(|| sandbox::works(&self.helper))
    }

    /// Directory that the program sees as its writable one.
    fn boxed(&self, image: &Opened, job: &Job) -> PathBuf {
        match (&image.place, &job.keep) {
            (ImageLocation::Trees(trees), _) if !trees.is_empty() => trees[0].clone(),
            (_, Some(key)) if self.has_sandbox() => self.kept_dir(key).join("box"),
            _ => run_dir(&job.id).join("box"),
        }
    }
}

/// Directory of one run.
fn run_dir(id: &str) -> PathBuf {
    std::env::temp_dir().join(format!("carnet-{id}"))
}

impl Engine for Host {
    fn name(&self) -> &'static str {
        NAME
    }

    fn detect(&self) -> Task<'_, Availability> {
        Box::pin(async {
            let extent =
                if self.has_sandbox() { "can cut the network" } else { "can't cut the network: no namespaces" };
            Availability::Ready(format!("this machine as it is; {extent}"))
        })
    }

    fn open<'a>(&'a self, reference: &'a Reference, _: CancellationToken) -> Task<'a, Result<Opened, EngineError>> {
        Box::pin(async move {
            match reference {
                Reference::Host => Ok(Opened { identity: identity(), place: ImageLocation::Host }),
                _ => Err(EngineError::Unsupported {
                    engine: NAME,
                    reference: reference.to_string(),
                    hint: "an image needs an engine with containers; this one takes `host` alone".to_owned(),
                }),
            }
        })
    }

    fn kept<'a>(&'a self, base: &'a Opened, key: &'a str) -> Task<'a, Result<Option<Opened>, EngineError>> {
        Box::pin(async move {
            let dir = self.kept_dir(key);
            let whole = self.has_sandbox() && is_whole(&dir);
            Ok(whole.then(|| Opened {
                identity: base.identity.clone(),
                place: ImageLocation::Trees(vec![dir.join("box")]),
            }))
        })
    }

    fn layout(&self, image: &Opened, job: &Job) -> Layout {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Layout { input: text(&job.input), boxed: text(&self.boxed(image, job)) }
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

/// File in the directory of a state that says that it is whole.
const WHOLE: &str = "whole";

/// Whether the run that made this state came to its good end.
fn is_whole(dir: &Path) -> bool {
    dir.join(WHOLE).exists()
}

fn identity() -> ImageIdentity {
    ImageIdentity { reference: "host".to_owned(), platform: machine_platform(), ..ImageIdentity::default() }
}
