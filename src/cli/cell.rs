//! `carnet cell`.

use std::path::PathBuf;

use super::Outcome;
use super::analysis::AnalysisDir;
use super::check::{Shown, check};
use crate::cell;
use crate::check::Options;
use crate::exit;
use crate::ui::TerminalStyle;

/// Run one cell where we stand, inside of its image already.
///
/// For jobs of a CI system or a batch system that were started in the facility's image: no engine is needed. What the
/// contract asks and the job doesn't give is told in the report. Engines start `carnet cell --plan` inside images.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Cell of carnet.toml, or a facility that has but one.
    #[arg(value_name = "NAME", required_unless_present = "plan")]
    name: Option<String>,

    #[command(flatten)]
    place: AnalysisDir,

    #[command(flatten)]
    shown: Shown,

    /// The plan to follow, which names its result too: how engines start a cell.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "path", "out", "format", "fail_on"])]
    plan: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments, look: &TerminalStyle) -> Outcome {
    let Some(name) = arguments.name else {
        let good = cell::main(&arguments.plan.unwrap_or_default())?;
        return Ok(if good { exit::GOOD } else { exit::ANALYSIS });
    };
    let (top, config) = arguments.place.load()?;
    let options = Options { only: [name].into(), in_place: true, audit: false, jobs: 1, ..Options::new(top, config) };
    check(&options, &arguments.shown, false, look)
}
