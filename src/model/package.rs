//! Packages of a system package manager or of conda.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Package {
    /// Name as written by the package manager.
    pub name: String,
    /// Full version in the notation of the package manager: `[epoch:]version[-release]` for dpkg and rpm.
    pub version: String,
    /// Architecture as written by the package manager; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arch: String,
    /// Origin: conda channel and build, rpm vendor, or dpkg source package.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// The conda prefix, if there are several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}
