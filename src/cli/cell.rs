//! `carnet cell`.

use std::path::PathBuf;

use super::Outcome;
use super::check::{Asked, FailOn, check, load};
use super::report::Format;
use crate::cell;
use crate::exit;
use crate::run::Options;
use crate::ui::Look;

/// Run one cell where we stand, inside of its image already.
///
/// For jobs of a CI system or a batch system that were started in the facility's image: no engine is needed. What the
/// contract asks and the job doesn't give is told in the report. Engines start `carnet cell --plan` inside images.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Cell of carnet.toml, or a facility that has but one.
    #[arg(value_name = "NAME", required_unless_present = "plan")]
    name: Option<String>,

    /// Directory of the analysis; its carnet.toml is looked for there and above, up to the top of the repository.
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,

    /// Directory for the reports.
    #[arg(long, short, value_name = "DIR", default_value = "carnet-out")]
    out: PathBuf,

    /// Format on standard output.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// What makes the exit code 1.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    fail_on: FailOn,

    /// The plan to follow, which names its result too: how engines start a cell.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "path", "out", "format", "fail_on"])]
    plan: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments, look: &Look) -> Outcome {
    let Some(name) = arguments.name else {
        let good = cell::main(&arguments.plan.unwrap_or_default())?;
        return Ok(if good { exit::GOOD } else { exit::ANALYSIS });
    };
    let (top, config) = load(&arguments.path)?;
    let options = Options { only: [name].into(), in_place: true, audit: false, jobs: 1, ..Options::new(top, config) };
    let asked = Asked { options, format: arguments.format, fail_on: arguments.fail_on, quiet: false };
    check(&asked, &arguments.out, look)
}
