//! Which cells a check has, before any of them runs: `carnet/matrix@1`.
//!
//! It is what a CI system makes jobs of, and what tells afterwards whether a cell never came back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contract::Contract;
use super::document::Analysis;

/// Name and version of the format.
pub const SCHEMA: &str = "carnet/matrix@1";

/// All cells of one analysis in one state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Matrix {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Version of carnet that wrote it.
    pub version: String,
    /// What is checked.
    pub analysis: Analysis,
    /// Name of the cell the others are compared with, when the configuration names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The test commands, as they will be run.
    pub tests: Vec<String>,
    /// One entry a cell, in the order of the configuration.
    pub cells: Vec<Planned>,
}

/// One cell that is to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// Unique name: the facility's id, with `/role` when the facility has several roles.
    pub id: String,
    /// The name as file names and names of jobs can carry it, of `[a-z0-9_-]`: `/` is `__`.
    pub slug: String,
    /// Facility id.
    pub facility: String,
    /// Role; none when the facility has but one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Engine that the configuration names for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The image as written in `carnet.toml`; none for a machine as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The image's name as a registry knows it, which CI systems take for `image:`; none for images on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<String>,
    /// The contract it runs under; the values of variables that aren't on the allow list are `[redacted]`.
    pub contract: Contract,
    /// Directories at the top of a machine's file system that it needs and no image brings: `/cvmfs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
}

impl Planned {
    /// The name of a cell as file names and names of jobs can carry it.
    pub fn slug(cell: &str) -> String {
        cell.replace('/', "__")
    }
}
