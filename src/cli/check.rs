//! `carnet check`.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use tokio::sync::{mpsc, oneshot};

use super::analysis::Cells;
use super::error::{CommandError, Outcome};
use super::fail_on::{FailOn, OF_CHECK, fail_on_parser};
use super::format::format_parser;
use super::output::{DEFAULT_OUT, create_report_dir, print_report, render, write_reports};
use super::runtime::{SignalHandler, runtime};
use crate::check;
use crate::check::Options;
use crate::model::document::Document;
use crate::model::engine::EngineKind;
use crate::report::Format;
use crate::ui::{Progress, TerminalStyle, file, note};

/// Run the tests in the image of every facility
///
/// Without a carnet.toml, carnet detects the tests and runs them on this machine.
///
/// The reports are written to the directory given by `--out`: carnet.json (the document from which all other reports are
/// generated), junit.xml, summary.md and report.html.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    cells: Cells,

    /// Engine for facilities that do not set one [default: the first available]
    #[arg(long, value_name = "ENGINE", value_parser = PossibleValuesParser::new(EngineKind::image_engines()))]
    engine: Option<String>,

    /// Maximum number of cells to run in parallel [default: one per processor, at most 4]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    #[command(flatten)]
    output: OutputArguments,

    /// Ignore cached setups and results
    #[arg(long)]
    fresh: bool,

    /// Do not show progress
    #[arg(long, short)]
    quiet: bool,
}

/// Arguments for the output of a check.
#[derive(Debug, clap::Args)]
pub(super) struct OutputArguments {
    /// Directory for the reports
    #[arg(long, short, value_name = "DIR", default_value = DEFAULT_OUT)]
    out: PathBuf,

    /// Format of the report on standard output
    #[arg(long, value_parser = format_parser(Format::ALL), default_value_t, value_name = "FORMAT")]
    format: Format,

    /// Lowest level that results in exit code 1
    #[arg(long, value_parser = fail_on_parser(OF_CHECK), default_value = "error", value_name = "LEVEL")]
    fail_on: FailOn,
}

pub(super) fn run(arguments: Arguments, style: &TerminalStyle) -> Outcome {
    let options = arguments.cells.options()?;
    let jobs = arguments.jobs.map_or(options.jobs, usize::from);
    let options = Options { engine: arguments.engine, fresh: arguments.fresh, jobs, ..options };
    check_and_report(&options, &arguments.output, arguments.quiet, style)
}

/// Runs a check, writes its reports, and prints one of them.
pub(super) fn check_and_report(
    options: &Options,
    output: &OutputArguments,
    quiet: bool,
    style: &TerminalStyle,
) -> Outcome {
    let document = run_check(options, quiet, &output.out, style)?;
    // Prints the report even if the reports can't be written.
    let written = write_reports(&document, &output.out, style);
    print_report(&render(&document, output.format, style)?, output.format)?;
    written?;
    if output.format == Format::Human && !quiet {
        note(&format!("reports written to {}", output.out.display()));
    }
    Ok(output.fail_on.check(&document))
}

/// Creates the directory for the reports and runs a check. If the check fails, removes the directory again, if it was
/// created here and is empty.
pub(super) fn run_check(
    options: &Options,
    quiet: bool,
    out: &Path,
    style: &TerminalStyle,
) -> Result<Document, CommandError> {
    // Created first, so that a long check does not fail at the end.
    let is_new = !out.exists();
    create_report_dir(out)?;
    let runtime = runtime()?;
    let document = runtime.block_on(run_with_progress(options, Progress::new(style, quiet)));
    // Does not wait for threads of the Docker client.
    runtime.shutdown_background();
    if document.is_err() && is_new {
        file::remove_empty_report_dir(out);
    }
    document
}

/// Runs the check and shows its progress.
async fn run_with_progress(options: &Options, mut progress: Progress) -> Result<Document, CommandError> {
    let (sender, mut events) = mpsc::unbounded_channel();
    let handler = SignalHandler::start("interrupted: stopping and writing the partial result")?;
    // Cells that did not stop still hold the sender when the check is abandoned.
    let (end, ended) = oneshot::channel::<()>();
    let display = tokio::spawn(async move {
        let mut ended = ended;
        loop {
            tokio::select! {
                biased;
                event = events.recv() => match event {
                    Some(event) => progress.show(&event),
                    None => break,
                },
                Ok(()) = &mut ended => break,
            }
        }
        progress.clear();
    });
    let document = check::check(options, sender, handler.interruption.clone()).await;
    if handler.interruption.abandon.is_cancelled() {
        let _ = end.send(());
    }
    let _ = display.await;
    handler.finish();
    document.map_err(CommandError::Other)
}
