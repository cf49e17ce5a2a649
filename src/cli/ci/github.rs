//! `carnet ci github`: the step of the GitHub Action.
//!
//! What tests and repositories say reaches the log only between `stop-commands` and its end; what carnet itself has to say
//! to the runner comes after it. Every outcome leaves outputs and a summary, also a failure of carnet.

mod input;
mod need;
mod publish;

use std::path::{Path, PathBuf};

use super::super::analysis::load;
use super::super::check::learn;
use super::super::{CommandError, Outcome, fail, print};
use super::merge::{Merged, merged};
use crate::check::Options;
use crate::error::{Failure, Kind};
use crate::exit;
use crate::report::{github, plan};
use crate::source::git::repository;
use crate::ui::TerminalStyle;
use crate::ui::github::{Quoted, Step};
use crate::{check, scan};
use input::{Inputs, Mode};
use publish::Publisher;

/// The step of the GitHub Action.
///
/// Its inputs are the variables INPUT_*; it writes outputs and the summary to the files that the runner names.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

/// A step that runs where it stands and was given more than one cell.
#[derive(Debug, thiserror::Error)]
#[error("engine none runs one cell where the step stands, and `cells` names {}", cells.join(", "))]
struct ManyError {
    cells: Vec<String>,
}

impl Failure for ManyError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("name one cell, or leave the engine out so that carnet starts the images itself".to_owned())
    }
}

pub(super) fn run(_: &Arguments, look: &TerminalStyle) -> Outcome {
    let step = Step::from_env();
    // The log is no terminal, and shows colours all the same.
    let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let look = TerminalStyle { color_out: color, color_err: color, ..*look };
    step.set("version", env!("CARGO_PKG_VERSION"))?;
    let inputs = Inputs::read(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()));
    let done = inputs.map_err(CommandError::from).and_then(|inputs| act(&inputs, &step, &look));
    done.or_else(|error| failed(&error, &step, &look))
}

fn act(inputs: &Inputs, step: &Step, look: &TerminalStyle) -> Outcome {
    let publisher = Publisher { inputs, step, look };
    match inputs.mode {
        Mode::Check | Mode::Cell => check(&publisher),
        Mode::Scan => audit(&publisher),
        Mode::Plan => planned(&publisher),
        Mode::Merge => merge(&publisher),
    }
}

/// What carnet could not do, as the log, an annotation, the summary and the outputs have it.
fn failed(error: &CommandError, step: &Step, look: &TerminalStyle) -> Outcome {
    let quoted = Quoted::begin()?;
    let code = fail(error, look);
    drop(quoted);
    let (message, hint, place) = match error {
        CommandError::Config(error) => {
            let first = error.problems.first();
            let line = first.map_or(1, |problem| error.place(problem.span.start).0);
            let message = first.map_or_else(|| error.to_string(), |problem| problem.message.clone());
            (
                message,
                first.and_then(|problem| problem.help.clone()),
                Some((within_workspace(&error.file), line as u64)),
            )
        }
        CommandError::Other(error) => (error.message(), error.hint(), None),
    };
    let place = place.as_ref().map(|(file, line)| (file.as_str(), *line));
    print(&github::failure(&message, hint.as_deref(), place))?;
    step.summarise(&github::failure_summary(&message, hint.as_deref()))?;
    step.set("status", if code == exit::NOTHING { "nothing" } else { "error" })?;
    Ok(code)
}

/// A path as annotations want it: from the directory that the repository was checked out into.
fn within_workspace(path: &Path) -> String {
    let workspace = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let inner = workspace.as_ref().and_then(|top| path.strip_prefix(top).ok()).unwrap_or(path);
    inner.to_string_lossy().into_owned()
}

fn options(inputs: &Inputs) -> Result<Options, CommandError> {
    let (top, config) = load(&inputs.path)?;
    let mut options = Options {
        only: inputs.cells.clone(),
        engine: inputs.engine.name().map(str::to_owned),
        in_place: inputs.in_place(),
        audit: inputs.mode == Mode::Check,
        ..Options::new(top, config)
    };
    options.jobs = inputs.jobs.map_or(options.jobs, usize::from);
    Ok(options)
}

fn check(publisher: &Publisher<'_>) -> Outcome {
    let inputs = publisher.inputs;
    let quoted = Quoted::begin()?;
    let options = options(inputs)?;
    let matrix = check::matrix::matrix(&options)?;
    if options.in_place && matrix.cells.len() != 1 {
        return Err(ManyError { cells: matrix.cells.into_iter().map(|cell| cell.id).collect() }.into());
    }
    let tight = need::tight(&matrix).filter(|_| !options.in_place);
    let mut document = learn(&options, false, &inputs.out, publisher.look)?;
    need::explain(&mut document, &matrix, options.in_place);
    publisher.print(&document)?;
    drop(quoted);
    publisher.print_outputs(&document)?;
    if let Some(said) = tight {
        print(&github::warning(&said))?;
    }
    publisher.document(&document, &|_| true)
}

fn audit(publisher: &Publisher<'_>) -> Outcome {
    let quoted = Quoted::begin()?;
    let (top, config) = load(&publisher.inputs.path)?;
    let below = repository::below(&top);
    let configured = scan::Options::new(top, &config);
    let jobs = publisher.inputs.jobs.map_or(configured.jobs, usize::from);
    let scan = scan::run_configured(scan::Options { jobs, ..configured }, &config)?;
    publisher.print_scan(&scan)?;
    drop(quoted);
    publisher.scan(&scan, &below)
}

fn planned(publisher: &Publisher<'_>) -> Outcome {
    let matrix = options(publisher.inputs).and_then(|options| Ok(check::matrix::matrix(&options)?));
    let matrix = match matrix {
        Ok(matrix) => matrix,
        Err(error) => {
            // A workflow that goes on all the same finds a matrix of nothing, not one that can't be read.
            publisher.plan("{\"include\":[]}", 0)?;
            return Err(error);
        }
    };
    let quoted = Quoted::begin()?;
    print(&plan::human(&matrix))?;
    drop(quoted);
    publisher.plan(plan::github::render(&matrix)?.trim_end(), plan::github::jobs(&matrix))?;
    publisher.step.set("status", "passed")?;
    Ok(exit::GOOD)
}

fn merge(publisher: &Publisher<'_>) -> Outcome {
    let inputs = publisher.inputs;
    let quoted = Quoted::begin()?;
    let options = options(inputs)?;
    let matrix = check::matrix::matrix(&options)?;
    // None came when there is no directory, as when no job of a cell began.
    let dir = inputs.documents.as_deref().unwrap_or(Path::new(""));
    let Merged { document, came, left_out } = merged(dir, &matrix, &options)?;
    publisher.print(&document)?;
    drop(quoted);
    for one in left_out {
        print(&github::warning(&format!("{one}; its cells count as missing")))?;
    }
    // What the jobs of the cells have told already is told once.
    publisher.document(&document, &|cell| !came.contains(&cell.id))
}
