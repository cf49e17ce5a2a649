//! `carnet check`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::report::Format;
use super::{CommandError, Outcome, print, report};
use crate::config::{self, Config};
use crate::exit;
use crate::model::document::{Document, Status};
use crate::model::verdict::{Verdict, verdict};
use crate::repo::git;
use crate::run::{self, Options};
use crate::ui::{Live, Look, file, note};

/// Engines that can be asked for.
pub(super) const ENGINES: [&str; 2] = ["docker", "embedded"];

/// Run the tests in every facility's image and report where they pass.
///
/// Without a carnet.toml the tests are detected and run on this machine. Reports go to the directory that --out names:
/// carnet.json (the document that all others are made of), junit.xml, summary.md and report.html.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directory of the analysis; its carnet.toml is looked for there and above, up to the top of the repository.
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,

    /// Run only this cell or all cells of this facility; may be given several times.
    #[arg(long = "cell", short = 'c', value_name = "NAME")]
    cells: Vec<String>,

    /// Engine for cells that name none: docker, embedded. By default the first that works and can take the image.
    #[arg(long, value_name = "ENGINE", value_parser = ENGINES)]
    engine: Option<String>,

    /// Cells that run at the same time; by default the number of processors, at most four.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// Directory for the reports.
    #[arg(long, short, value_name = "DIR", default_value = "carnet-out")]
    out: PathBuf,

    /// Format on standard output.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// What makes the exit code 1.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    fail_on: FailOn,

    /// Run everything: use no set-up and no result kept by earlier runs.
    #[arg(long)]
    fresh: bool,

    /// Show nothing while it runs.
    #[arg(long, short)]
    quiet: bool,
}

/// What makes a check fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum FailOn {
    /// A failed cell.
    #[default]
    Error,
    /// A failed cell, or one that passed only when tried again.
    Warning,
    /// Nothing.
    Never,
}

pub(super) fn run(arguments: Arguments, look: &Look) -> Outcome {
    let (top, config) = load(&arguments.path)?;
    let mut options = Options {
        only: arguments.cells.iter().cloned().collect(),
        engine: arguments.engine.clone(),
        fresh: arguments.fresh,
        ..Options::new(top, config)
    };
    options.jobs = arguments.jobs.map_or(options.jobs, usize::from);
    let asked = Asked { options, format: arguments.format, fail_on: arguments.fail_on, quiet: arguments.quiet };
    check(&asked, &arguments.out, look)
}

/// A check that was asked for, and how it is shown.
pub(super) struct Asked {
    pub(super) options: Options,
    pub(super) format: Format,
    pub(super) fail_on: FailOn,
    pub(super) quiet: bool,
}

/// Runs a check, writes its reports into `out`, and prints one of them.
pub(super) fn check(asked: &Asked, out: &Path, look: &Look) -> Outcome {
    let document = learn(&asked.options, asked.quiet, out, look)?;
    // Each of the two says what was learned when the other can't.
    let written = write(&document, out, look);
    print(&report::render(&document, asked.format, look)?)?;
    written?;
    if asked.format == Format::Human && !asked.quiet {
        note(&format!("reports in {}", out.display()));
    }
    Ok(code(&document, asked.fail_on))
}

/// Runs a check for which `out` is ready; a directory that the failure of the check left empty is removed.
pub(super) fn learn(options: &Options, quiet: bool, out: &Path, look: &Look) -> Result<Document, CommandError> {
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
pub(super) fn write(document: &Document, out: &Path, look: &Look) -> Result<(), CommandError> {
    file::out_directory(out)?;
    for format in [Format::Json, Format::Junit, Format::Markdown, Format::Html] {
        file::write(&out.join(format.file_name()), report::render(document, format, look)?.as_bytes())?;
    }
    Ok(())
}

/// The top of the analysis and its configuration.
pub(super) fn load(path: &Path) -> Result<(PathBuf, Config), CommandError> {
    let start = path.canonicalize().ok().filter(|path| path.is_dir());
    let start = start.ok_or_else(|| crate::repo::RepoError::NoDirectory { path: path.to_owned() })?;
    let facts = git::facts(&start);
    let Some(found) = config::discover(&start, facts.top.as_deref()) else {
        return Ok((start, Config::empty()));
    };
    let config = Config::load(&found).map_err(CommandError::Config)?;
    let top = found.parent().map_or(start, Path::to_owned);
    Ok((top, config))
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
    let document = run::check(options, sender, cancel).await;
    watcher.abort();
    let _ = shown.await;
    document.map_err(CommandError::Other)
}

pub(super) fn code(document: &Document, fail_on: FailOn) -> u8 {
    if document.interrupted {
        return exit::INTERRUPTED;
    }
    let flaky = document.cells.iter().any(|cell| cell.status == Status::Flaky);
    match (verdict(document), fail_on) {
        (Verdict::Analysis, FailOn::Never) => exit::GOOD,
        (Verdict::Good, FailOn::Warning) if flaky => exit::ANALYSIS,
        (verdict, _) => verdict.exit_code(),
    }
}
