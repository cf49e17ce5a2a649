//! `carnet completions`.

use clap_complete::Shell;

use super::error::{Outcome, PrintError};
use super::output::print_exact;
use crate::exit;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Name of the shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    print_exact(&script(arguments.shell)?)?;
    Ok(exit::GOOD)
}

/// Generates the completion script.
fn script(shell: Shell) -> Result<String, PrintError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "carnet", &mut script);
    String::from_utf8(script).map_err(|error| PrintError(std::io::Error::other(error)))
}
