//! States saved between runs: images in the store of the daemon.

use std::collections::HashMap;

use bollard::models::ContainerConfig;
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions, RemoveImageOptionsBuilder,
};

use super::client::{Client, failed, found};
use super::label;
use crate::engine::{EngineError, ImageLocation, Opened};

/// Name of the images. Their tag is the key.
pub(super) const REPOSITORY: &str = "carnet-kept";

/// Returns the state with this key on top of this image.
pub(super) async fn find(client: &Client, base: &Opened, key: &str) -> Result<Option<Opened>, EngineError> {
    let Some(inspected) = client.inspect_image(&format!("{REPOSITORY}:{key}")).await? else { return Ok(None) };
    let labels = inspected.config.and_then(|config| config.labels).unwrap_or_default();
    let is_on_base = labels.get(label::BASE).is_some_and(|id| Some(id.as_str()) == id_of(base));
    Ok(inspected.id.filter(|_| is_on_base).map(|id| state(base, id)))
}

/// Creates an image from the changes of the container.
pub(super) async fn commit(client: &Client, container: &str, base: &Opened, key: &str) -> Result<Opened, EngineError> {
    // The image would inherit the labels of the run, but it outlives the run. Podman ignores labels unless they are
    // changes, one per line.
    let base_id = id_of(base).unwrap_or_default();
    let labels = [(label::RUN, "none"), (label::OWNER, "none"), (label::BASE, base_id), (label::STATE_KEY, key)];
    let changes = labels.map(|(name, value)| format!("LABEL {name}={value}")).join("\n");
    let options = CommitContainerOptionsBuilder::default().container(container).repo(REPOSITORY).tag(key);
    let options = options.changes(&changes);
    let config = ContainerConfig::default();
    let before = client.inspect_image(&format!("{REPOSITORY}:{key}")).await?.and_then(|inspected| inspected.id);
    let committed = client.slow().commit_container(options.build(), config).await;
    let id = committed.map_err(failed("saving the state of the container"))?.id;
    if let Some(before) = before.filter(|before| *before != id) {
        // The new image has taken the name. If a run still uses the old one, `carnet clean` removes it later.
        let _ = client.api.remove_image(&before, None::<RemoveImageOptions>, None).await;
    }
    Ok(state(base, id))
}

/// Removes all saved states and returns their number.
pub(super) async fn remove_all(client: &Client) -> Result<usize, EngineError> {
    let filters: HashMap<&str, Vec<&str>> = [("label", vec![label::STATE_KEY])].into();
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let images = client.api.list_images(Some(options)).await.map_err(failed("listing images"))?;
    let mut removed = 0;
    for image in images {
        let options = RemoveImageOptionsBuilder::default().force(true).build();
        let answer = found(client.api.remove_image(&image.id, Some(options), None).await);
        removed += usize::from(answer.map_err(failed("removing an image"))?.is_some());
    }
    Ok(removed)
}

/// Returns the image of a state. It has the identity of its base, because the key identifies the changes.
fn state(base: &Opened, id: String) -> Opened {
    Opened { identity: base.identity.clone(), location: ImageLocation::Daemon(id) }
}

fn id_of(base: &Opened) -> Option<&str> {
    base.identity.config_digest.as_ref().map(crate::model::digest::Digest::as_str)
}
