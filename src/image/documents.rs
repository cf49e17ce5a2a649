//! The JSON documents of an image, as the readers of both archive formats return them.

use serde::de::DeserializeOwned;

use super::blob::Store;
use super::config::Configuration;
use super::error::ImageError;
use super::layer::Layer;
use crate::model::digest::Digest;

/// The parsed documents of one image and its layers.
pub(super) struct Documents {
    pub(super) index_digest: Option<Digest>,
    pub(super) manifest_digest: Option<Digest>,
    pub(super) config: Vec<u8>,
    pub(super) configuration: Configuration,
    pub(super) layers: Vec<Layer>,
}

/// Parses a JSON document of an image.
pub(super) fn parse<T: DeserializeOwned>(store: &Store, what: &str, bytes: &[u8]) -> Result<T, ImageError> {
    serde_json::from_slice(bytes).map_err(|e| ImageError::Document {
        path: store.path().to_owned(),
        what: what.to_owned(),
        reason: e.to_string(),
    })
}

/// Pairs layers with their diff ids.
///
/// # Errors
/// If the configuration lists a different number of diff ids.
pub(super) fn pair<T>(store: &Store, config: &Configuration, layers: Vec<T>) -> Result<Vec<(T, Digest)>, ImageError> {
    let diff_ids = config.diff_ids();
    if layers.len() != diff_ids.len() {
        let reason = format!("it lists {} layers, but the image has {}", diff_ids.len(), layers.len());
        let (path, what) = (store.path().to_owned(), "the configuration".to_owned());
        return Err(ImageError::Document { path, what, reason });
    }
    Ok(layers.into_iter().zip(diff_ids).collect())
}
