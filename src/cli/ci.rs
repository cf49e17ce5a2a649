//! `carnet ci`: the steps of CI systems. Each system has its own file.

mod github;
pub(super) mod gitlab;
mod merge;

use clap::Subcommand;

use super::error::Outcome;
use crate::ui::TerminalStyle;

/// Run a CI step (used by carnet's CI templates)
///
/// The CI templates pass their inputs as environment variables. For interactive use, see the other commands.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    system: System,
}

#[derive(Debug, Subcommand)]
enum System {
    Github(github::Arguments),
    Gitlab(gitlab::Arguments),
}

pub(super) fn run(arguments: &Arguments, style: &TerminalStyle) -> Outcome {
    match &arguments.system {
        System::Github(command) => github::run(command, style),
        System::Gitlab(command) => gitlab::run(command, style),
    }
}
