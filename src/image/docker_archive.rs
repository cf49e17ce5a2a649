//! Archives written by `docker save`: the older format with one directory per layer and the newer one with `blobs`.
//!
//! Both have a `manifest.json` with the paths of configuration and layers (moby, `image/tarexport`).

use serde::Deserialize;

use super::blob::{Packing, Store};
use super::config::{Configuration, machine_platform, runs_here};
use super::documents::{Documents, pair, parse};
use super::error::ImageError;
use super::layer::Layer;
use crate::model::digest::Digest;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// Finds an image by name and reads its documents.
pub(super) fn read(store: &Store, name: Option<&str>) -> Result<Documents, ImageError> {
    let all: Vec<Saved> = parse(store, "manifest.json", &top(store)?)?;
    let saved = named(store, all, name)?;
    let config = store.document(&saved.config)?;
    if let Some(expected) = digest_in(&saved.config) {
        store.check(&expected, Digest::of(&config), "the configuration")?;
    }
    let configuration: Configuration = parse(store, "the configuration", &config)?;
    let platform = configuration.platform();
    if !runs_here(&platform) {
        let available = vec![platform];
        return Err(ImageError::Platform { path: store.path().to_owned(), platform: machine_platform(), available });
    }
    let layers = pair(store, &configuration, saved.layers)?
        .into_iter()
        .enumerate()
        .map(|(n, (name, diff_id))| layer(store, n + 1, &name, diff_id))
        .collect::<Result<_, _>>()?;
    Ok(Documents { index_digest: None, manifest_digest: None, config, configuration, layers })
}

fn top(store: &Store) -> Result<Vec<u8>, ImageError> {
    match store.document("manifest.json") {
        Err(ImageError::Missing { path, .. }) => {
            let layout = store.find("index.json").is_ok();
            let hint = layout.then(|| "it is an OCI image layout; use `oci-archive:`".to_owned());
            let reason = "manifest.json is missing".to_owned();
            Err(ImageError::WrongFormat { path, expected: "archive written by `docker save`", reason, hint })
        }
        other => other,
    }
}

fn named(store: &Store, mut all: Vec<Saved>, name: Option<&str>) -> Result<Saved, ImageError> {
    let mut available: Vec<String> = all.iter().flat_map(|s| s.repo_tags.clone().unwrap_or_default()).collect();
    available.sort();
    let index = match name {
        Some(name) => {
            let full = if name.contains(':') { name.to_owned() } else { format!("{name}:latest") };
            let is = |tag: &String| *tag == full || *tag == format!("docker.io/library/{full}");
            all.iter().position(|s| s.repo_tags.iter().flatten().any(is))
        }
        None => (all.len() == 1).then_some(0),
    };
    let tag = name.map(ToOwned::to_owned);
    let missing = || ImageError::Tag { path: store.path().to_owned(), tag, available };
    index.map(|index| all.swap_remove(index)).ok_or_else(missing)
}

fn layer(store: &Store, number: usize, name: &str, diff_id: Digest) -> Result<Layer, ImageError> {
    let blob = store.find(name)?;
    let image = store.path().to_owned();
    let packing = Packing::from_blob(&blob).map_err(|e| ImageError::io(&image, e))?;
    let stored = digest_in(name).filter(|_| name.starts_with("blobs/sha256/"));
    Ok(Layer { blob, packing, stored, diff_id, number, image })
}

/// Returns the digest in a file name: `HEX.json` or `blobs/sha256/HEX`.
fn digest_in(name: &str) -> Option<Digest> {
    let last = name.rsplit('/').next().unwrap_or(name);
    Digest::try_from(format!("sha256:{}", last.strip_suffix(".json").unwrap_or(last))).ok()
}
