//! Packages of a system's package manager or of conda.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Package {
    /// Name as its manager writes it.
    pub name: String,
    /// Version in the manager's own grammar, complete: `[epoch:]version[-release]` for dpkg and rpm.
    pub version: String,
    /// Architecture as the manager writes it; empty when it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arch: String,
    /// Where it came from, if that says more: conda channel and build, rpm vendor, dpkg source package.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// The prefix it belongs to, when one image has several (conda prefixes).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}
