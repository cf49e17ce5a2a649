//! `carnet check`.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::analysis::Cells;
use super::fail_on::FailOn;
use super::{CommandError, Outcome, print, report};
use crate::check;
use crate::check::Options;
use crate::model::document::Document;
use crate::model::engine::EngineKind;
use crate::report::Format;
use crate::ui::{Live, TerminalStyle, file, note};

/// Run the tests in every facility's image and report where they pass.
///
/// Without a carnet.toml the tests are detected and run on this machine. Reports go to the directory that --out names:
/// carnet.json (the document that all others are made of), junit.xml, summary.md and report.html.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    cells: Cells,

    /// Engine for cells that name none: docker, embedded. By default the first that works and can take the image.
    #[arg(long, value_name = "ENGINE", value_parser = PossibleValuesParser::new(EngineKind::image_engines()))]
    engine: Option<String>,

    /// Cells that run at the same time; by default the number of processors, at most four.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    #[command(flatten)]
    shown: Shown,

    /// Run everything: use no set-up and no result kept by earlier runs.
    #[arg(long)]
    fresh: bool,

    /// Show nothing while it runs.
    #[arg(long, short)]
    quiet: bool,
}

/// How a check is reported.
#[derive(Debug, clap::Args)]
pub(super) struct Shown {
    /// Directory for the reports.
    #[arg(long, short, value_name = "DIR", default_value = "carnet-out")]
    out: PathBuf,

    /// Format on standard output.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// What makes the exit code 1.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    fail_on: FailOn,
}

pub(super) fn run(arguments: Arguments, look: &TerminalStyle) -> Outcome {
    let options = arguments.cells.options()?;
    let jobs = arguments.jobs.map_or(options.jobs, usize::from);
    let options = Options { engine: arguments.engine, fresh: arguments.fresh, jobs, ..options };
    check(&options, &arguments.shown, arguments.quiet, look)
}

/// Runs a check, writes its reports, and prints one of them.
pub(super) fn check(options: &Options, shown: &Shown, quiet: bool, look: &TerminalStyle) -> Outcome {
    let document = learn(options, quiet, &shown.out, look)?;
    // Each of the two says what was learned when the other can't.
    let written = write(&document, &shown.out, look);
    print(&report::render(&document, shown.format, look)?)?;
    written?;
    if shown.format == Format::Human && !quiet {
        note(&format!("reports in {}", shown.out.display()));
    }
    Ok(shown.fail_on.check(&document))
}

/// Runs a check for which `out` is ready; a directory that the failure of the check left empty is removed.
pub(super) fn learn(
    options: &Options,
    quiet: bool,
    out: &Path,
    look: &TerminalStyle,
) -> Result<Document, CommandError> {
    // Before anything is run: nobody wants to learn after an hour that it can't be written down.
    let is_new = !out.exists();
    file::out_directory(out)?;
    let runtime = super::runtime()?;
    let document = runtime.block_on(watch(options, Live::new(look, quiet)));
    // Threads of a daemon's client may still wait for something; nobody waits for them.
    runtime.shutdown_background();
    if document.is_err() && is_new {
        file::remove_out_directory(out);
    }
    document
}

/// Writes the reports.
pub(super) fn write(document: &Document, out: &Path, look: &TerminalStyle) -> Result<(), CommandError> {
    file::out_directory(out)?;
    for format in [Format::Json, Format::Junit, Format::Markdown, Format::Html] {
        file::write(&out.join(format.file_name()), report::render(document, format, look)?.as_bytes())?;
    }
    Ok(())
}

/// Runs the check, shows what happens, and stops everything at the first signal.
async fn watch(options: &Options, mut live: Live) -> Result<Document, CommandError> {
    let cancel = CancellationToken::new();
    let (sender, mut events) = mpsc::unbounded_channel();
    let watcher = super::stop_at_signal(cancel.clone(), "stopping: what was learned is kept")?;
    let shown = tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            live.show(&event);
        }
        live.clear();
    });
    let document = check::check(options, sender, cancel).await;
    watcher.abort();
    let _ = shown.await;
    document.map_err(CommandError::Other)
}
