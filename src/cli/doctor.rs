//! `carnet doctor`.

use super::{Outcome, print};
use crate::check::engine_select::Engines;
use crate::engine::Availability;
use crate::exit;
use crate::model::engine::EngineKind;

/// Say which engines work here, and how to mend the others.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> Outcome {
    let runtime = super::runtime()?;
    let found = runtime.block_on(Engines::new(None)?.survey());
    runtime.shutdown_background();
    let line = |(name, availability): &(&str, Availability)| match availability {
        Availability::Ready(what) => format!("{name:<9} works     {what}\n"),
        Availability::Missing { reason, hint } => format!("{name:<9} missing   {reason}\n{:21}help: {hint}\n", ""),
    };
    print(&found.iter().map(line).collect::<String>())?;
    let inside = |(name, found): &(&str, Availability)| {
        EngineKind::from_name(name).is_some_and(EngineKind::runs_images) && matches!(found, Availability::Ready(_))
    };
    Ok(if found.iter().any(inside) { exit::GOOD } else { exit::INFRASTRUCTURE })
}
