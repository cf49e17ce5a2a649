//! What a repository declares that it needs: packages, locks, Python versions, images.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// Everything declared, each list sorted by file and line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Inventory {
    /// Files that declare or lock something.
    pub files: Vec<DeclaringFile>,
    /// Packages that are asked for.
    pub requirements: Vec<Requirement>,
    /// Packages that a lock file fixes.
    pub locked: Vec<Locked>,
    /// Python versions that are asked for.
    pub pythons: Vec<PythonRange>,
    /// Images that are named.
    pub images: Vec<NamedImage>,
    /// The files that Binder would build from, by repo2docker's precedence; empty when there are none.
    pub binder: Vec<String>,
}

/// A file that declares or locks something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeclaringFile {
    /// Path relative to the top.
    pub path: String,
    /// Format: `requirements`, `pyproject`, `uv-lock`, `conda-environment`, …
    pub format: String,
    /// Whether it fixes exact versions of everything, transitively.
    pub lock: bool,
    /// Digest of the content.
    pub digest: Digest,
    /// Why it could not be read, or not whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Where packages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Index {
    /// PyPI.
    Pypi,
    /// A conda channel.
    Conda,
    /// Spack.
    Spack,
    /// A package manager of the operating system, in a Dockerfile.
    System,
}

/// One package that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requirement {
    /// File.
    pub path: String,
    /// Line, from 1; 0 when the format keeps none.
    pub line: u32,
    /// Where it comes from.
    pub index: Index,
    /// Name, normalised as its index does (PEP 503).
    pub name: String,
    /// The constraint as written, without the name: `>=1.2,<2`; empty when there is none.
    pub constraint: String,
    /// Whether it allows one version alone.
    pub exact: bool,
    /// Group it belongs to: an extra, a dependency group, `build`, `dev`; none for what is always needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// URL, path or version control address, without credentials, when it comes from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Environment marker (PEP 508), as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Whether it carries hashes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hashed: bool,
}

/// One package that a lock file fixes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Locked {
    /// File.
    pub path: String,
    /// Line, from 1; 0 when the format keeps none.
    pub line: u32,
    /// Where it comes from.
    pub index: Index,
    /// Name, normalised.
    pub name: String,
    /// Version.
    pub version: String,
    /// Names of its files: wheels and source archives, conda packages; empty when the lock doesn't name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Platform of the lock's section, as the format spells it: `linux-64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Environment marker, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Python versions the package itself asks for, when the lock has them: `>=3.9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// What it asks of the machine (conda's virtual packages): `__glibc >=2.28`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machine: Vec<String>,
    /// URL, path or version control address, without credentials, when it comes from no index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Python versions that are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PythonRange {
    /// File.
    pub path: String,
    /// Line, from 1; 0 when the format keeps none.
    pub line: u32,
    /// The constraint as a version specifier (PEP 440): `>=3.9,<3.13`.
    pub constraint: String,
}

/// An image that is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedImage {
    /// File.
    pub path: String,
    /// Line, from 1; 0 when the format keeps none.
    pub line: u32,
    /// The reference as written.
    pub image: String,
}
