//! `carnet doctor`.

use super::error::Outcome;
use super::output::print;
use super::runtime::runtime;
use crate::check::engine_select::Engines;
use crate::engine::Availability;
use crate::exit;
use crate::model::engine::EngineKind;

/// Show which engines are available, and how to fix the others
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> Outcome {
    let runtime = runtime()?;
    let engines = runtime.block_on(Engines::new(None)?.survey());
    runtime.shutdown_background();
    let line = |(name, availability): &(&str, Availability)| match availability {
        Availability::Ready(details) => format!("{name:<9} available    {details}\n"),
        Availability::Missing { reason, hint } => {
            format!("{name:<9} unavailable  {reason}\n{:23}help: {hint}\n", "")
        }
    };
    print(&engines.iter().map(line).collect::<String>())?;
    let runs_images = |(name, availability): &(&str, Availability)| {
        EngineKind::from_name(name).is_some_and(EngineKind::runs_images)
            && matches!(availability, Availability::Ready(_))
    };
    Ok(if engines.iter().any(runs_images) { exit::GOOD } else { exit::INFRASTRUCTURE })
}
