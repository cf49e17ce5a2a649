//! OCI image layouts (OCI image specification, `image-layout.md`) in a directory or a tar archive.

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest, MediaType};

use super::blob::{Packing, Store};
use super::config::{Configuration, machine_platform, platform, runs_here};
use super::documents::{Documents, pair, parse};
use super::error::ImageError;
use super::layer::Layer;
use crate::model::digest::Digest;

/// The annotation with the tag in `index.json`.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Maximum nesting depth of indexes. The specification sets no limit; real images have at most two.
const MAX_DEPTH: usize = 4;
/// Maximum number of descriptors read to find an image, because an index may refer to another one many times.
const MAX_DESCRIPTORS: usize = 1000;

/// Finds the image with a tag for this machine and reads its documents.
pub(super) fn read(store: &Store, tag: Option<&str>) -> Result<Documents, ImageError> {
    let index: ImageIndex = parse(store, "index.json", &top(store)?)?;
    let candidates = tagged(store, index.manifests(), tag)?;
    let chosen = choose(store, candidates, tag)?;
    let manifest: ImageManifest = parse(store, "the manifest", &store.verified(&chosen.digest, "the manifest")?)?;
    let config = store.verified(&digest(store, manifest.config())?, "the configuration")?;
    let configuration: Configuration = parse(store, "the configuration", &config)?;
    let layers = layers(store, &manifest, &configuration)?;
    Ok(Documents { index_digest: chosen.index, manifest_digest: Some(chosen.digest), config, configuration, layers })
}

fn top(store: &Store) -> Result<Vec<u8>, ImageError> {
    let not = |reason: String, hint: Option<&str>| ImageError::WrongFormat {
        path: store.path().to_owned(),
        expected: "OCI image layout",
        reason,
        hint: hint.map(ToOwned::to_owned),
    };
    match store.document("index.json") {
        Err(ImageError::Missing { .. }) if store.find("manifest.json").is_ok() => {
            let hint = "it is an archive written by `docker save`; use `docker-archive:`";
            Err(not("index.json is missing".to_owned(), Some(hint)))
        }
        Err(ImageError::Missing { .. }) => Err(not("index.json is missing".to_owned(), None)),
        other => other,
    }
}

/// Returns the images with a tag; all images if no tag is given.
fn tagged<'a>(store: &Store, all: &'a [Descriptor], tag: Option<&str>) -> Result<Vec<&'a Descriptor>, ImageError> {
    let Some(tag) = tag else { return Ok(all.iter().collect()) };
    let found: Vec<&Descriptor> = all.iter().filter(|d| name(d) == Some(tag) || d.digest().as_ref() == tag).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    Err(ImageError::Tag { path: store.path().to_owned(), tag: Some(tag.to_owned()), available: tags(all) })
}

fn tags<'a>(descriptors: impl IntoIterator<Item = &'a Descriptor>) -> Vec<String> {
    let mut tags: Vec<String> = descriptors.into_iter().filter_map(|d| name(d).map(ToOwned::to_owned)).collect();
    tags.sort();
    tags.dedup();
    tags
}

fn name(descriptor: &Descriptor) -> Option<&str> {
    descriptor.annotations().as_ref()?.get(REF_NAME).map(String::as_str)
}

/// A manifest found in an index.
#[derive(Debug, Clone)]
struct Candidate {
    digest: Digest,
    index: Option<Digest>,
    platform: String,
}

fn choose(store: &Store, descriptors: Vec<&Descriptor>, tag: Option<&str>) -> Result<Candidate, ImageError> {
    let several = ImageError::Tag {
        path: store.path().to_owned(),
        tag: tag.map(ToOwned::to_owned),
        available: tags(descriptors.iter().copied()),
    };
    let mut search = Search { store, remaining: MAX_DESCRIPTORS, found: Vec::new() };
    for descriptor in descriptors {
        search.collect(descriptor, None, 0)?;
    }
    let (mut native, foreign): (Vec<_>, Vec<_>) = search.found.into_iter().partition(|c| runs_here(&c.platform));
    native.dedup_by(|a, b| a.digest == b.digest);
    match (native.len(), native.pop()) {
        (1, Some(only)) => Ok(only),
        (_, None) => {
            let mut available: Vec<String> = foreign.into_iter().map(|c| c.platform).collect();
            available.sort();
            available.dedup();
            Err(ImageError::Platform { path: store.path().to_owned(), platform: machine_platform(), available })
        }
        // An index may list variants of an architecture; the first one is preferred.
        (_, Some(last)) if last.index.is_some() && native.iter().all(|c| c.index == last.index) => {
            Ok(native.into_iter().next().unwrap_or(last))
        }
        _ => Err(several),
    }
}

/// A search for manifests in an index and its nested indexes.
struct Search<'a> {
    store: &'a Store,
    remaining: usize,
    found: Vec<Candidate>,
}

impl Search<'_> {
    /// Collects the manifests of a descriptor with their platforms.
    fn collect(&mut self, descriptor: &Descriptor, index: Option<&Digest>, depth: usize) -> Result<(), ImageError> {
        let over = |reason: String| {
            let (path, what) = (self.store.path().to_owned(), "the index".to_owned());
            ImageError::Document { path, what, reason }
        };
        if depth > MAX_DEPTH {
            return Err(over(format!("indexes are nested more than {MAX_DEPTH} levels deep")));
        }
        self.remaining = self
            .remaining
            .checked_sub(1)
            .ok_or_else(|| over(format!("it lists more than {MAX_DESCRIPTORS} images")))?;
        let digest = digest(self.store, descriptor)?;
        let media = descriptor.media_type();
        if *media == MediaType::ImageIndex || media.to_string() == DOCKER_INDEX {
            let inner: ImageIndex = parse(self.store, "the index", &self.store.verified(&digest, "the index")?)?;
            let outermost = index.unwrap_or(&digest);
            return inner.manifests().iter().try_for_each(|inner| self.collect(inner, Some(outermost), depth + 1));
        }
        let platform = match descriptor.platform() {
            // Build attestations are listed as manifests with this platform.
            Some(p) if p.os().to_string() == "unknown" => return Ok(()),
            Some(p) => platform(&p.os().to_string(), &p.architecture().to_string(), p.variant().as_deref()),
            None => platform_of(self.store, &digest)?,
        };
        self.found.push(Candidate { digest, index: index.cloned(), platform });
        Ok(())
    }
}

/// Returns the platform of a manifest from its configuration, if the descriptor does not state it.
fn platform_of(store: &Store, manifest: &Digest) -> Result<String, ImageError> {
    let manifest: ImageManifest = parse(store, "the manifest", &store.verified(manifest, "the manifest")?)?;
    let config = store.verified(&digest(store, manifest.config())?, "the configuration")?;
    Ok(parse::<Configuration>(store, "the configuration", &config)?.platform())
}

fn digest(store: &Store, descriptor: &Descriptor) -> Result<Digest, ImageError> {
    Digest::try_from(descriptor.digest().to_string()).map_err(|e| ImageError::Document {
        path: store.path().to_owned(),
        what: "a descriptor".to_owned(),
        reason: e.to_string(),
    })
}

fn layers(store: &Store, manifest: &ImageManifest, config: &Configuration) -> Result<Vec<Layer>, ImageError> {
    let descriptors: Vec<&Descriptor> = manifest.layers().iter().collect();
    let pairs = pair(store, config, descriptors)?;
    let make = |(number, (descriptor, diff_id)): (usize, (&Descriptor, Digest))| {
        let number = number + 1;
        let media_type = descriptor.media_type().to_string();
        let packing = packing(&media_type).ok_or_else(|| ImageError::MediaType {
            path: store.path().to_owned(),
            layer: number,
            media_type,
        })?;
        let stored = digest(store, descriptor)?;
        let blob = store.find_digest(&stored)?;
        if blob.size < descriptor.size() {
            let reason = format!("layer {number} has {} of its {} bytes", blob.size, descriptor.size());
            return Err(ImageError::Truncated { path: store.path().to_owned(), reason });
        }
        let image = store.path().to_owned();
        Ok(Layer { blob, packing, stored: Some(stored), diff_id, number, image })
    };
    pairs.into_iter().enumerate().map(make).collect()
}

/// Returns the compression of a layer with a media type of OCI, including non-distributable layers, or of Docker.
fn packing(media_type: &str) -> Option<Packing> {
    let form = media_type
        .strip_prefix("application/vnd.oci.image.layer.v1.tar")
        .or_else(|| media_type.strip_prefix("application/vnd.oci.image.layer.nondistributable.v1.tar"))
        .or_else(|| media_type.strip_prefix("application/vnd.docker.image.rootfs.diff.tar"))
        .or_else(|| media_type.strip_prefix("application/vnd.docker.image.rootfs.foreign.diff.tar"))?;
    match form {
        "" => Some(Packing::Plain),
        "+gzip" | ".gzip" => Some(Packing::Gzip),
        "+zstd" | ".zstd" => Some(Packing::Zstd),
        _ => None,
    }
}
