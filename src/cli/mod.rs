//! Commands, one a file: parse, call, print; no logic.

mod analysis;
mod cell;
mod check;
mod ci;
mod clean;
mod completions;
mod diff;
mod doctor;
mod facilities;
mod fail_on;
mod format;
mod hook;
mod init;
mod man;
mod name;
mod plan;
mod report;
pub mod rules;
mod scan;
pub mod schema;
mod snapshot;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cell::environ as cell_environ;
use crate::config::ConfigError;
use crate::engine;
use crate::error::{Error, Kind};
use crate::exit;
use crate::ui::{Color, TerminalStyle, message, note};

/// Proves that a physics analysis runs at its facilities, or says why not.
///
/// `carnet check` runs the tests of the repository inside every facility's image, under that facility's rules, and writes
/// what it learned into carnet-out/.
#[derive(Debug, Parser)]
#[command(name = "carnet", version, arg_required_else_help = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// When to use colours.
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

/// What a command fails with.
#[derive(Debug)]
enum CommandError {
    /// A configuration, shown with its lines.
    Config(ConfigError),
    /// Anything else.
    Other(Error),
}

impl<F: crate::error::Failure> From<F> for CommandError {
    fn from(failure: F) -> Self {
        Self::Other(failure.into())
    }
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

type Outcome = Result<u8, CommandError>;

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    install_panic_hook();
    // Engines start this program again as their own helper, where nothing of the command line's trappings is wanted.
    let helper = engine::host::supervisor::run_if_requested()
        .or_else(engine::embedded::sandbox::run_if_requested)
        .or_else(cell_environ::run_if_requested);
    if let Some(code) = helper {
        return code;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::GOOD });
        }
    };
    init_tracing();
    let look = TerminalStyle::decide(arguments.color);
    let outcome = match arguments.command {
        Command::Check(command) => check::run(command, &look),
        Command::Scan(command) => scan::run(&command, &look),
        Command::Snapshot(command) => snapshot::run(&command),
        Command::Diff(command) => diff::run(&command, &look),
        Command::Plan(command) => plan::run(&command),
        Command::Report(command) => report::run(&command, &look),
        Command::Init(command) => init::run(&command),
        Command::Doctor(command) => doctor::run(&command),
        Command::Facilities(command) => facilities::run(&command),
        Command::Hook(command) => hook::run(&command, &look),
        Command::Clean(command) => clean::run(&command),
        Command::Rules(command) => rules::run(&command),
        Command::Schema(command) => schema::run(&command),
        Command::Cell(command) => cell::run(command, &look),
        Command::Completions(command) => completions::run(&command),
        Command::Man(command) => man::run(&command),
        Command::Ci(command) => ci::run(&command, &look),
    };
    ExitCode::from(outcome.unwrap_or_else(|error| fail(&error, &look)))
}

fn fail(error: &CommandError, look: &TerminalStyle) -> u8 {
    match error {
        CommandError::Config(error) => {
            message::config(error, look);
            exit::USAGE
        }
        CommandError::Other(error) => {
            message::error(error, look);
            error.kind().exit_code()
        }
    }
}

/// A bug of ours ends with its own exit code and a line that can be reported, not with a stack trace.
fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
        let payload = info.payload();
        let said = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        note(&format!("error: a bug of carnet {}{place}: {said}", env!("CARGO_PKG_VERSION")));
    }));
}

/// Diagnostics for developers, off unless `CARNET_LOG` asks for them.
fn init_tracing() {
    use tracing_subscriber::EnvFilter;
    let Ok(filter) = EnvFilter::try_from_env("CARNET_LOG") else { return };
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// The command line, for generated texts.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// A runtime for commands that wait for engines.
fn runtime() -> Result<tokio::runtime::Runtime, StartError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(StartError)
}

/// Cancels at the first signal that asks this process to end, and says so. For inside of a runtime.
fn stop_at_signal(cancel: CancellationToken, saying: &'static str) -> Result<JoinHandle<()>, StartError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(StartError)?;
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        note(saying);
        cancel.cancel();
    }))
}

/// Threads couldn't be started.
#[derive(Debug, thiserror::Error)]
#[error("threads can't be started here")]
struct StartError(#[source] std::io::Error);

impl crate::error::Failure for StartError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }
}

/// Standard output couldn't be written.
#[derive(Debug, thiserror::Error)]
#[error("writing standard output failed")]
struct PrintError(#[from] std::io::Error);

impl crate::error::Failure for PrintError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }
}

fn print(text: &str) -> Result<(), PrintError> {
    Ok(crate::ui::print(text)?)
}
