//! Findings that are accepted by comments, the configuration or a baseline.

use std::path::{Path, PathBuf};

use super::Scanned;
use crate::config;
use crate::config::scan::Scan as ScanConfig;
use crate::error::{Failure, Kind};
use crate::model::scan::Scan;
use crate::scan::suppress::baseline::{Baseline, BaselineError, FILE};
use crate::scan::{rules, suppress};
use crate::sys;
use crate::sys::clock;

/// Maximum size of a baseline in bytes.
const MAX_SIZE: u64 = 64 << 20;

/// The baseline of an analysis.
#[derive(Debug)]
pub struct LoadedBaseline {
    /// Path relative to the top, for findings in the baseline.
    pub path: String,
    /// The file.
    pub file: PathBuf,
    /// Whether the user typed the path.
    pub is_given: bool,
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
            Self::Io { .. } => Some("replace it by a regular file, or use another one with `--baseline`".to_owned()),
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
        let configured = || top.join(config.baseline.as_deref().unwrap_or(FILE));
        let file = given.map_or_else(configured, Path::to_owned);
        let path = file.strip_prefix(top).unwrap_or(&file).to_string_lossy().into_owned();
        let failed = |source| BaselineFileError::Io { path: file.clone(), source };
        // A path from the repository must stay inside it. A path from the user may be anywhere.
        if given.is_none() && is_outside(&file, top) {
            return Err(failed(std::io::Error::other("a symbolic link in the path leads outside the analysis")));
        }
        let read = if given.is_some() { sys::file::read_given } else { sys::file::read };
        let text = match read(&file, MAX_SIZE) {
            Ok(bytes) if bytes.len() as u64 > MAX_SIZE => {
                return Err(failed(std::io::Error::other("larger than 64 MiB")));
            }
            Ok(bytes) => Some(String::from_utf8(bytes).map_err(|error| failed(std::io::Error::other(error)))?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        Ok(Self { is_given: given.is_some(), ..Self::parse(path, file, text.as_deref())? })
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
        Ok(Self { path, file, is_given: false, baseline })
    }
}

/// Reports whether the directory of a file, or the file itself, is outside `top` because of a link. A directory or file
/// that does not exist can't be a link.
fn is_outside(file: &Path, top: &Path) -> bool {
    let Ok(top) = top.canonicalize() else { return false };
    let leads_outside = |path: &Path| path.canonicalize().is_ok_and(|path| !path.starts_with(&top));
    leads_outside(file) || file.parent().is_some_and(leads_outside)
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
