//! What an image is, beyond its name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// The identity of the image a cell ran in.
///
/// A manifest digest differs between transports (a push recompresses layers); the config digest and the diff ids don't,
/// so "the same image" is decided by `config_digest`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageIdentity {
    /// The reference as written in `carnet.toml`, transport included: `oci:images/el9`, `docker://ghcr.io/x/y:1`.
    pub reference: String,
    /// Digest of the image index (manifest list), when the reference led to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_digest: Option<Digest>,
    /// Digest of the platform's manifest, where the source has one (a docker-archive and an unpacked tree have none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_digest: Option<Digest>,
    /// Repository digests the engine knows, as `name@sha256:…`, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repo_digests: Vec<String>,
    /// Digest of the image configuration, which Docker calls the image id. None for an unpacked tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_digest: Option<Digest>,
    /// `os/architecture[/variant]`, as `linux/amd64`.
    pub platform: String,
    /// Digests of the uncompressed layers, lowest first.
    #[serde(default)]
    pub layers: Vec<Digest>,
    /// What the image asks of its runtime.
    #[serde(default)]
    pub config: ImageConfig,
}

/// The part of an image configuration that decides how a process starts in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageConfig {
    /// Environment variables. In a document the values of those that aren't on the allow list are `[redacted]`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// `user[:group]`, names or numbers; empty means root.
    #[serde(default)]
    pub user: String,
    /// The entrypoint, as argument list.
    #[serde(default)]
    pub entrypoint: Vec<String>,
    /// The default command, as argument list.
    #[serde(default)]
    pub cmd: Vec<String>,
    /// The working directory; empty means `/`.
    #[serde(default)]
    pub workdir: String,
}
