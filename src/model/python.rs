//! Python interpreters and what each can import.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known::Known;

/// One Python interpreter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Python {
    /// Path of the executable after following links.
    pub executable: String,
    /// Commands on `PATH` that start it: `python`, `python3`, `python3.11`; sorted.
    pub commands: Vec<String>,
    /// Implementation, as `sys.implementation.name`: `cpython`, `pypy`.
    pub implementation: Known<String>,
    /// Version: `3.11.7`.
    pub version: Known<String>,
    /// ABI tag of extension modules (`SOABI`): `cpython-311-x86_64-linux-gnu`.
    pub abi: Known<String>,
    /// `sys.prefix`.
    pub prefix: Known<String>,
    /// `sys.base_prefix`, if it differs from the prefix (a virtual environment).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_prefix: Option<String>,
    /// Kind of installation.
    pub kind: PythonKind,
    /// Whether a virtual environment includes the packages of its base.
    #[serde(default)]
    pub system_site: bool,
    /// `sys.path` in order, without the script's own directory.
    pub path: Known<Vec<String>>,
    /// Every distribution on the path, sorted by normalized name, then by path order: the imported copy comes first.
    pub distributions: Known<Vec<Distribution>>,
}

/// Kind of Python installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PythonKind {
    /// Provided by the operating system, or built from source.
    System,
    /// A virtual environment (`pyvenv.cfg`).
    Venv,
    /// A conda environment (`conda-meta`).
    Conda,
    /// From an LCG view, a CMSSW or an ATLAS release.
    Release,
}

/// One installed distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// Name from the metadata.
    pub name: String,
    /// Name normalized according to PEP 503: lowercase, runs of `-_.` replaced by one `-`.
    pub normalized: String,
    /// Version from the metadata; empty if there is none.
    pub version: String,
    /// Directory that contains it (an entry of `sys.path`).
    pub location: String,
    /// Format of its metadata.
    pub format: DistributionFormat,
    /// The tool that installed it (`INSTALLER`): `pip`, `uv`, `conda`, `debian`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub installer: String,
    /// URL it was installed from, if not from an index (`direct_url.json`), without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_url: Option<String>,
    /// Installed in editable mode.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub editable: bool,
    /// Installed in the user site directory (`~/.local`), which not every facility has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub user_site: bool,
    /// Hidden by another copy earlier on the path.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadowed: bool,
    /// Importable module names (`top_level.txt` or `RECORD`), sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// Normalized names of required distributions, without extras, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
}

/// Metadata format of an installed distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DistributionFormat {
    /// A `.dist-info` directory (PEP 376 and later).
    DistInfo,
    /// An `.egg-info` directory or file (setuptools, distutils, Debian).
    EggInfo,
    /// An `.egg-link` file (editable, old setuptools).
    EggLink,
}

/// Normalises the name of a distribution according to PEP 503.
pub fn normalize(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !out.ends_with('-') {
                out.push('-');
            }
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}
