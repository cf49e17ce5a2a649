//! The environment snapshot: `carnet/environment@1`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::canonical;
use super::digest::Digest;
use super::known::Known;
use super::package::Package;
use super::python::Python;
use super::runtime::{Imposed, Runtime};
use super::system::System;

/// Name and version of the format.
pub const SCHEMA: &str = "carnet/environment@1";

/// The software that an analysis finds in an environment, and how processes run there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Always `carnet/environment@1`.
    pub schema: String,
    /// Operating system, libraries, tools and physics software that is not installed as a package.
    pub system: System,
    /// Every Python found, the one that `python3` starts first.
    pub pythons: Vec<Python>,
    /// Packages of the system package managers and of conda, by ecosystem, sorted by name. Python distributions are
    /// listed with the Python that imports them.
    pub packages: BTreeMap<Ecosystem, Known<Vec<Package>>>,
    /// Properties of a running process.
    pub runtime: Runtime,
    /// Environment variables.
    pub variables: Variables,
    /// Properties of the engine and the machine rather than of the facility; excluded from the digest.
    pub imposed: Imposed,
}

/// A package manager other than Python's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// Alpine's `/lib/apk/db/installed`.
    Apk,
    /// `conda-meta/*.json` of every conda prefix.
    Conda,
    /// Debian's `/var/lib/dpkg/status`.
    Dpkg,
    /// An rpm database: sqlite, ndb or Berkeley DB.
    Rpm,
}

/// Environment variables. Only values that cannot be secret are recorded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Variables {
    /// Variables that are lists separated by colons (`PATH`, `PYTHONPATH`, `LD_LIBRARY_PATH`, …), in order.
    pub lists: BTreeMap<String, Vec<String>>,
    /// Values of variables on the allow list.
    pub values: BTreeMap<String, String>,
    /// Names of the remaining variables.
    pub names: BTreeSet<String>,
}

impl Environment {
    /// Returns the digest that identifies this environment. It covers everything except [`Imposed`], so two engines
    /// that apply the same contract to the same image agree.
    ///
    /// # Errors
    /// Never in practice: the value can always be represented as JSON.
    pub fn digest(&self) -> serde_json::Result<Digest> {
        canonical::digest_without(self, &["imposed"])
    }

    /// Returns the Python that `python3` starts, otherwise the one that `python` starts.
    pub fn main_python(&self) -> Option<&Python> {
        let named = |name: &str| self.pythons.iter().find(|python| python.commands.iter().any(|c| c == name));
        named("python3").or_else(|| named("python")).or_else(|| self.pythons.first())
    }
}
