//! The baseline of `carnet scan`: found, read and written.

use std::path::{Path, PathBuf};

use jiff::Zoned;

use super::super::CommandError;
use crate::config::Config;
use crate::error::{Failure, Kind};
use crate::model::scan::Scan;
use crate::rules::suppress::baseline::{Baseline, BaselineError, FILE};
use crate::ui::file;

/// The baseline of a scan.
pub(super) struct Known {
    /// Path relative to the top, for findings about it.
    pub(super) path: String,
    /// None when there is no such file.
    pub(super) baseline: Option<Baseline>,
    file: PathBuf,
}

/// A baseline that can't be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("reading the baseline {} failed", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("the baseline {} is wrong: {source}", path.display())]
    Wrong { path: PathBuf, source: BaselineError },
}

impl Failure for ReadError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => Some("carnet scan --update-baseline writes one".to_owned()),
            Self::Wrong { source, .. } => source.hint(),
        }
    }
}

impl Known {
    /// The one that was asked for must be there, unless it is to be written.
    pub(super) fn read(asked: Option<&Path>, top: &Path, config: &Config) -> Result<Self, CommandError> {
        let configured = config.scan.baseline.as_ref().map(|path| top.join(path));
        let file = asked.map(Path::to_owned).or(configured).unwrap_or_else(|| top.join(FILE));
        let path = file.strip_prefix(top).unwrap_or(&file).to_string_lossy().into_owned();
        let baseline = match std::fs::read_to_string(&file) {
            Ok(text) => Some(Baseline::parse(&text).map_err(|source| ReadError::Wrong { path: file.clone(), source })?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(ReadError::Io { path: file, source }.into()),
        };
        Ok(Self { path, baseline, file })
    }

    /// Writes what is found now, or only leaves out what is no longer found; says what was done.
    pub(super) fn write(&self, scan: &Scan, only_prune: bool) -> Result<String, CommandError> {
        let old = self.baseline.clone().unwrap_or_else(Baseline::empty);
        let new =
            if only_prune { old.pruned(&scan.findings) } else { old.updated(&scan.findings, Zoned::now().date()) };
        file::write(&self.file, new.to_text()?.as_bytes())?;
        Ok(format!("{}: {} findings, before {}", self.path, new.findings.len(), old.findings.len()))
    }
}
