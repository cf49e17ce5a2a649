//! `carnet.toml`: read with spans, then made into a [`Config`] that can't be wrong.
//!
//! Every problem is reported at once, each at its place; an unknown key is refused with the known one that is nearest.

pub mod ci;
mod fields;
pub mod problem;
pub mod raw;
pub mod scan;
pub mod template;
mod unit;
mod valid;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::model::contract::Contract;
use crate::model::plan::TestKind;
use crate::model::reference::Reference;
pub use problem::ConfigError;

/// Name of the file.
pub const FILE: &str = "carnet.toml";
/// Bytes it may have.
const CAP: u64 = 1 << 20;

/// A valid configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Name of the analysis.
    pub name: Option<String>,
    /// Cell that the others are compared with; by default the first that passes.
    pub reference: Option<String>,
    /// How it is tested.
    pub test: Test,
    /// Files that the tests write and whose content is compared, as paths or globs relative to the analysis.
    pub outputs: Vec<String>,
    /// Files that the tests read and whose content is recorded, as paths relative to the analysis.
    pub inputs: Vec<String>,
    /// Where it must run; empty when the file names none.
    pub facilities: Vec<Facility>,
    /// How the static audit is made.
    pub scan: scan::Scan,
}

/// How an analysis is tested.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Commands, each with the way its results are read; empty means: detect them.
    pub run: Vec<(TestKind, String)>,
    /// Command that gets the environment ready, with network.
    pub setup: Option<String>,
    /// Whether the tests may use the network.
    pub network: bool,
    /// Seconds that each command may take.
    pub timeout: u64,
    /// How often a failed command is tried again.
    pub retries: u32,
    /// Whether the tests see `.git`.
    pub git: bool,
}

impl Default for Test {
    fn default() -> Self {
        Self { run: Vec::new(), setup: None, network: false, timeout: 600, retries: 0, git: false }
    }
}

/// A place where the analysis must run.
#[derive(Debug, Clone, PartialEq)]
pub struct Facility {
    /// Identifier, of `[a-z0-9-]`.
    pub id: String,
    /// Role, when the facility stands several times with different contracts.
    pub role: Option<String>,
    /// Image, or this machine.
    pub image: Reference,
    /// The image as written in the file.
    pub written: String,
    /// Engine that must run it; none means the first that works and can take the image.
    pub engine: Option<String>,
    /// Runtime contract.
    pub contract: Contract,
    /// A failure here is forgiven.
    pub expect: Option<Expectation>,
}

/// A failure that is known and forgiven for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Why.
    pub may_fail: String,
    /// Last day on which it is forgiven; none means always.
    pub until: Option<jiff::civil::Date>,
}

impl Facility {
    /// The name of its cell: its id, with `/role` when it has one.
    pub fn cell(&self) -> String {
        match &self.role {
            Some(role) => format!("{}/{role}", self.id),
            None => self.id.clone(),
        }
    }
}

impl Config {
    /// A configuration that leaves everything to detection.
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

    /// Reads the text of a `carnet.toml`; relative image paths are taken from its directory.
    ///
    /// # Errors
    /// All problems at once, each with its place in the text.
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
    /// When the file can't be read, is no UTF-8 or over 1 MiB, or as [`Config::parse`].
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        Self::parse(&Self::read(file)?, file)
    }

    /// The text of a `carnet.toml`, for [`Config::parse`].
    ///
    /// # Errors
    /// When the file can't be read, is no UTF-8 or over 1 MiB.
    pub fn read(file: &Path) -> Result<String, ConfigError> {
        let unreadable = |error: std::io::Error| ConfigError::unreadable(file, &error.to_string());
        if !std::fs::metadata(file).map_err(unreadable)?.is_file() {
            return Err(ConfigError::unreadable(file, "it is no file"));
        }
        // Its lines are shown where they are wrong: those of another file of the machine must not be.
        if leads_out(file).map_err(unreadable)? {
            return Err(ConfigError::unreadable(file, "it is a link that leads out of its directory"));
        }
        let mut bytes = Vec::new();
        File::open(file).and_then(|open| open.take(CAP + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
        if bytes.len() as u64 > CAP {
            return Err(ConfigError::unreadable(file, "it is larger than 1 MiB"));
        }
        String::from_utf8(bytes).map_err(|error| ConfigError::not_text(file, error))
    }
}

/// Whether a path ends, through links, outside of the directory it is in.
///
/// # Errors
/// When it can't be followed.
pub fn leads_out(file: &Path) -> std::io::Result<bool> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(!file.canonicalize()?.starts_with(parent.canonicalize()?))
}

/// The `carnet.toml` of an analysis: in `start` or the nearest directory above it, up to `top`.
pub fn discover(start: &Path, top: Option<&Path>) -> Option<PathBuf> {
    for dir in start.ancestors() {
        let file = dir.join(FILE);
        // Also one that is no file or a link to nowhere: passing over it would check something else than was asked for.
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
