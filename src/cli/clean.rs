//! `carnet clean`.

use super::error::Outcome;
use super::output::print;
use super::runtime::runtime;
use crate::check::cleanup;
use crate::exit;

/// Remove leftovers from killed runs, and optionally all caches
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Also remove unpacked images, cached setups and cached results
    #[arg(long)]
    all: bool,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let runtime = runtime()?;
    let lines = runtime.block_on(cleanup::clean(arguments.all));
    runtime.shutdown_background();
    for line in lines {
        print(&format!("{line}\n"))?;
    }
    Ok(exit::GOOD)
}
