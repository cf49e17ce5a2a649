//! The image configuration. Builders omit different fields or write them as `null`, so parsing is lenient.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::digest::Digest;
use crate::model::image::ImageConfig;

/// The fields of an image configuration that carnet uses (OCI image specification, `config.md`).
#[derive(Debug, Deserialize)]
pub(super) struct Configuration {
    pub(super) architecture: String,
    pub(super) os: String,
    #[serde(default)]
    pub(super) variant: Option<String>,
    #[serde(default)]
    config: Option<Execution>,
    #[serde(default)]
    rootfs: RootFs,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Execution {
    user: Option<String>,
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    working_dir: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RootFs {
    diff_ids: Option<Vec<Digest>>,
}

impl Configuration {
    /// Returns the platform: `os/architecture[/variant]`.
    pub(super) fn platform(&self) -> String {
        platform(&self.os, &self.architecture, self.variant.as_deref())
    }

    /// Returns the digests of the uncompressed layers, lowest first.
    pub(super) fn diff_ids(&self) -> Vec<Digest> {
        self.rootfs.diff_ids.clone().unwrap_or_default()
    }

    /// Returns the part that defines how a process starts.
    pub(super) fn image_config(&self) -> ImageConfig {
        let Some(config) = &self.config else { return ImageConfig::default() };
        let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
        let env: BTreeMap<String, String> = list(&config.env)
            .iter()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        ImageConfig {
            env,
            user: config.user.clone().unwrap_or_default(),
            entrypoint: list(&config.entrypoint),
            cmd: list(&config.cmd),
            workdir: config.working_dir.clone().unwrap_or_default(),
        }
    }
}

/// Returns a platform as `os/architecture[/variant]`; an empty variant is omitted.
pub(crate) fn platform(os: &str, architecture: &str, variant: Option<&str>) -> String {
    match variant {
        None | Some("") => format!("{os}/{architecture}"),
        Some(variant) => format!("{os}/{architecture}/{variant}"),
    }
}

/// Returns the platform of this machine with the architecture names of image configurations (`GOARCH` of Go).
pub(crate) fn machine_platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        other => other,
    };
    format!("linux/{architecture}")
}

/// Reports whether programs of `platform` run on this machine. Variants of the architecture are not compared.
pub(crate) fn runs_here(platform: &str) -> bool {
    let machine = machine_platform();
    platform == machine || platform.strip_prefix(&machine).is_some_and(|rest| rest.starts_with('/'))
}
