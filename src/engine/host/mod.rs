//! The engine that runs programs on this machine, with its files and its user. Other parts of a contract are reported
//! as not enforced.
//!
//! Each run has a [`supervisor`], a helper process that adopts and kills the processes that the run leaves behind. Where
//! namespaces can be created, the input, the checkout and the cache are read-only, the network can be disabled, state can be
//! saved between runs, and commands run in a process namespace of their own.

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
use crate::model::engine::EngineKind;
use crate::model::image::ImageIdentity;
use crate::model::reference::Reference;
use crate::sys::cache::Cache;
use crate::sys::remove::remove_and_describe;
use crate::sys::sweep::sweep;

/// The name of the engine.
pub const NAME: &str = EngineKind::Host.name();

/// The engine that runs on this machine itself.
#[derive(Debug)]
pub struct Host {
    /// The program that is started as a supervisor.
    helper: PathBuf,
    /// Directory with a subdirectory for each saved state.
    cache: PathBuf,
    /// Whether namespaces can be created, determined on first use.
    sandbox: OnceLock<bool>,
}

impl Host {
    /// Returns an engine that starts the carnet program `helper` as a supervisor and saves state in the directory `cache`.
    pub fn new(helper: PathBuf, cache: PathBuf) -> Self {
        Self { helper, cache, sandbox: OnceLock::new() }
    }

    /// Returns an engine that starts the running program as a supervisor and saves state in the cache of this user.
    pub fn here(cache: &Cache) -> Self {
        // The link leads to the running program, even after another file replaced it.
        Self::new(PathBuf::from("/proc/self/exe"), cache.host_states())
    }

    /// Returns the directories of incomplete states whose run is dead.
    fn incomplete_states(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.cache).into_iter().flatten().flatten();
        let dirs = entries.map(|entry| entry.path()).filter(|dir| !is_complete(dir));
        dirs.filter(|dir| File::open(dir.join(run::LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())).collect()
    }

    /// Returns the directory of the state with this key.
    fn state_dir(&self, key: &str) -> PathBuf {
        self.cache.join(key)
    }

    fn has_sandbox(&self) -> bool {
        *self.sandbox.get_or_init(|| supervisor::can_create_namespaces(&self.helper))
    }

    /// Returns the writable directory as the program sees it.
    fn scratch(&self, image: &Opened, job: &Job) -> PathBuf {
        match (&image.location, &job.save_as) {
            (ImageLocation::Trees(trees), _) if !trees.is_empty() => trees[0].clone(),
            (_, Some(key)) if self.has_sandbox() => self.state_dir(key).join(run::SCRATCH),
            _ => run_dir(&job.id).join(run::SCRATCH),
        }
    }
}

/// Returns the directory with the directories of all runs of this user.
fn runs_dir() -> PathBuf {
    std::env::temp_dir().join(format!("carnet-run-{}", rustix::process::geteuid().as_raw()))
}

/// Returns the directory of a run.
fn run_dir(id: &str) -> PathBuf {
    runs_dir().join(id)
}

impl Engine for Host {
    fn kind(&self) -> EngineKind {
        EngineKind::Host
    }

    fn detect(&self) -> Task<'_, Availability> {
        Box::pin(async {
            let extent =
                if self.has_sandbox() { "can disable the network" } else { "can't disable the network: no namespaces" };
            Availability::Ready(format!("this machine, {extent}"))
        })
    }

    fn open<'a>(&'a self, reference: &'a Reference, _: CancellationToken) -> Task<'a, Result<Opened, EngineError>> {
        Box::pin(async move {
            match reference {
                Reference::Host => Ok(Opened { identity: identity(), location: ImageLocation::Host }),
                _ => Err(EngineError::Unsupported {
                    engine: NAME,
                    reference: reference.to_string(),
                    hint: "this engine only supports the image `host`; use `docker` or `embedded` for images"
                        .to_owned(),
                }),
            }
        })
    }

    fn saved_state<'a>(&'a self, base: &'a Opened, key: &'a str) -> Task<'a, Result<Option<Opened>, EngineError>> {
        Box::pin(async move {
            let dir = self.state_dir(key);
            let is_usable = self.has_sandbox() && is_complete(&dir);
            Ok(is_usable.then(|| Opened {
                identity: base.identity.clone(),
                location: ImageLocation::Trees(vec![dir.join(run::SCRATCH)]),
            }))
        })
    }

    fn layout(&self, image: &Opened, job: &Job) -> Layout {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Layout { input: text(&job.input), scratch: text(&self.scratch(image, job)) }
    }

    fn clean(&self, all: bool) -> Task<'_, Vec<String>> {
        Box::pin(async move {
            let mut dirs = self.incomplete_states();
            if all {
                dirs.push(self.cache.clone());
            }
            let mut lines = sweep(&runs_dir(), |path| Some(path.to_owned()));
            // Fails if it contains a run.
            let _ = std::fs::remove_dir(runs_dir());
            lines.extend(dirs.iter().filter_map(|dir| remove_and_describe(dir)));
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

/// Marker file of a complete state.
const COMPLETE: &str = "whole";

/// Reports whether the run that created this state succeeded.
fn is_complete(dir: &Path) -> bool {
    dir.join(COMPLETE).exists()
}

fn identity() -> ImageIdentity {
    ImageIdentity { reference: "host".to_owned(), platform: machine_platform(), ..ImageIdentity::default() }
}
