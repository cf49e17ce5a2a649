//! Arguments that select an analysis and its cells.

use std::path::{Path, PathBuf};

use super::error::CommandError;
use crate::check::{Options, configuration};
use crate::config::{self, Config};
use crate::source::SourceError;
use crate::source::git::repository;

/// The directory of an analysis.
#[derive(Debug, clap::Args)]
pub(super) struct AnalysisDir {
    /// Directory of the analysis [default: the current directory]
    ///
    /// carnet searches for carnet.toml in this directory and its parents, up to the repository root.
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,
}

/// The cells of an analysis.
#[derive(Debug, clap::Args)]
pub(super) struct Cells {
    #[command(flatten)]
    analysis: AnalysisDir,

    /// Select a cell, or all cells of a facility (repeatable)
    #[arg(long = "cell", short = 'c', value_name = "NAME")]
    cells: Vec<String>,
}

impl AnalysisDir {
    /// Returns the top of the analysis and its configuration.
    pub(super) fn load(&self) -> Result<(PathBuf, Config), CommandError> {
        load(&self.path)
    }
}

impl Cells {
    /// Returns the options of a check of these cells.
    pub(super) fn options(&self) -> Result<Options, CommandError> {
        let (top, config) = self.analysis.load()?;
        Ok(Options { only: self.cells.iter().cloned().collect(), ..Options::new(top, config) })
    }
}

/// Returns the top of the analysis that contains `path`, and its configuration.
pub(super) fn load(path: &Path) -> Result<(PathBuf, Config), CommandError> {
    let start = path.canonicalize().ok().filter(|path| path.is_dir());
    let start = start.ok_or_else(|| SourceError::NoDirectory { path: path.to_owned() })?;
    let Some(file) = config::discover(&start, repository::facts_without_status(&start).top.as_deref()) else {
        return Ok((start, Config::empty()));
    };
    let config = Config::read(&file).and_then(|text| configuration::parse(&text, &file));
    let config = config.map_err(CommandError::Config)?;
    let top = file.parent().map_or(start, Path::to_owned);
    Ok((top, config))
}
