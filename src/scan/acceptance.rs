//! What of a scan is accepted, by comments, by the configuration and by a baseline.

use std::path::{Path, PathBuf};

use jiff::Zoned;

use super::Scanned;
use crate::config;
use crate::config::scan::Scan as ScanConfig;
use crate::error::{Failure, Kind};
use crate::model::scan::Scan;
use crate::scan::suppress::baseline::{Baseline, BaselineError, FILE};
use crate::scan::{rules, suppress};

/// The baseline of an analysis.
#[derive(Debug)]
pub struct LoadedBaseline {
    /// Path relative to the top, for findings about it.
    pub path: String,
    /// The file.
    pub file: PathBuf,
    /// None when there is no such file.
    pub baseline: Option<Baseline>,
}

/// A baseline that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum BaselineFileError {
    /// The file can't be read.
    #[error("reading the baseline {} failed", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no baseline.
    #[error("the baseline {} is wrong", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BaselineError,
    },
}

impl Failure for BaselineFileError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => Some("carnet scan --update-baseline writes one".to_owned()),
            Self::Invalid { source, .. } => source.hint(),
        }
    }
}

impl LoadedBaseline {
    /// The baseline that was asked for, else the configured one, else the one beside `carnet.toml`. It need not be there.
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub fn read(given: Option<&Path>, top: &Path, config: &ScanConfig) -> Result<Self, BaselineFileError> {
        let configured = config.baseline.as_ref().map(|path| top.join(path));
        let file = given.map(Path::to_owned).or(configured).unwrap_or_else(|| top.join(FILE));
        let path = file.strip_prefix(top).unwrap_or(&file).to_string_lossy().into_owned();
        // What a repository names stays inside of it; what the user names may lie anywhere.
        if given.is_none() && config::leads_out(&file).unwrap_or(false) {
            let source = std::io::Error::other("it is a link that leads out of its directory");
            return Err(BaselineFileError::Io { path: file, source });
        }
        match std::fs::read_to_string(&file) {
            Ok(text) => Self::parse(path, file, Some(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::parse(path, file, None),
            Err(source) => Err(BaselineFileError::Io { path: file, source }),
        }
    }

    /// The baseline that an analysis has at another time: its text is found by `read`, under the path that is configured.
    ///
    /// # Errors
    /// When the text is no baseline.
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

/// The scan with what is accepted marked as such. `is_part` says that only a part of the repository was looked at.
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
        today: Zoned::now().date(),
        partial: is_part,
    };
    let applied = suppress::apply(std::mem::take(&mut scan.findings), &scanned.directives, &settings);
    scan.findings = applied.findings;
    scan.notes.extend(applied.notes);
    scan.notes.sort_unstable();
    scan
}
