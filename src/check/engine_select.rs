//! Selects the engine that runs a cell.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::config::Facility;
use crate::engine::{Availability, Engine, EngineError, candidates, create};
use crate::model::engine::EngineKind;
use crate::model::reference::Reference;
use crate::sys::cache::{Cache, CacheError};

/// The engines of this machine. Each is probed at most once.
pub struct Engines {
    forced: Option<String>,
    all: BTreeMap<EngineKind, (Arc<dyn Engine>, OnceCell<Availability>)>,
}

impl Engines {
    /// Returns all engines. With `forced`, that engine runs every cell whose facility names none.
    ///
    /// # Errors
    /// Fails if there is no cache directory.
    pub fn new(forced: Option<String>) -> Result<Self, CacheError> {
        let cache = Cache::from_env()?;
        let all = EngineKind::ALL.into_iter().map(|kind| (kind, (create(kind, &cache), OnceCell::new())));
        Ok(Self { forced, all: all.collect() })
    }

    /// Returns the availability of every engine.
    pub async fn survey(&self) -> Vec<(&'static str, Availability)> {
        let mut found = Vec::new();
        for kind in self.all.keys() {
            found.push((kind.name(), self.availability(*kind).await));
        }
        found
    }

    /// Returns the engine for this facility: the one that it names, or the first available one that supports its image.
    ///
    /// # Errors
    /// Fails if the engine is unknown or if none is available.
    pub async fn pick(&self, facility: &Facility) -> Result<Arc<dyn Engine>, EngineError> {
        let forced = self.forced.as_deref().filter(|_| facility.image != Reference::Host);
        if let Some(name) = facility.engine.as_deref().or(forced) {
            let kind = EngineKind::from_name(name).ok_or_else(|| unknown(name))?;
            return self.get(kind).await;
        }
        let mut last_error = None;
        // The last candidate is the easiest to set up, so its error is reported.
        for kind in candidates(&facility.image) {
            match self.get(*kind).await {
                Ok(engine) => return Ok(engine),
                Err(error) => last_error = Some(error),
            }
        }
        Err(last_error.unwrap_or_else(|| unknown(&facility.image.to_string())))
    }

    /// Returns the engine that runs on this machine.
    ///
    /// # Errors
    /// Fails if it is not available.
    pub async fn host(&self) -> Result<Arc<dyn Engine>, EngineError> {
        self.get(EngineKind::Host).await
    }

    async fn get(&self, kind: EngineKind) -> Result<Arc<dyn Engine>, EngineError> {
        let Some((engine, _)) = self.all.get(&kind) else { return Err(unknown(kind.name())) };
        match self.availability(kind).await {
            Availability::Ready(_) => Ok(Arc::clone(engine)),
            Availability::Missing { reason, hint } => Err(EngineError::Missing { engine: kind.name(), reason, hint }),
        }
    }

    async fn availability(&self, kind: EngineKind) -> Availability {
        match self.all.get(&kind) {
            Some((engine, availability)) => availability.get_or_init(|| engine.detect()).await.clone(),
            None => Availability::Missing { reason: "unknown engine".to_owned(), hint: known_engines() },
        }
    }
}

fn unknown(name: &str) -> EngineError {
    EngineError::Missing { engine: "carnet", reason: format!("unknown engine `{name}`"), hint: known_engines() }
}

fn known_engines() -> String {
    format!("use one of {}", EngineKind::names().collect::<Vec<_>>().join(", "))
}
