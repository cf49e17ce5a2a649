//! `carnet ci github`: the step of the GitHub Action.

use super::super::Outcome;
use crate::exit;
use crate::ui::Look;

/// The step of the GitHub Action.
///
/// Its inputs are the variables INPUT_*; it writes outputs and the summary to the files that the runner names.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(_arguments: &Arguments, _look: &Look) -> Outcome {
    Ok(exit::GOOD)
}
