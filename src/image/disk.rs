//! Images on disk, read without any daemon.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::blob::{Store, tree};
use super::config::{Configuration, machine_platform};
use super::error::ImageError;
use super::layer::{Layer, LayerReader};
use super::{docker_archive, oci_layout};
use crate::model::digest::Digest;
use crate::model::image::ImageIdentity;
use crate::model::reference::Reference;

/// An image on disk whose documents were read and checked; its layers are read later.
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

/// What the readers of the archive formats find out.
pub(super) struct Documents {
    pub(super) index_digest: Option<Digest>,
    pub(super) manifest_digest: Option<Digest>,
    pub(super) config: Vec<u8>,
    pub(super) configuration: Configuration,
    pub(super) layers: Vec<Layer>,
}

impl OnDisk {
    /// Opens an image of the transports `oci:`, `oci-archive:`, `docker-archive:` or `dir:`.
    ///
    /// # Errors
    /// When it isn't there, isn't of its form, is damaged or isn't for this machine; [`ImageError::Unsupported`] for
    /// the other transports.
    pub fn open(reference: &Reference) -> Result<Self, ImageError> {
        const LAYOUT: &str = "OCI image layout";
        let documents = match reference {
            Reference::OciLayout(path, tag) => oci_layout::read(&Store::directory(path, LAYOUT)?, tag.as_deref())?,
            Reference::OciArchive(path, tag) => oci_layout::read(&Store::archive(path, LAYOUT)?, tag.as_deref())?,
            Reference::DockerArchive(path, name) => {
                docker_archive::read(&Store::archive(path, "archive of `docker save`")?, name.as_deref())?
            }
            Reference::Tree(path) => return Self::tree(reference, path),
            Reference::Registry(_) | Reference::DockerDaemon(_) | Reference::Host => {
                let reason = "is no image on disk".to_owned();
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
        // A tree says nothing of its platform; that it runs here is what its owner claims by naming it.
        let identity = ImageIdentity { reference, platform: machine_platform(), ..ImageIdentity::default() };
        Ok(Self { identity, content: Content::Tree(path) })
    }

    /// What the image is.
    pub fn identity(&self) -> &ImageIdentity {
        &self.identity
    }

    /// The unpacked tree, for a reference of `dir:`.
    pub fn as_tree(&self) -> Option<&Path> {
        match &self.content {
            Content::Tree(path) => Some(path),
            Content::Layers { .. } => None,
        }
    }

    /// The layers, lowest first; none for an unpacked tree.
    pub fn layers(&self) -> &[Layer] {
        match &self.content {
            Content::Layers { layers, .. } => layers,
            Content::Tree(_) => &[],
        }
    }

    /// The image configuration as it is stored; none for an unpacked tree.
    pub fn config(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Layers { config, .. } => Some(config),
            Content::Tree(_) => None,
        }
    }

    /// Gives each layer to `visit` as uncompressed tar, lowest first, and checks its digests after that.
    ///
    /// Nothing that was read may be trusted before this has returned well. `visit` need not read to the end.
    ///
    /// # Errors
    /// When a layer is damaged; else the first failure of `visit`.
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
            // Damage explains a failure of the visitor better than the failure itself.
            reader.finish().and(visited)?;
        }
        Ok(())
    }
}

/// Reads a JSON document of an image.
pub(super) fn parse<T: serde::de::DeserializeOwned>(store: &Store, what: &str, bytes: &[u8]) -> Result<T, ImageError> {
    serde_json::from_slice(bytes).map_err(|e| ImageError::Document {
        path: store.path().to_owned(),
        what: what.to_owned(),
        reason: e.to_string(),
    })
}

/// Pairs layers with their diff ids, which the configuration must have in the same number.
pub(super) fn pair<T>(store: &Store, config: &Configuration, layers: Vec<T>) -> Result<Vec<(T, Digest)>, ImageError> {
    let diff_ids = config.diff_ids();
    if layers.len() != diff_ids.len() {
        let reason = format!("it names {} layers, and the image has {}", diff_ids.len(), layers.len());
        let (path, what) = (store.path().to_owned(), "the configuration".to_owned());
        return Err(ImageError::Document { path, what, reason });
    }
    Ok(layers.into_iter().zip(diff_ids).collect())
}

/// Reads a whole layer for nothing but its length in bytes.
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
