//! The planned cells of a check: `carnet/matrix@1`.
//!
//! CI systems generate jobs from it, and it shows afterwards which cells have no result.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contract::Contract;
use super::document::Analysis;

/// Name and version of the format.
pub const SCHEMA: &str = "carnet/matrix@1";

/// The planned cells of one analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Matrix {
    /// Always `carnet/matrix@1`.
    pub schema: String,
    /// Version of carnet that wrote it.
    pub version: String,
    /// The analysis.
    pub analysis: Analysis,
    /// Name of the cell that the other cells are compared with, if configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The test commands.
    pub tests: Vec<String>,
    /// One entry per cell, in the order of the configuration.
    pub cells: Vec<Planned>,
}

/// One planned cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// Unique name: the facility id, followed by `/role` if the facility has several roles.
    pub id: String,
    /// The name in a form valid for file and job names (`[a-z0-9_-]`): `/` is replaced by `__`.
    pub slug: String,
    /// Facility id.
    pub facility: String,
    /// Role; absent if the facility has only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Engine, if configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The image as written in `carnet.toml`; absent for the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The image name in a registry, for the `image:` key of CI systems; absent for images on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<String>,
    /// The applied contract; values of variables that are not on the allow list are `[redacted]`.
    pub contract: Contract,
    /// Top-level directories that the cell needs from the machine because no image contains them: `/cvmfs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
}

impl Planned {
    /// Returns the name of a cell in a form valid for file and job names.
    pub fn slug(cell: &str) -> String {
        cell.replace('/', "__")
    }
}
