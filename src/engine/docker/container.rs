//! The containers and volumes of one run, removed with it even after an error.

use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::models::{ContainerCreateBody, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveVolumeOptionsBuilder,
};

use super::client::{Client, failed, found, status};
use super::label;
use crate::engine::EngineError;

/// The containers and volumes that a run created.
///
/// [`RunResources::remove`] removes them. If the future of the run is dropped first, a separate task removes them.
pub(super) struct RunResources {
    pub client: Client,
    job: String,
    containers: Vec<String>,
    volumes: Vec<String>,
}

impl RunResources {
    pub(super) fn new(client: Client, job: &str) -> Self {
        Self { client, job: job.to_owned(), containers: Vec::new(), volumes: Vec::new() }
    }

    /// Returns the name of the container of the run, or of its helper with this suffix.
    pub(super) fn name(&self, suffix: &str) -> String {
        format!("carnet-{}{suffix}", self.job)
    }

    /// Creates a container and returns the warnings of the daemon.
    ///
    /// Do not cancel this: the state of the container would be unknown.
    pub(super) async fn create(&mut self, name: &str, mut body: ContainerCreateBody) -> Result<Vec<String>, ApiError> {
        body.labels = Some(label::labels(&self.job));
        self.containers.push(name.to_owned());
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        Ok(self.client.api.create_container(Some(options), body).await?.warnings)
    }

    /// Creates a volume.
    pub(super) async fn create_volume(&mut self, name: &str) -> Result<(), EngineError> {
        self.volumes.push(name.to_owned());
        let labels = Some(label::labels(&self.job));
        let request = VolumeCreateRequest { name: Some(name.to_owned()), labels, ..VolumeCreateRequest::default() };
        self.client.api.create_volume(request).await.map_err(failed("creating a volume")).map(drop)
    }

    /// Kills and removes one container.
    pub(super) async fn remove_container(&mut self, name: &str) -> Result<(), EngineError> {
        remove_container(&self.client, name).await.map_err(failed("removing the container"))?;
        self.containers.retain(|other| other != name);
        Ok(())
    }

    /// Removes all containers and volumes.
    pub(super) async fn remove(mut self) -> Result<(), EngineError> {
        let (containers, volumes) = (std::mem::take(&mut self.containers), std::mem::take(&mut self.volumes));
        remove_all(&self.client, &containers, &volumes).await.map_err(failed("removing the container"))
    }
}

impl Drop for RunResources {
    fn drop(&mut self) {
        let (containers, volumes) = (std::mem::take(&mut self.containers), std::mem::take(&mut self.volumes));
        if containers.is_empty() && volumes.is_empty() {
            return;
        }
        let client = self.client.clone();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            // The daemon may still be creating a container when the future is dropped. The next sweep removes the rest.
            for pause in [0, 500, 2000] {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                let _ = remove_all(&client, &containers, &volumes).await;
            }
        });
    }
}

/// Removes containers and volumes, which may not exist. Returns the first error after it tried all of them.
async fn remove_all(client: &Client, containers: &[String], volumes: &[String]) -> Result<(), ApiError> {
    let mut outcome = Ok(());
    for name in containers {
        outcome = outcome.and(remove_container(client, name).await);
    }
    for name in volumes {
        let options = RemoveVolumeOptionsBuilder::default().force(true).build();
        outcome = outcome.and(found(client.api.remove_volume(name, Some(options)).await).map(drop));
    }
    outcome
}

async fn remove_container(client: &Client, name: &str) -> Result<(), ApiError> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    match found(client.api.remove_container(name, Some(options)).await) {
        // Another request is removing it: wait for that.
        Err(error) if status(&error).is_some_and(|(code, _)| code == 409) => {
            for _ in 0..50 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                if found(client.api.inspect_container(name, None).await)?.is_none() {
                    return Ok(());
                }
            }
            Err(error)
        }
        other => other.map(drop),
    }
}

/// Kills every process of a container, which may have ended.
pub(super) async fn kill(client: &Client, name: &str) -> Result<(), ApiError> {
    let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
    match found(client.api.kill_container(name, Some(options)).await) {
        Err(error) if status(&error).is_some_and(|(code, _)| code == 409) => Ok(()),
        other => other.map(drop),
    }
}
