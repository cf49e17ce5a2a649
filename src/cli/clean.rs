//! `carnet clean`.

use super::{Outcome, print};
use crate::check::cleanup;
use crate::exit;

/// Remove what killed runs left behind; with --all, caches too.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Remove unpacked images, kept set-ups and results too.
    #[arg(long)]
    all: bool,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let runtime = super::runtime()?;
    let removed = runtime.block_on(cleanup::remove(arguments.all));
    runtime.shutdown_background();
    for line in removed {
        print(&format!("{line}\n"))?;
    }
    Ok(exit::GOOD)
}
