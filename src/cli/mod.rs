//! The command line. Each command has its own file, which parses arguments, calls the library and prints the result.

mod analysis;
mod cell;
mod check;
mod ci;
mod clean;
mod completions;
mod diff;
mod doctor;
mod document_file;
mod error;
mod facilities;
mod fail_on;
mod format;
mod hook;
mod init;
mod man;
mod name;
mod output;
mod plan;
mod report;
pub mod rules;
mod runtime;
mod scan;
pub mod schema;
mod snapshot;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::cell::environ as cell_environ;
use crate::engine;
use crate::exit;
use crate::sys::file;
use crate::ui::{Color, TerminalStyle, message, note};
use error::CommandError;

/// Check that a physics analysis runs at every facility
///
/// `carnet check` runs the tests of the repository in the image of each facility, under the limits of that facility, and
/// writes the reports to carnet-out/. `carnet scan` reports portability problems without running anything.
#[derive(Debug, Parser)]
#[command(name = "carnet", version, arg_required_else_help = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// When to use colors
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Arguments),
    Scan(scan::Arguments),
    Snapshot(snapshot::Arguments),
    Diff(diff::Arguments),
    Plan(plan::Arguments),
    Report(report::Arguments),
    Init(init::Arguments),
    Doctor(doctor::Arguments),
    Facilities(facilities::Arguments),
    Hook(hook::Arguments),
    Clean(clean::Arguments),
    Rules(rules::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
    Cell(cell::Arguments),
    Ci(ci::Arguments),
}

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    install_panic_hook();
    // Without the handler, a full limit only kills this process without a message.
    let _ = file::survive_size_limit();
    // Engines start this executable as a helper, which must not parse the command line or set up logging.
    if let Some(code) = engine::run_helper_if_requested().or_else(cell_environ::run_if_requested) {
        return code;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            // The message quotes the arguments.
            let text = error.render();
            let has_color = TerminalStyle::detect(Color::Auto).color_err;
            note(if has_color { text.ansi().to_string() } else { text.to_string() }.trim_end());
            return ExitCode::from(exit::USAGE);
        }
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(exit::GOOD);
        }
    };
    init_tracing();
    let style = TerminalStyle::detect(arguments.color);
    let outcome = match arguments.command {
        Command::Check(command) => check::run(command, &style),
        Command::Scan(command) => scan::run(&command, &style),
        Command::Snapshot(command) => snapshot::run(&command),
        Command::Diff(command) => diff::run(&command, &style),
        Command::Plan(command) => plan::run(&command),
        Command::Report(command) => report::run(&command, &style),
        Command::Init(command) => init::run(&command),
        Command::Doctor(command) => doctor::run(&command),
        Command::Facilities(command) => facilities::run(&command),
        Command::Hook(command) => hook::run(&command, &style),
        Command::Clean(command) => clean::run(&command),
        Command::Rules(command) => rules::run(&command),
        Command::Schema(command) => schema::run(&command),
        Command::Cell(command) => cell::run(command, &style),
        Command::Completions(command) => completions::run(&command),
        Command::Man(command) => man::run(&command),
        Command::Ci(command) => ci::run(&command, &style),
    };
    ExitCode::from(outcome.unwrap_or_else(|error| print_error(&error, &style)))
}

/// Prints an error and returns its exit code.
fn print_error(error: &CommandError, style: &TerminalStyle) -> u8 {
    match error {
        CommandError::Config(error) => {
            message::config(error, style);
            exit::USAGE
        }
        CommandError::Other(error) => {
            message::error(error, style);
            error.kind().exit_code()
        }
    }
}

/// Makes panics print one line that users can report, instead of a stack trace.
fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let location = info.location().map(|location| format!(" at {}:{}", location.file(), location.line()));
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        note(&format!("error: bug in carnet {}{}: {text}", env!("CARGO_PKG_VERSION"), location.unwrap_or_default()));
    }));
}

/// Enables logs for developers if `CARNET_LOG` is set.
fn init_tracing() {
    use tracing_subscriber::EnvFilter;
    let Ok(filter) = EnvFilter::try_from_env("CARNET_LOG") else { return };
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// Returns the definition of the command line, for completions and manual pages.
pub fn command() -> clap::Command {
    Arguments::command()
}
