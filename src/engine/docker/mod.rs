//! The Docker daemon, or the compatible service of Podman, over its HTTP API (version 1.41 or later).
//!
//! If the daemon has access to the files of this machine, the input is bind-mounted into the container. Otherwise, for
//! example with a remote daemon, it is uploaded. The result is always downloaded.

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
use crate::error::chain;
use crate::model::engine::EngineKind;
use crate::model::image::ImageIdentity;
use crate::model::reference::Reference;
use crate::model::text::{self, count};
use crate::sys::environment;
use client::Client;

/// The name of the engine.
pub const NAME: &str = EngineKind::Docker.name();

/// Options of the engine. Missing ones are detected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Address of the daemon, as `unix:///var/run/docker.sock` or `tcp://host:2375`.
    pub host: Option<String>,
    /// Network of containers that have one: `bridge` (the default), `host` or a name.
    pub network: Option<String>,
    /// Transfer of the input to the daemon.
    pub transfer: Option<Transfer>,
}

/// The transfer of the input into a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// The daemon has access to the files of this machine and bind-mounts the directory.
    Bind,
    /// The files are uploaded to the daemon.
    Copy,
}

impl Options {
    /// Reads `CARNET_DOCKER_NETWORK` and `CARNET_DOCKER_TRANSFER`, which is `bind` or `copy`.
    pub fn from_env() -> Self {
        let transfer = match environment::non_empty("CARNET_DOCKER_TRANSFER").as_deref() {
            Some("bind") => Some(Transfer::Bind),
            Some("copy") => Some(Transfer::Copy),
            _ => None,
        };
        Self { host: None, network: environment::non_empty("CARNET_DOCKER_NETWORK"), transfer }
    }
}

/// The Docker engine.
#[derive(Debug)]
pub struct Docker {
    options: Options,
    /// Transfer to this daemon, once detected.
    transfer: OnceLock<Transfer>,
}

impl Docker {
    /// Returns an engine with these options. It connects on first use.
    pub fn new(options: Options) -> Self {
        let transfer = options.transfer.map_or_else(OnceLock::new, OnceLock::from);
        Self { options, transfer }
    }

    async fn connect(&self) -> Result<Client, EngineError> {
        Client::connect(&self.options, Duration::from_secs(60)).await
    }

    /// Removes the containers and volumes of dead runs of this machine and returns their number.
    ///
    /// # Errors
    /// Fails if the daemon does not respond.
    pub async fn sweep(&self) -> Result<usize, EngineError> {
        sweep::sweep(&self.connect().await?).await
    }

    /// Removes all saved states in the daemon and returns their number.
    ///
    /// # Errors
    /// Fails if the daemon does not respond.
    pub async fn remove_saved_states(&self) -> Result<usize, EngineError> {
        keep::remove_all(&self.connect().await?).await
    }
}

impl Docker {
    /// Removes the images that carnet loaded into the daemon, and returns their number and their size in bytes.
    ///
    /// # Errors
    /// Fails if the daemon does not respond, or a container uses an image.
    pub async fn remove_loaded_images(&self) -> Result<(usize, u64), EngineError> {
        load::remove_all(&self.connect().await?).await
    }
}

impl Engine for Docker {
    fn kind(&self) -> EngineKind {
        EngineKind::Docker
    }

    fn detect(&self) -> Task<'_, Availability> {
        Box::pin(async {
            match Client::connect(&self.options, Duration::from_secs(5)).await {
                Ok(client) => Availability::Ready(client.describe()),
                Err(EngineError::Missing { reason, hint, .. }) => Availability::Missing { reason, hint },
                Err(error) => {
                    Availability::Missing { reason: chain(&error), hint: "read the log of the daemon".to_owned() }
                }
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

    fn saved_state<'a>(&'a self, base: &'a Opened, key: &'a str) -> Task<'a, Result<Option<Opened>, EngineError>> {
        Box::pin(async move { keep::find(&self.connect().await?, base, key).await })
    }

    fn address(&self) -> Option<String> {
        self.options.host.clone().or_else(client::address)
    }

    fn clean(&self, all: bool) -> Task<'_, Vec<String>> {
        Box::pin(async move {
            let Availability::Ready(_) = self.detect().await else { return Vec::new() };
            let mut lines = Vec::from_iter(removal_line(
                "leftover Docker container or image",
                "leftover Docker containers and images",
                self.sweep().await,
            ));
            if all {
                lines.extend(removal_line(
                    "cached setup in Docker",
                    "cached setups in Docker",
                    self.remove_saved_states().await,
                ));
                lines.extend(match self.remove_loaded_images().await {
                    Ok((0, _)) => None,
                    Ok((number, bytes)) => {
                        Some(format!("removed {} in Docker ({})", count(number, "loaded image"), text::size(bytes)))
                    }
                    Err(error) => Some(format!("failed to remove loaded images in Docker: {}", chain(&error))),
                });
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

/// Returns a line about objects removed from Docker, or `None` if there were none.
fn removal_line(singular: &str, plural: &str, outcome: Result<usize, EngineError>) -> Option<String> {
    match outcome {
        Ok(0) => None,
        Ok(1) => Some(format!("removed 1 {singular}")),
        Ok(n) => Some(format!("removed {n} {plural}")),
        Err(error) => Some(format!("failed to remove {plural}: {}", chain(&error))),
    }
}
