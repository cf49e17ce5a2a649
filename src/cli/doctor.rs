//! `carnet doctor`.

use super::error::Outcome;
use super::output::print;
use super::runtime::runtime;
use crate::check::engine_select::Engines;
use crate::engine::Availability;
use crate::exit;

/// Show which engines are available, and how to fix the others
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> Outcome {
    let runtime = runtime()?;
    let engines = runtime.block_on(Engines::new(None)?.survey());
    runtime.shutdown_background();
    let line = |(name, availability): &(&str, Availability)| match availability {
        Availability::Ready(details) => format!("{name:<9} available    {details}\n"),
        Availability::Missing { reason, mend } => {
            format!("{name:<9} unavailable  {reason}\n{:23}help: {mend}\n", "")
        }
    };
    print(&engines.iter().map(line).collect::<String>())?;
    // The host engine is always available, but can't run images.
    let runs_images =
        |(name, availability): &(&str, Availability)| *name != "host" && matches!(availability, Availability::Ready(_));
    Ok(if engines.iter().any(runs_images) { exit::GOOD } else { exit::INFRASTRUCTURE })
}
