//! Writes an image on disk in the format that `docker load` and `podman load` read.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use serde::Serialize;

use super::blob::Packing;
use super::disk::{OnDisk, unpacked_length};
use super::error::ImageError;
use super::layer::Layer;
use crate::model::digest::Digest;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Saved<'a> {
    config: String,
    repo_tags: [&'a str; 1],
    layers: Vec<String>,
}

/// Writes the image in the format of `docker save`, tagged `name`, without loading a layer into memory.
///
/// The configuration is written unchanged, so the image ID stays the same. Layers compressed with zstd are
/// decompressed, because Docker before 23 cannot read them; other layers are written unchanged. A damaged layer is
/// detected only after it was written, so the output is unusable if this function fails.
///
/// # Errors
/// If a layer is damaged, if writing to `out` fails, or for an unpacked tree, which has no layers.
pub fn write_docker_archive(image: &OnDisk, name: &str, out: impl Write) -> Result<(), ImageError> {
    let Some(config) = image.config() else {
        let reason = "is an unpacked tree, which cannot be loaded into Docker".to_owned();
        return Err(ImageError::Unsupported { reference: image.identity().reference.clone(), reason });
    };
    let mut archive = Archive { out: tar::Builder::new(out), layer: None, image };
    let config_name = format!("{}.json", Digest::of(config).hex());
    archive.file(&config_name, config.len() as u64, config)?;
    let mut written = BTreeSet::new();
    for layer in image.layers() {
        if written.insert(layer.diff_id()) {
            archive.layer(layer)?;
        }
    }
    let layers = image.layers().iter().map(layer_name).collect();
    let saved = [Saved { config: config_name, repo_tags: [name], layers }];
    let manifest = serde_json::to_vec(&saved).map_err(|e| archive.failed(e.into()))?;
    archive.file("manifest.json", manifest.len() as u64, &*manifest)?;
    let failed = archive.failed_later();
    archive.out.into_inner().and_then(|mut out| out.flush()).map_err(failed)
}

fn layer_name(layer: &Layer) -> String {
    format!("{}/layer.tar", layer.diff_id().hex())
}

struct Archive<'a, W: Write> {
    out: tar::Builder<W>,
    layer: Option<&'a Layer>,
    image: &'a OnDisk,
}

impl<'a, W: Write> Archive<'a, W> {
    fn layer(&mut self, layer: &'a Layer) -> Result<(), ImageError> {
        self.layer = Some(layer);
        let name = layer_name(layer);
        if layer.packing == Packing::Zstd {
            let length = unpacked_length(layer)?;
            let mut reader = layer.open()?;
            self.file(&name, length, &mut reader)?;
            reader.finish()?;
        } else {
            let mut reader = layer.blob.hashed();
            self.file(&name, layer.blob.size, &mut reader)?;
            layer.check_stored(reader.digest())?;
        }
        self.layer = None;
        Ok(())
    }

    fn file(&mut self, name: &str, length: u64, content: impl Read) -> Result<(), ImageError> {
        let mut header = tar::Header::new_gnu();
        header.set_size(length);
        header.set_mode(0o644);
        header.set_mtime(0);
        let result = self.out.append_data(&mut header, name, content);
        result.map_err(|e| self.failed(e))
    }

    fn failed(&self, source: io::Error) -> ImageError {
        self.failed_later()(source)
    }

    fn failed_later(&self) -> impl FnOnce(io::Error) -> ImageError + use<W> {
        let path = self.image.identity().reference.clone().into();
        let layer = self.layer.map(|layer| (layer.image.clone(), layer.number));
        move |source| match layer {
            Some((path, layer)) => ImageError::Layer { path, layer, source },
            None => ImageError::Io { path, source },
        }
    }
}
