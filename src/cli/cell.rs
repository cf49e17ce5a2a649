//! `carnet cell`.

use std::path::PathBuf;

use super::analysis::AnalysisDir;
use super::check::{OutputArguments, check_and_report};
use super::error::Outcome;
use crate::cell;
use crate::check::Options;
use crate::exit;
use crate::ui::TerminalStyle;

/// Run one cell inside its image
///
/// Use this command in a CI or batch job that already runs in the image of the facility. No engine is needed. The report
/// lists the parts of the contract that the job does not provide.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Name of the cell, or of a facility with a single cell
    #[arg(value_name = "NAME", required_unless_present = "plan")]
    name: Option<String>,

    #[command(flatten)]
    analysis: AnalysisDir,

    #[command(flatten)]
    output: OutputArguments,

    /// Run this plan (used by the engines)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "path", "out", "format", "fail_on"])]
    plan: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments, style: &TerminalStyle) -> Outcome {
    let Some(name) = arguments.name else {
        let is_success = cell::main(&arguments.plan.unwrap_or_default())?;
        return Ok(if is_success { exit::GOOD } else { exit::ANALYSIS });
    };
    let (top, config) = arguments.analysis.load()?;
    let options = Options { only: [name].into(), in_place: true, scan: false, jobs: 1, ..Options::new(top, config) };
    check_and_report(&options, &arguments.output, false, style)
}
