//! Images in the daemon: found in its store, pulled, or loaded from files.

use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::models::{CreateImageInfo, ImageInspect};
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::client::{Client, status};
use super::{NAME, load};
use crate::engine::{EngineError, ImageLocation, Opened};
use crate::image::config::{machine_platform, platform, runs_here};
use crate::model::digest::Digest;
use crate::model::image::{ImageConfig, ImageIdentity};
use crate::model::reference::Reference;

/// Maximum time without progress of a pull.
const PULL_TIMEOUT: Duration = Duration::from_secs(120);

pub(super) async fn open(
    client: &Client,
    reference: &Reference,
    cancel: &CancellationToken,
) -> Result<Opened, EngineError> {
    let inspected = match reference {
        Reference::DockerDaemon(name) => client.inspect_image(name).await?.ok_or_else(|| {
            let hint = format!("run `docker pull {name}`, or use docker://{name}");
            image_error(reference, "the daemon does not have this image", Some(hint))
        })?,
        Reference::Registry(name) => match client.inspect_image(name).await? {
            Some(inspected) => inspected,
            None => pull(client, reference, name, cancel).await?,
        },
        Reference::DockerArchive(..) | Reference::OciLayout(..) | Reference::OciArchive(..) => {
            load::load(client, reference, cancel).await?
        }
        Reference::Tree(_) | Reference::Host => {
            return Err(EngineError::Unsupported {
                engine: NAME,
                reference: reference.to_string(),
                hint: "set `engine = \"embedded\"` for an unpacked tree, or `engine = \"host\"` for this machine"
                    .to_owned(),
            });
        }
    };
    let identity = identity(reference, &inspected)?;
    check_platform(reference, &identity.platform)?;
    let id = inspected.id.unwrap_or_default();
    Ok(Opened { identity, location: ImageLocation::Daemon(id) })
}

/// Returns the identity of the image if the daemon has it.
pub(super) async fn identify(client: &Client, reference: &Reference) -> Result<Option<ImageIdentity>, EngineError> {
    let inspected = match reference {
        Reference::DockerDaemon(name) | Reference::Registry(name) => client.inspect_image(name).await?,
        Reference::DockerArchive(..) | Reference::OciLayout(..) | Reference::OciArchive(..) => {
            load::loaded(client, reference).await?
        }
        Reference::Tree(_) | Reference::Host => None,
    };
    let identity = inspected.map(|inspected| identity(reference, &inspected)).transpose()?;
    if let Some(identity) = &identity {
        check_platform(reference, &identity.platform)?;
    }
    Ok(identity)
}

fn image_error(reference: &Reference, reason: &str, hint: Option<String>) -> EngineError {
    EngineError::Image { reference: reference.to_string(), reason: reason.to_owned(), hint }
}

async fn pull(
    client: &Client,
    reference: &Reference,
    name: &str,
    cancel: &CancellationToken,
) -> Result<ImageInspect, EngineError> {
    // Without a tag or digest all tags of the name would be pulled.
    let last = name.rsplit('/').next().unwrap_or(name);
    let full = if last.contains([':', '@']) { name.to_owned() } else { format!("{name}:latest") };
    let options = CreateImageOptionsBuilder::default().from_image(&full).build();
    let api = client.slow();
    let mut progress = std::pin::pin!(api.create_image(Some(options), None, None));
    loop {
        let step = tokio::select! {
            step = tokio::time::timeout(PULL_TIMEOUT, progress.next()) => step,
            () = cancel.cancelled() => return Err(EngineError::Cancelled),
        };
        match step {
            Ok(None) => break,
            Ok(Some(step)) => check_pull(reference, step)?,
            Err(_) => {
                let reason = format!("the pull made no progress for {} s", PULL_TIMEOUT.as_secs());
                return Err(image_error(reference, &reason, Some("check that the registry is reachable".to_owned())));
            }
        }
    }
    client.inspect_image(name).await?.ok_or_else(|| image_error(reference, "not found after the pull", None))
}

fn check_pull(reference: &Reference, step: Result<CreateImageInfo, ApiError>) -> Result<(), EngineError> {
    let Err(error) = step else { return Ok(()) };
    let text = status(&error).map_or_else(|| crate::error::chain(&error), |(_, message)| message.to_owned());
    let hint = if text.contains("unauthorized") || text.contains("denied") {
        "check the name; for a private image, run `docker login` and `docker pull` first"
    } else if text.contains("not found") || text.contains("manifest unknown") {
        "check the name and the tag"
    } else {
        "check that the daemon can reach the registry"
    };
    Err(image_error(reference, &format!("failed to pull: {}", text.trim()), Some(hint.to_owned())))
}

fn identity(reference: &Reference, inspected: &ImageInspect) -> Result<ImageIdentity, EngineError> {
    let digest = |text: &str| {
        Digest::try_from(text.to_owned())
            .map_err(|error| image_error(reference, &format!("invalid response from the daemon: {error}"), None))
    };
    let id = digest(inspected.id.as_deref().unwrap_or_default())?;
    let layers = inspected.root_fs.iter().flat_map(|fs| fs.layers.iter().flatten());
    let layers = layers.map(|layer| digest(layer)).collect::<Result<Vec<_>, _>>()?;
    let mut repo_digests = inspected.repo_digests.clone().unwrap_or_default();
    repo_digests.sort();
    let part = |part: &Option<String>| part.clone().filter(|part| !part.is_empty());
    let known = |text: &Option<String>| part(text).unwrap_or_else(|| "unknown".to_owned());
    let variant = inspected.variant.as_deref();
    let config = inspected.config.clone().unwrap_or_default();
    let env = config.env.unwrap_or_default();
    let env = env.iter().filter_map(|entry| entry.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned()));
    Ok(ImageIdentity {
        reference: reference.to_string(),
        index_digest: None,
        manifest_digest: None,
        repo_digests,
        config_digest: Some(id),
        platform: platform(&known(&inspected.os), &known(&inspected.architecture), variant),
        layers,
        config: ImageConfig {
            env: env.collect(),
            user: config.user.unwrap_or_default(),
            entrypoint: config.entrypoint.unwrap_or_default(),
            cmd: config.cmd.unwrap_or_default(),
            workdir: config.working_dir.unwrap_or_default(),
        },
    })
}

/// Fails if the image is for another architecture, because carnet runs inside it.
fn check_platform(reference: &Reference, platform: &str) -> Result<(), EngineError> {
    if runs_here(platform) {
        return Ok(());
    }
    let machine = machine_platform();
    let hint = format!("use an image for {machine}, or run this cell on a machine with the architecture of the image");
    Err(image_error(reference, &format!("the image is for {platform}, but this machine is {machine}"), Some(hint)))
}

#[cfg(test)]
mod tests {
    use super::check_platform;
    use crate::model::reference::Reference;

    #[test]
    fn image_for_another_architecture_is_rejected() {
        let reference = Reference::DockerDaemon("x".to_owned());
        let machine = if cfg!(target_arch = "x86_64") { "linux/amd64" } else { "linux/arm64" };
        assert!(check_platform(&reference, machine).is_ok());
        assert!(check_platform(&reference, "linux/s390x").is_err());
        assert!(check_platform(&reference, "windows/amd64").is_err());
    }
}
