//! The declared dependencies of a repository: packages, locks, Python versions and images.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// The declared dependencies; each list is sorted by file and line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Inventory {
    /// Files that declare or lock dependencies.
    pub files: Vec<DeclaringFile>,
    /// Required packages.
    pub requirements: Vec<Requirement>,
    /// Packages pinned in a lock file.
    pub locked: Vec<Locked>,
    /// Required Python versions.
    pub pythons: Vec<PythonRange>,
    /// Image references.
    pub images: Vec<NamedImage>,
    /// The files that Binder would build from, according to the precedence of repo2docker; empty if there are none.
    pub binder: Vec<String>,
}

/// A file that declares or locks dependencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeclaringFile {
    /// Path relative to the analysis directory.
    pub path: String,
    /// Format: `requirements`, `pyproject`, `uv-lock`, `conda-environment`, …
    pub format: String,
    /// Whether it pins exact versions of all dependencies, including transitive ones.
    pub lock: bool,
    /// Digest of the content.
    pub digest: Digest,
    /// Why it could not be read completely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The source of packages.
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

/// One required package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requirement {
    /// File.
    pub path: String,
    /// Line, starting at 1; 0 if the format has no lines.
    pub line: u32,
    /// Source of the package.
    pub index: Index,
    /// Name, normalized according to its index (PEP 503).
    pub name: String,
    /// The version constraint as written: `>=1.2,<2`; empty if there is none.
    pub constraint: String,
    /// Whether only one version is allowed.
    pub exact: bool,
    /// Group of the requirement: an extra, a dependency group, `build` or `dev`; absent if it is always required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// URL, path or version control address, without credentials, if it comes from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Environment marker (PEP 508), as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Whether hashes are given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hashed: bool,
}

/// One package pinned in a lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Locked {
    /// File.
    pub path: String,
    /// Line, starting at 1; 0 if the format has no lines.
    pub line: u32,
    /// Source of the package.
    pub index: Index,
    /// Name, normalized.
    pub name: String,
    /// Version.
    pub version: String,
    /// Names of its files (wheels, source archives, conda packages); empty if the lock file does not list them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Platform of the section in the lock file, in the notation of the format: `linux-64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Environment marker, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Python versions that the package requires, if the lock file states them: `>=3.9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// Requirements on the machine (conda virtual packages): `__glibc >=2.28`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machine: Vec<String>,
    /// URL, path or version control address, without credentials, if it does not come from an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Required Python versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PythonRange {
    /// File.
    pub path: String,
    /// Line, starting at 1; 0 if the format has no lines.
    pub line: u32,
    /// The constraint as a version specifier (PEP 440): `>=3.9,<3.13`.
    pub constraint: String,
}

/// An image reference in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedImage {
    /// File.
    pub path: String,
    /// Line, starting at 1; 0 if the format has no lines.
    pub line: u32,
    /// The reference as written.
    pub image: String,
}
