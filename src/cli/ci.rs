//! `carnet ci`: what steps of CI systems call. A file a system.

mod github;
pub(super) mod gitlab;
mod merge;

use clap::Subcommand;

use super::Outcome;
use crate::ui::TerminalStyle;

/// Run as a step of a CI system, told by its variables.
///
/// For the templates of this project, which hand over their inputs as variables of the environment and leave the rest to
/// the program. People call the other commands.
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

pub(super) fn run(arguments: &Arguments, look: &TerminalStyle) -> Outcome {
    match &arguments.system {
        System::Github(command) => github::run(command, look),
        System::Gitlab(command) => gitlab::run(command, look),
    }
}
