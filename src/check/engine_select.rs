//! Which engine runs a cell.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::config::Facility;
use crate::engine::docker::{self, Docker};
use crate::engine::embedded::Embedded;
use crate::engine::host::Host;
use crate::engine::{Availability, Engine, EngineError};
use crate::model::reference::Reference;
use crate::sys::cache::{Cache, CacheError};

/// The engines of this machine; each is tried at most once a run.
pub struct Engines {
    forced: Option<String>,
    all: Vec<Arc<dyn Engine>>,
    tried: BTreeMap<&'static str, OnceCell<Availability>>,
}

impl Engines {
    /// All engines; with `forced`, cells that name none must take that one.
    ///
    /// # Errors
    /// When there is no directory for caches.
    pub fn new(forced: Option<String>) -> Result<Self, CacheError> {
        let cache = Cache::from_env()?;
        let all: Vec<Arc<dyn Engine>> = vec![
            Arc::new(Docker::new(docker::Options::from_env())),
            Arc::new(Embedded::new(cache.clone())),
            Arc::new(Host::here(&cache)),
        ];
        let tried = all.iter().map(|engine| (engine.name(), OnceCell::new())).collect();
        Ok(Self { forced, all, tried })
    }

    /// Every engine with whether it works here.
    pub async fn survey(&self) -> Vec<(&'static str, Availability)> {
        let mut found = Vec::new();
        for engine in &self.all {
            found.push((engine.name(), self.availability(engine).await));
        }
        found
    }

    /// The engine for this facility: the one it names, else the first that works and can take its image.
    ///
    /// # Errors
    /// When it doesn't work here, or none does.
    pub async fn pick(&self, facility: &Facility) -> Result<Arc<dyn Engine>, EngineError> {
        let forced = self.forced.as_deref().filter(|_| facility.image != Reference::Host);
        if let Some(name) = facility.engine.as_deref().or(forced) {
            return self.named(name).await;
        }
        let candidates = candidates(&facility.image);
        let mut refusals = Vec::new();
        for name in candidates {
            match self.named(name).await {
                Ok(engine) => return Ok(engine),
                Err(error) => refusals.push(error),
            }
        }
        // The last one tried is the one that is easiest to have.
        Err(refusals.pop().unwrap_or_else(|| missing("host", "there is no such engine", "run carnet doctor")))
    }

    /// The engine that runs where we stand.
    ///
    /// # Errors
    /// When it doesn't work here.
    pub async fn host(&self) -> Result<Arc<dyn Engine>, EngineError> {
        self.named("host").await
    }

    async fn named(&self, name: &str) -> Result<Arc<dyn Engine>, EngineError> {
        let Some(engine) = self.all.iter().find(|engine| engine.name() == name) else {
            return Err(missing("carnet", &format!("it has no engine `{name}`"), "use docker, embedded or host"));
        };
        match self.availability(engine).await {
            Availability::Ready(_) => Ok(Arc::clone(engine)),
            Availability::Missing { reason, mend } => Err(EngineError::Missing { engine: engine.name(), reason, mend }),
        }
    }

    async fn availability(&self, engine: &Arc<dyn Engine>) -> Availability {
        match self.tried.get(engine.name()) {
            Some(cell) => cell.get_or_init(|| engine.detect()).await.clone(),
            None => engine.detect().await,
        }
    }
}

fn missing(engine: &'static str, reason: &str, mend: &str) -> EngineError {
    EngineError::Missing { engine, reason: reason.to_owned(), mend: mend.to_owned() }
}

/// Engines that can take an image of this transport, the one that starts quickest first.
fn candidates(image: &Reference) -> &'static [&'static str] {
    match image {
        Reference::Host => &["host"],
        Reference::Registry(_) | Reference::DockerDaemon(_) => &["docker"],
        Reference::Tree(_) => &["embedded"],
        Reference::DockerArchive(..) | Reference::OciLayout(..) | Reference::OciArchive(..) => &["embedded", "docker"],
    }
}
