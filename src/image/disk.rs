//! Images on disk, read without a daemon.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::blob::{Store, tree};
use super::config::machine_platform;
use super::error::ImageError;
use super::layer::{Layer, LayerReader};
use super::{docker_archive, oci_layout};
use crate::model::digest::Digest;
use crate::model::image::ImageIdentity;
use crate::model::reference::Reference;
use crate::sys::bounded;

/// An image on disk with verified documents; its layers are read later.
#[derive(Debug)]
pub struct OnDisk {
    identity: ImageIdentity,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Layers { config: Vec<u8>, layers: Vec<Layer> },
    Tree(PathBuf),
}

impl OnDisk {
    /// Opens an image with the transport `oci:`, `oci-archive:`, `docker-archive:` or `dir:`.
    ///
    /// # Errors
    /// If the image does not exist, has a different format, is damaged or does not support this machine;
    /// [`ImageError::Unsupported`] for other transports; [`ImageError::NoResponse`] if the file system does not respond.
    pub fn open(reference: &Reference) -> Result<Self, ImageError> {
        let owned = reference.clone();
        bounded::within(bounded::READ, move || Self::open_unbounded(&owned))
            .unwrap_or_else(|| Err(ImageError::no_response(reference)))
    }

    fn open_unbounded(reference: &Reference) -> Result<Self, ImageError> {
        const LAYOUT: &str = "OCI image layout";
        let documents = match reference {
            Reference::OciLayout(path, tag) => oci_layout::read(&Store::directory(path, LAYOUT)?, tag.as_deref())?,
            Reference::OciArchive(path, tag) => oci_layout::read(&Store::archive(path, LAYOUT)?, tag.as_deref())?,
            Reference::DockerArchive(path, name) => {
                docker_archive::read(&Store::archive(path, "archive written by `docker save`")?, name.as_deref())?
            }
            Reference::Tree(path) => return Self::tree(reference, path),
            Reference::Registry(_) | Reference::DockerDaemon(_) | Reference::Host => {
                let reason = "is not an image on disk".to_owned();
                return Err(ImageError::Unsupported { reference: reference.to_string(), reason });
            }
        };
        let configuration = &documents.configuration;
        let identity = ImageIdentity {
            reference: reference.to_string(),
            index_digest: documents.index_digest,
            manifest_digest: documents.manifest_digest,
            repo_digests: Vec::new(),
            config_digest: Some(Digest::of(&documents.config)),
            platform: configuration.platform(),
            layers: configuration.diff_ids(),
            config: configuration.image_config(),
        };
        Ok(Self { identity, content: Content::Layers { config: documents.config, layers: documents.layers } })
    }

    fn tree(reference: &Reference, path: &Path) -> Result<Self, ImageError> {
        tree(path)?;
        let path = path.canonicalize().map_err(|e| ImageError::io(path, e))?;
        let reference = reference.to_string();
        // A tree does not state its platform, so it is assumed to run on this machine.
        let identity = ImageIdentity { reference, platform: machine_platform(), ..ImageIdentity::default() };
        Ok(Self { identity, content: Content::Tree(path) })
    }

    /// Returns the identity of the image.
    pub fn identity(&self) -> &ImageIdentity {
        &self.identity
    }

    /// Returns the unpacked tree of a `dir:` reference.
    pub fn as_tree(&self) -> Option<&Path> {
        match &self.content {
            Content::Tree(path) => Some(path),
            Content::Layers { .. } => None,
        }
    }

    /// Returns the layers, lowest first; empty for an unpacked tree.
    pub fn layers(&self) -> &[Layer] {
        match &self.content {
            Content::Layers { layers, .. } => layers,
            Content::Tree(_) => &[],
        }
    }

    /// Returns the stored image configuration; `None` for an unpacked tree.
    pub fn config(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Layers { config, .. } => Some(config),
            Content::Tree(_) => None,
        }
    }

    /// Calls `visit` with each layer as uncompressed tar, lowest first, and verifies its digests afterwards.
    ///
    /// The data is untrusted until this function returns successfully. `visit` does not have to read to the end.
    ///
    /// # Errors
    /// If a layer is damaged; otherwise the first error of `visit`.
    pub fn for_each_layer(
        &self,
        mut visit: impl FnMut(&Layer, &mut LayerReader) -> Result<(), ImageError>,
    ) -> Result<(), ImageError> {
        for layer in self.layers() {
            let mut reader = layer.open()?;
            let visited = visit(layer, &mut reader);
            if matches!(visited, Err(ImageError::Stopped)) {
                return visited;
            }
            // Damage is the cause of an error of the visitor, so it is reported first.
            reader.finish().and(visited)?;
        }
        Ok(())
    }
}

/// Reads a layer and returns its uncompressed length in bytes.
pub(super) fn unpacked_length(layer: &Layer) -> Result<u64, ImageError> {
    let mut reader = layer.open()?;
    let mut buffer = vec![0; 256 << 10];
    let mut length = 0;
    loop {
        match reader.read(&mut buffer).map_err(|e| layer.failed(e))? {
            0 => break,
            n => length += n as u64,
        }
    }
    reader.finish().map(|()| length)
}
