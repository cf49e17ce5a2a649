//! `carnet cell`.

use std::path::PathBuf;

use super::Outcome;
use crate::cell;
use crate::exit;

/// Run one cell where we stand; engines start this inside images.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The plan to follow.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let good = cell::main(&arguments.plan)?;
    Ok(if good { exit::GOOD } else { exit::ANALYSIS })
}
