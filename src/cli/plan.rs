//! `carnet plan`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::analysis::Cells;
use super::ci::gitlab;
use super::error::Outcome;
use super::output::{print, print_exact, print_or_write};
use crate::check;
use crate::exit;
use crate::model::matrix::Matrix;
use crate::report::plan;

/// Show the cells of a check, without running them
///
/// CI systems can run each cell as a job. `carnet report --plan` uses the JSON format to detect missing cells.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    cells: Cells,

    /// Format of the plan
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// Write the plan to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A format of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// Text for a terminal
    #[default]
    Human,
    /// JSON for `carnet report --plan`
    Json,
    /// Value of `strategy.matrix` in GitHub Actions
    Github,
    /// Child pipeline for GitLab CI
    Gitlab,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let matrix = check::matrix::matrix(&arguments.cells.options()?)?;
    let text = match arguments.format {
        Format::Human => plan::human(&matrix),
        Format::Json => plan::json(&matrix)?,
        Format::Github => plan::github::render(&matrix)?,
        Format::Gitlab => gitlab::child_pipeline(&matrix, analysis_path(&matrix))?,
    };
    let print = if matches!(arguments.format, Format::Human) { print } else { print_exact };
    print_or_write(&text, arguments.output.as_deref(), print)?;
    Ok(exit::GOOD)
}

/// Returns the path of the analysis, relative to the repository root.
fn analysis_path(matrix: &Matrix) -> &str {
    match matrix.analysis.directory.as_str() {
        "" => ".",
        directory => directory,
    }
}
