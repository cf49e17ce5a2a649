//! `carnet ci github`: the step of the GitHub Action.
//!
//! Output of tests and repositories is printed between `stop-commands` and its end token, so that it can't issue workflow
//! commands. carnet's own workflow commands follow the end token. Every run sets outputs and a summary, even if it fails.

mod hints;
mod inputs;
mod publish;

use std::path::{Path, PathBuf};

use super::super::analysis::load;
use super::super::check::run_check;
use super::super::error::{CommandError, Outcome, PrintError};
use super::super::output::{print, print_exact};
use super::super::print_error;
use super::merge::{MergedDocument, merge_documents};
use crate::check::Options;
use crate::error::{Failure, Kind};
use crate::exit;
use crate::report::{github, plan};
use crate::source::git::repository;
use crate::sys::{environment, secret};
use crate::ui::TerminalStyle;
use crate::ui::github::{Step, UntrustedLog};
use crate::{check, scan};
use inputs::{Inputs, Mode};
use publish::Publisher;

/// Run the step of the GitHub Action
///
/// The step reads its inputs from the variables INPUT_*, and writes outputs and a summary to the files of the runner.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

/// The step runs in place, but several cells are selected.
#[derive(Debug, thiserror::Error)]
#[error("`engine: none` requires a single cell, but `cells` selects {}", cells.join(", "))]
struct SeveralCellsError {
    cells: Vec<String>,
}

impl Failure for SeveralCellsError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("select one cell, or remove `engine` to let carnet start the images".to_owned())
    }
}

pub(super) fn run(_: &Arguments, style: &TerminalStyle) -> Outcome {
    let step = Step::from_env();
    // The log is not a terminal, but GitHub renders colors in it.
    let color = environment::non_empty_os("NO_COLOR").is_none();
    let style = TerminalStyle { color_out: color, color_err: color, ..*style };
    step.set_output("version", env!("CARGO_PKG_VERSION"))?;
    let inputs = Inputs::read(|name| environment::var_os(name).map(|value| value.to_string_lossy().into_owned()));
    let outcome = inputs.map_err(CommandError::from).and_then(|inputs| run_mode(&inputs, &step, &style));
    outcome.or_else(|error| report_failure(&error, &step, &style))
}

fn run_mode(inputs: &Inputs, step: &Step, style: &TerminalStyle) -> Outcome {
    let publisher = Publisher { inputs, step, style };
    match inputs.mode {
        Mode::Check | Mode::Cell => run_cells(&publisher),
        Mode::Scan => run_scan(&publisher),
        Mode::Plan => run_plan(&publisher),
        Mode::Merge => run_merge(&publisher),
    }
}

/// Reports an error in the log, as an annotation, in the summary and in the outputs.
fn report_failure(error: &CommandError, step: &Step, style: &TerminalStyle) -> Outcome {
    let untrusted = UntrustedLog::begin()?;
    let code = print_error(error, style);
    drop(untrusted);
    let (message, hint, location) = match error {
        CommandError::Config(error) => {
            let first = error.problems.first();
            let line = first.map_or(1, |problem| error.position(problem.span.start).0);
            let message = first.map_or_else(|| error.to_string(), |problem| problem.message.clone());
            let hint = first.and_then(|problem| problem.help.clone());
            (message, hint, Some((path_in_workspace(&error.file), line as u64)))
        }
        CommandError::Other(error) => (error.message(), error.hint(), None),
    };
    let redactor = secret::redactor();
    let (message, hint) = (redactor.redact(&message), hint.as_ref().map(|hint| redactor.redact(hint)));
    let location = location.as_ref().map(|(file, line)| (file.as_str(), *line));
    print_exact(&github::failure(&message, hint.as_deref(), location))?;
    step.add_summary(&github::failure_summary(&message, hint.as_deref()))?;
    step.set_output("status", if code == exit::NOTHING_TO_CHECK { "nothing" } else { "error" })?;
    Ok(code)
}

/// Returns the path relative to the workspace, as annotations require.
fn path_in_workspace(path: &Path) -> String {
    let workspace = environment::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let inner = workspace.as_ref().and_then(|top| path.strip_prefix(top).ok()).unwrap_or(path);
    inner.to_string_lossy().into_owned()
}

fn check_options(inputs: &Inputs) -> Result<Options, CommandError> {
    let (top, config) = load(&inputs.path)?;
    let mut options = Options {
        only: inputs.cells.clone(),
        engine: inputs.engine.name().map(str::to_owned),
        in_place: inputs.is_in_place(),
        scan: inputs.mode == Mode::Check,
        ..Options::new(top, config)
    };
    options.jobs = inputs.jobs.map_or(options.jobs, usize::from);
    Ok(options)
}

/// Writes a warning as an annotation.
fn warn(text: &str) -> Result<(), PrintError> {
    print_exact(&github::warning(&secret::redactor().redact(text)))
}

/// Runs the modes `check` and `cell`.
fn run_cells(publisher: &Publisher<'_>) -> Outcome {
    let inputs = publisher.inputs;
    let untrusted = UntrustedLog::begin()?;
    let options = check_options(inputs)?;
    let matrix = check::matrix::matrix(&options)?;
    if options.in_place && matrix.cells.len() != 1 {
        return Err(SeveralCellsError { cells: matrix.cells.into_iter().map(|cell| cell.id).collect() }.into());
    }
    let disk_warning = hints::low_disk_space(&matrix).filter(|_| !options.in_place);
    let mut document = run_check(&options, false, &inputs.out, publisher.style)?;
    hints::add(&mut document, &matrix, options.in_place);
    publisher.print_document(&document)?;
    drop(untrusted);
    publisher.print_test_output(&document)?;
    if let Some(warning) = disk_warning {
        warn(&warning)?;
    }
    publisher.publish_document(&document, &|_| true)
}

/// Runs the mode `scan`.
fn run_scan(publisher: &Publisher<'_>) -> Outcome {
    let untrusted = UntrustedLog::begin()?;
    let (top, config) = load(&publisher.inputs.path)?;
    let directory = repository::path_in_repository(&top);
    let configured = scan::Options::new(top, &config);
    let jobs = publisher.inputs.jobs.map_or(configured.jobs, usize::from);
    let scan = scan::run_configured(scan::Options { jobs, ..configured }, &config)?;
    publisher.print_scan(&scan)?;
    drop(untrusted);
    publisher.publish_scan(&scan, &directory)
}

/// Runs the mode `plan`.
fn run_plan(publisher: &Publisher<'_>) -> Outcome {
    let matrix = check_options(publisher.inputs).and_then(|options| Ok(check::matrix::matrix(&options)?));
    let matrix = match matrix {
        Ok(matrix) => matrix,
        Err(error) => {
            // A workflow that ignores the failure needs a valid matrix.
            publisher.publish_plan("{\"include\":[]}", 0)?;
            return Err(error);
        }
    };
    let untrusted = UntrustedLog::begin()?;
    print(&plan::human(&matrix))?;
    drop(untrusted);
    publisher.publish_plan(plan::github::render(&matrix)?.trim_end(), plan::github::jobs(&matrix))?;
    publisher.step.set_output("status", "passed")?;
    Ok(exit::GOOD)
}

/// Runs the mode `merge`.
fn run_merge(publisher: &Publisher<'_>) -> Outcome {
    let inputs = publisher.inputs;
    let untrusted = UntrustedLog::begin()?;
    let options = check_options(inputs)?;
    let matrix = check::matrix::matrix(&options)?;
    // The directory does not exist if no job started.
    let dir = inputs.documents.as_deref().unwrap_or(Path::new(""));
    let MergedDocument { document, reported_cells, skipped } = merge_documents(dir, &matrix, &options)?;
    publisher.print_document(&document)?;
    drop(untrusted);
    for reason in skipped {
        warn(&format!("skipped a document: {reason}; its cells are reported as missing"))?;
    }
    // The jobs of the cells have already created annotations for their results.
    publisher.publish_document(&document, &|cell| !reported_cells.contains(&cell.id))
}
