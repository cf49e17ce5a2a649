//! The engines that run a cell.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An engine. This is the only list of engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// The Docker daemon.
    Docker,
    /// User namespaces on an image on disk, without a daemon.
    Embedded,
    /// This machine, without an image.
    Host,
}

impl EngineKind {
    /// Every engine.
    pub const ALL: [Self; 3] = [Self::Docker, Self::Embedded, Self::Host];

    /// Returns its name in `carnet.toml`, in options and in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Embedded => "embedded",
            Self::Host => "host",
        }
    }

    /// Reports whether it runs images, as all engines do except this machine.
    pub const fn runs_images(self) -> bool {
        !matches!(self, Self::Host)
    }

    /// Returns the engine with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the names of every engine.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

    /// Returns the names of the engines that run images.
    pub fn image_engines() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().filter(|kind| kind.runs_images()).map(Self::name)
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
