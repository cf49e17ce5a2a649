//! `carnet.toml`: parsed with source positions, then validated into a [`Config`].
//!
//! All problems are reported at once, each with its position. For an unknown key, the most similar key is suggested.

pub mod ci;
mod fields;
pub mod problem;
pub mod raw;
pub mod scan;
pub mod template;
mod unit;
mod valid;

use std::path::{Path, PathBuf};

use crate::model::contract::Contract;
use crate::model::plan::TestKind;
use crate::model::reference::Reference;
use crate::sys;
pub use problem::ConfigError;

/// Name of the configuration file.
pub const FILE: &str = "carnet.toml";
/// Maximum size of a configuration file in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// A valid configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Name of the analysis.
    pub name: Option<String>,
    /// Cell that the other cells are compared with; by default the first that passes.
    pub reference: Option<String>,
    /// Test commands and options.
    pub test: Test,
    /// Output files of the tests whose content is compared: paths or globs relative to the analysis.
    pub outputs: Vec<String>,
    /// Input files of the tests whose content is recorded: paths relative to the analysis.
    pub inputs: Vec<String>,
    /// Facilities where the analysis must run; empty if the file lists none.
    pub facilities: Vec<Facility>,
    /// Options of the static scan.
    pub scan: scan::Scan,
}

/// Test commands and options.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Test commands with the kind of their results; if empty, the tests are detected.
    pub run: Vec<(TestKind, String)>,
    /// Setup command; it may use the network.
    pub setup: Option<String>,
    /// Whether the tests may use the network.
    pub network: bool,
    /// Time limit of each command in seconds.
    pub timeout: u64,
    /// Number of times a failed command is retried.
    pub retries: u32,
    /// Whether the tests see `.git`.
    pub git: bool,
}

impl Default for Test {
    fn default() -> Self {
        Self { run: Vec::new(), setup: None, network: false, timeout: 600, retries: 0, git: false }
    }
}

/// A facility where the analysis must run.
#[derive(Debug, Clone, PartialEq)]
pub struct Facility {
    /// Identifier: characters `[a-z0-9-]`.
    pub id: String,
    /// Role, if the facility is listed several times with different contracts.
    pub role: Option<String>,
    /// Image, or the host.
    pub image: Reference,
    /// The image as written in the file.
    pub written: String,
    /// Engine; by default the first available one that supports the image.
    pub engine: Option<String>,
    /// Runtime contract.
    pub contract: Contract,
    /// Expected failure.
    pub expect: Option<Expectation>,
}

/// An expected failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The reason.
    pub may_fail: String,
    /// Last day on which the failure is expected; `None` for no limit.
    pub until: Option<jiff::civil::Date>,
}

impl Facility {
    /// Returns the name of its cell: the id, followed by `/role` if it has a role.
    pub fn cell(&self) -> String {
        match &self.role {
            Some(role) => format!("{}/{role}", self.id),
            None => self.id.clone(),
        }
    }
}

impl Config {
    /// Returns an empty configuration: everything is detected.
    pub fn empty() -> Self {
        Self {
            name: None,
            reference: None,
            test: Test::default(),
            outputs: Vec::new(),
            inputs: Vec::new(),
            facilities: Vec::new(),
            scan: scan::Scan::default(),
        }
    }

    /// Parses the text of a `carnet.toml`; relative image paths are resolved against its directory.
    ///
    /// # Errors
    /// All problems at once, each with its position in the text.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let base = file.parent().unwrap_or(Path::new("")).to_owned();
        let mut problems = Vec::new();
        let raw = raw::read(text, &mut problems);
        let config = valid::check(raw, text, &base, &mut problems);
        match problems.is_empty() {
            true => Ok(config),
            false => Err(ConfigError::new(file, text, problems)),
        }
    }

    /// Reads a `carnet.toml`.
    ///
    /// # Errors
    /// If the file cannot be read, is not UTF-8 or is larger than 1 MiB; see also [`Config::parse`].
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        Self::parse(&Self::read(file)?, file)
    }

    /// Reads the text of a `carnet.toml`, for [`Config::parse`].
    ///
    /// # Errors
    /// If the file cannot be read, is not UTF-8 or is larger than 1 MiB.
    pub fn read(file: &Path) -> Result<String, ConfigError> {
        let unreadable = |error: std::io::Error| ConfigError::unreadable(file, &error.to_string());
        let bytes = sys::file::read(file, MAX_SIZE).map_err(unreadable)?;
        // Error messages quote lines of the file, which must not leak the content of files outside the analysis.
        if escapes_directory(file).map_err(unreadable)? {
            return Err(ConfigError::unreadable(file, "symbolic link to a file outside its directory"));
        }
        if bytes.len() as u64 > MAX_SIZE {
            return Err(ConfigError::unreadable(file, "larger than 1 MiB"));
        }
        String::from_utf8(bytes).map_err(|error| ConfigError::invalid_utf8(file, error))
    }
}

/// Reports whether a path is a symbolic link to a file outside its directory.
///
/// # Errors
/// If the path cannot be resolved.
pub fn escapes_directory(file: &Path) -> std::io::Result<bool> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(!file.canonicalize()?.starts_with(parent.canonicalize()?))
}

/// Returns the `carnet.toml` of an analysis: in `start` or the nearest parent directory up to `top`.
pub fn discover(start: &Path, top: Option<&Path>) -> Option<PathBuf> {
    for dir in start.ancestors() {
        let file = dir.join(FILE);
        // A directory or a dangling link is returned too: skipping it would check a different analysis.
        if file.symlink_metadata().is_ok() {
            return Some(file);
        }
        if Some(dir) == top {
            break;
        }
    }
    None
}

#[cfg(test)]
mod tests;
