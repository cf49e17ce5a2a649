//! The analysis that a command is about, and which of its cells.

use std::path::{Path, PathBuf};

use super::CommandError;
use crate::check::{Options, configuration};
use crate::config::{self, Config};
use crate::source::SourceError;
use crate::source::git::repository;

/// Where an analysis is.
#[derive(Debug, clap::Args)]
pub(super) struct AnalysisDir {
    /// Directory of the analysis; its carnet.toml is looked for there and above, up to the top of the repository.
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,
}

/// Cells of an analysis.
#[derive(Debug, clap::Args)]
pub(super) struct Cells {
    #[command(flatten)]
    place: AnalysisDir,

    /// Only this cell or all cells of this facility; may be given several times.
    #[arg(long = "cell", short = 'c', value_name = "NAME")]
    cells: Vec<String>,
}

impl AnalysisDir {
    /// The top of the analysis and its configuration.
    pub(super) fn load(&self) -> Result<(PathBuf, Config), CommandError> {
        load(&self.path)
    }
}

impl Cells {
    /// A check of these cells.
    pub(super) fn options(&self) -> Result<Options, CommandError> {
        let (top, config) = self.place.load()?;
        Ok(Options { only: self.cells.iter().cloned().collect(), ..Options::new(top, config) })
    }
}

/// The top of the analysis that `path` lies in, and its configuration.
pub(super) fn load(path: &Path) -> Result<(PathBuf, Config), CommandError> {
    let start = path.canonicalize().ok().filter(|path| path.is_dir());
    let start = start.ok_or_else(|| SourceError::NoDirectory { path: path.to_owned() })?;
    let Some(found) = config::discover(&start, repository::facts_without_status(&start).top.as_deref()) else {
        return Ok((start, Config::empty()));
    };
    let read = Config::read(&found).and_then(|text| configuration::parse(&text, &found));
    let config = read.map_err(CommandError::Config)?;
    let top = found.parent().map_or(start, Path::to_owned);
    Ok((top, config))
}
