//! Findings that are accepted by comments, the configuration or a baseline.

use std::path::{Path, PathBuf};

use super::Scanned;
use crate::config;
use crate::config::scan::Scan as ScanConfig;
use crate::error::{Failure, Kind};
use crate::model::scan::Scan;
use crate::scan::suppress::baseline::{Baseline, BaselineError, FILE};
use crate::scan::{rules, suppress};
use crate::sys::clock;

/// The baseline of an analysis.
#[derive(Debug)]
pub struct LoadedBaseline {
    /// Path relative to the top, for findings in the baseline.
    pub path: String,
    /// The file.
    pub file: PathBuf,
    /// The content; `None` if the file does not exist.
    pub baseline: Option<Baseline>,
}

/// Error when a baseline cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BaselineFileError {
    /// The file cannot be read.
    #[error("failed to read baseline `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not a valid baseline.
    #[error("invalid baseline `{}`", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: BaselineError,
    },
}

impl Failure for BaselineFileError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => Some("create one with carnet scan --update-baseline".to_owned()),
            Self::Invalid { source, .. } => source.hint(),
        }
    }
}

impl LoadedBaseline {
    /// Reads the given baseline, the configured one, or the default file next to `carnet.toml`. The file may not exist.
    ///
    /// # Errors
    /// If the file exists but cannot be read.
    pub fn read(given: Option<&Path>, top: &Path, config: &ScanConfig) -> Result<Self, BaselineFileError> {
        let configured = config.baseline.as_ref().map(|path| top.join(path));
        let file = given.map(Path::to_owned).or(configured).unwrap_or_else(|| top.join(FILE));
        let path = file.strip_prefix(top).unwrap_or(&file).to_string_lossy().into_owned();
        // A path from the repository must stay inside it. A path from the user may be anywhere.
        if given.is_none() && config::escapes_directory(&file).unwrap_or(false) {
            let source = std::io::Error::other("the symbolic link points outside its directory");
            return Err(BaselineFileError::Io { path: file, source });
        }
        match std::fs::read_to_string(&file) {
            Ok(text) => Self::parse(path, file, Some(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::parse(path, file, None),
            Err(source) => Err(BaselineFileError::Io { path: file, source }),
        }
    }

    /// Reads the baseline of another tree of the analysis. `read` returns the text of the file at the configured path.
    ///
    /// # Errors
    /// If the text is not a valid baseline.
    pub fn from_tree(
        top: &Path,
        config: &ScanConfig,
        read: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Self, BaselineFileError> {
        let path = config.baseline.clone().unwrap_or_else(|| FILE.to_owned());
        let text = read(path.trim_start_matches("./"));
        let file = top.join(&path);
        Self::parse(path, file, text.as_deref())
    }

    fn parse(path: String, file: PathBuf, text: Option<&str>) -> Result<Self, BaselineFileError> {
        let baseline = text.map(Baseline::parse).transpose();
        let baseline = baseline.map_err(|source| BaselineFileError::Invalid { path: file.clone(), source })?;
        Ok(Self { path, file, baseline })
    }
}

/// Marks accepted findings. `is_part` states that only a part of the repository was scanned.
pub(super) fn apply_acceptance(
    scanned: Scanned,
    is_part: bool,
    config: &ScanConfig,
    baseline: &LoadedBaseline,
) -> Scan {
    let mut scan = scanned.scan;
    let active: Vec<String> = scan.rules.iter().map(|rule| rule.id.clone()).collect();
    let ignore = config.ignore.iter().map(|ignore| suppress::Ignore {
        rule: ignore.rule.name.clone(),
        glob: ignore.glob.clone(),
        reason: ignore.reason.clone(),
        until: ignore.until,
        line: ignore.line,
    });
    let settings = suppress::Settings {
        active: active.iter().map(String::as_str).collect(),
        known: rules::all().map(|rule| rule.id).collect(),
        ignore: ignore.collect(),
        severity: config.severities(),
        baseline: baseline.baseline.as_ref().map(|entries| (baseline.path.as_str(), entries)),
        config: config::FILE,
        today: clock::today(),
        partial: is_part,
    };
    let applied = suppress::apply(std::mem::take(&mut scan.findings), &scanned.directives, &settings);
    scan.findings = applied.findings;
    scan.notes.extend(applied.notes);
    scan.notes.sort_unstable();
    scan
}
