//! `carnet plan`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::analysis::Cells;
use super::ci::gitlab;
use super::{Outcome, print};
use crate::check;
use crate::exit;
use crate::model::matrix::Matrix;
use crate::report::plan as format;
use crate::ui::file;

/// Show which cells a check has; for CI systems, as jobs.
///
/// Runs nothing. What --format json writes tells `carnet report --plan` which cells must come back.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    cells: Cells,

    /// Format of the plan.
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// File to write; by default standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Formats of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For a terminal.
    #[default]
    Human,
    /// The plan itself.
    Json,
    /// The value of strategy.matrix in GitHub Actions.
    Github,
    /// A child pipeline of GitLab CI, as carnet ci gitlab plan writes it.
    Gitlab,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let matrix = check::matrix::matrix(&arguments.cells.options()?)?;
    let text = match arguments.format {
        Format::Human => format::human(&matrix),
        Format::Json => format::json(&matrix)?,
        Format::Github => format::github::render(&matrix)?,
        Format::Gitlab => gitlab::child(&matrix, &from_top(&matrix))?,
    };
    match &arguments.output {
        Some(path) => file::write(path, text.as_bytes())?,
        None => print(&text)?,
    }
    Ok(exit::GOOD)
}

/// The analysis as jobs name it that stand at the top of the repository.
fn from_top(matrix: &Matrix) -> String {
    match matrix.analysis.directory.as_str() {
        "" => ".".to_owned(),
        directory => directory.to_owned(),
    }
}
