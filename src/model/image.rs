//! The identity and configuration of an image.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// The identity of the image a cell ran in.
///
/// Two images are the same if their `config_digest` is equal. Manifest digests differ between transports because a push
/// recompresses layers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageIdentity {
    /// The reference as written in `carnet.toml`, including the transport: `oci:images/el9`, `docker://ghcr.io/x/y:1`.
    pub reference: String,
    /// Digest of the image index (manifest list), if the reference resolves to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_digest: Option<Digest>,
    /// Digest of the manifest for the platform; absent for a Docker archive and for an unpacked tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_digest: Option<Digest>,
    /// Repository digests reported by the engine, as `name@sha256:…`, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repo_digests: Vec<String>,
    /// Digest of the image configuration, called image ID by Docker; absent for an unpacked tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_digest: Option<Digest>,
    /// Platform as `os/architecture[/variant]`: `linux/amd64`.
    pub platform: String,
    /// Digests of the uncompressed layers, lowest first.
    #[serde(default)]
    pub layers: Vec<Digest>,
    /// How processes start in the image.
    #[serde(default)]
    pub config: ImageConfig,
}

/// The part of an image configuration that defines how a process starts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageConfig {
    /// Environment variables. In a document, values that are not on the allow list are `[redacted]`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// `user[:group]`, names or numbers; empty means root.
    #[serde(default)]
    pub user: String,
    /// The entrypoint, as a list of arguments.
    #[serde(default)]
    pub entrypoint: Vec<String>,
    /// The default command, as a list of arguments.
    #[serde(default)]
    pub cmd: Vec<String>,
    /// The working directory; empty means `/`.
    #[serde(default)]
    pub workdir: String,
}
