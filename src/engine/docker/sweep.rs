//! Removes the containers and volumes of killed runs.

use std::collections::HashMap;

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder,
};

use super::client::{Client, failed, found};
use super::label;
use crate::engine::EngineError;

/// Removes them and returns their number.
pub(super) async fn sweep(client: &Client) -> Result<usize, EngineError> {
    let filters: HashMap<&str, Vec<&str>> = [("label", vec![label::RUN])].into();
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let containers = client.api.list_containers(Some(options)).await.map_err(failed("listing containers"))?;
    let mut removed = 0;
    for container in containers {
        let dead = container.labels.is_some_and(|labels| label::is_dead(&labels));
        if let Some(id) = container.id.filter(|_| dead) {
            let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            let answer = found(client.api.remove_container(&id, Some(options)).await);
            removed += usize::from(answer.map_err(failed("removing a container"))?.is_some());
        }
    }
    let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
    let volumes = client.api.list_volumes(Some(options)).await.map_err(failed("listing volumes"))?;
    for volume in volumes.volumes.unwrap_or_default() {
        if label::is_dead(&volume.labels) {
            let options = RemoveVolumeOptionsBuilder::default().force(true).build();
            let answer = found(client.api.remove_volume(&volume.name, Some(options)).await);
            removed += usize::from(answer.map_err(failed("removing a volume"))?.is_some());
        }
    }
    Ok(removed)
}
