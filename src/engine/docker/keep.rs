//! States kept between runs: images of their own in the daemon's store.

use std::collections::HashMap;

use bollard::models::ContainerConfig;
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions, RemoveImageOptionsBuilder,
};

use super::client::{Client, failed, found};
use super::{image, label};
use crate::engine::{EngineError, ImageLocation, Opened};

/// Name of the images, with the key as their tag.
pub(super) const REPOSITORY: &str = "carnet-kept";

/// The state of this key on top of this image.
pub(super) async fn find(client: &Client, base: &Opened, key: &str) -> Result<Option<Opened>, EngineError> {
    let Some(inspected) = image::inspect(client, &format!("{REPOSITORY}:{key}")).await? else { return Ok(None) };
    let labels = inspected.config.and_then(|config| config.labels).unwrap_or_default();
    let fits = labels.get(label::BASE).is_some_and(|id| Some(id.as_str()) == id_of(base));
    Ok(inspected.id.filter(|_| fits).map(|id| state(base, id)))
}

/// Makes an image of what the container changed.
pub(super) async fn commit(client: &Client, container: &str, base: &Opened, key: &str) -> Result<Opened, EngineError> {
    // The labels of the run would be taken over, and the state is of no run any more. As changes, one a line, since
    // Podman passes over labels that come in another way.
    let base_id = id_of(base).unwrap_or_default();
    let labels = [(label::RUN, "none"), (label::OWNER, "none"), (label::BASE, base_id), (label::KEPT, key)];
    let changes = labels.map(|(name, value)| format!("LABEL {name}={value}")).join("\n");
    let options = CommitContainerOptionsBuilder::default().container(container).repo(REPOSITORY).tag(key);
    let options = options.changes(&changes);
    let config = ContainerConfig::default();
    let before = image::inspect(client, &format!("{REPOSITORY}:{key}")).await?.and_then(|inspected| inspected.id);
    let committed = client.slow().commit_container(options.build(), config).await;
    let id = committed.map_err(failed("keeping the state of the container"))?.id;
    if let Some(before) = before.filter(|before| *before != id) {
        // Its name has gone over to the new one. A run may still be in it: then it stays until it is forgotten.
        let _ = client.api.remove_image(&before, None::<RemoveImageOptions>, None).await;
    }
    Ok(state(base, id))
}

/// Removes all of them; gives their number.
pub(super) async fn forget_all(client: &Client) -> Result<usize, EngineError> {
    let ours: HashMap<&str, Vec<&str>> = [("label", vec![label::KEPT])].into();
    let options = ListImagesOptionsBuilder::default().filters(&ours).build();
    let images = client.api.list_images(Some(options)).await.map_err(failed("listing images"))?;
    let mut removed = 0;
    for image in images {
        let options = RemoveImageOptionsBuilder::default().force(true).build();
        let answer = found(client.api.remove_image(&image.id, Some(options), None).await);
        removed += usize::from(answer.map_err(failed("removing an image"))?.is_some());
    }
    Ok(removed)
}

/// A state says that it is the image below it: what changed is known by the key.
fn state(base: &Opened, id: String) -> Opened {
    Opened { identity: base.identity.clone(), place: ImageLocation::Daemon(id) }
}

fn id_of(base: &Opened) -> Option<&str> {
    base.identity.config_digest.as_ref().map(crate::model::digest::Digest::as_str)
}
