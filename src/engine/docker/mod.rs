//! The Docker daemon, or Podman's service of the same interface, over its HTTP interface (1.41 and later).
//!
//! The input is bound into the container where the daemon sees the files of this machine; where it doesn't, as with a
//! daemon on another machine, it is sent. The result always comes back through the interface.

mod client;
mod container;
mod create;
mod endpoint;
mod image;
mod keep;
mod label;
mod load;
mod run;
mod sweep;
mod transfer;

use std::sync::OnceLock;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::job::{Completed, Job};
use super::{Availability, Engine, EngineError, Lines, Opened, Task};
use crate::model::image::ImageIdentity;
use crate::model::reference::Reference;
use crate::sys::environment;
use client::Client;

/// Name of the engine.
pub const NAME: &str = "docker";

/// What may be chosen about the engine; by default everything is found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Address of the daemon, as `unix:///var/run/docker.sock` or `tcp://host:2375`.
    pub host: Option<String>,
    /// Network of containers that may have one: `bridge`, which is the default, `host`, or the name of one.
    pub network: Option<String>,
    /// How the input gets to the daemon.
    pub transfer: Option<Transfer>,
}

/// How the input gets into the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// The daemon sees the files of this machine and binds the directory.
    Bind,
    /// The files are sent to the daemon.
    Copy,
}

/// Address of the daemon that the environment names, by a variable, a context or a usual place; none when there is none.
pub fn address() -> Option<String> {
    client::address()
}

impl Options {
    /// The choices of `CARNET_DOCKER_NETWORK` and of `CARNET_DOCKER_TRANSFER`, which is `bind` or `copy`.
    pub fn from_env() -> Self {
        let transfer = match environment::non_empty("CARNET_DOCKER_TRANSFER").as_deref() {
            Some("bind") => Some(Transfer::Bind),
            Some("copy") => Some(Transfer::Copy),
            _ => None,
        };
        Self { host: None, network: environment::non_empty("CARNET_DOCKER_NETWORK"), transfer }
    }
}

/// The engine.
#[derive(Debug)]
pub struct Docker {
    options: Options,
    /// How the input gets to this daemon, once it is known.
    transfer: OnceLock<Transfer>,
}

impl Docker {
    /// An engine with these choices. Nothing is connected yet.
    pub fn new(options: Options) -> Self {
        let transfer = options.transfer.map_or_else(OnceLock::new, OnceLock::from);
        Self { options, transfer }
    }

    async fn connect(&self) -> Result<Client, EngineError> {
        Client::connect(&self.options, Duration::from_secs(60)).await
    }

    /// Removes what runs of this machine that are dead left in the daemon, and says how many things that were.
    ///
    /// # Errors
    /// When the daemon can't be asked.
    pub async fn sweep(&self) -> Result<usize, EngineError> {
        sweep::sweep(&self.connect().await?).await
    }

    /// Removes all states that were kept in the daemon, and says how many there were.
    ///
    /// # Errors
    /// When the daemon can't be asked.
    pub async fn forget_kept(&self) -> Result<usize, EngineError> {
        keep::forget_all(&self.connect().await?).await
    }
}

impl Engine for Docker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn detect(&self) -> Task<'_, Availability> {
        Box::pin(async {
            match Client::connect(&self.options, Duration::from_secs(5)).await {
                Ok(client) => Availability::Ready(client.describe()),
                Err(EngineError::Missing { reason, mend, .. }) => Availability::Missing { reason, mend },
                Err(error) => Availability::Missing {
                    reason: crate::error::chain(&error),
                    mend: "see what the daemon logs".to_owned(),
                },
            }
        })
    }

    fn open<'a>(
        &'a self,
        reference: &'a Reference,
        cancel: CancellationToken,
    ) -> Task<'a, Result<Opened, EngineError>> {
        Box::pin(async move { image::open(&self.connect().await?, reference, &cancel).await })
    }

    fn identify<'a>(&'a self, reference: &'a Reference) -> Task<'a, Result<Option<ImageIdentity>, EngineError>> {
        Box::pin(async move { image::identify(&self.connect().await?, reference).await })
    }

    fn kept<'a>(&'a self, base: &'a Opened, key: &'a str) -> Task<'a, Result<Option<Opened>, EngineError>> {
        Box::pin(async move { keep::find(&self.connect().await?, base, key).await })
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
