//! `carnet report`.

use std::path::PathBuf;

use super::document_file::{DocumentError, DocumentReader, find, read, read_matrix};
use super::error::{CommandError, Outcome};
use super::fail_on::{FailOn, OF_REPORT, fail_on_parser};
use super::format::format_parser;
use super::output::{print_or_write, print_report, render, write_reports};
use crate::diff::document::{MergeError, complete, merge};
use crate::error::{Failure, Kind};
use crate::exit;
use crate::model::document::Document;
use crate::model::text;
use crate::report::badge::{self, Age};
use crate::report::history::State;
use crate::report::{self, Format};
use crate::sys::clock;
use crate::ui::TerminalStyle;

/// Render saved documents
///
/// Several documents are merged into one report, for example the documents of parallel CI jobs.
///
/// With `--history`, the HTML page contains a timeline of the status of each cell.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Documents (carnet.json), or directories that contain them
    #[arg(required_unless_present = "plan", value_name = "DOCUMENT")]
    documents: Vec<PathBuf>,

    /// Matrix from `carnet plan --format json`; missing cells are reported as errors
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// Format of the report
    #[arg(long, short, value_parser = format_parser(Format::ALL), default_value_t, value_name = "FORMAT")]
    format: Format,

    /// Cell to compare the other cells with [default: the reference of the documents]
    #[arg(long, value_name = "CELL")]
    reference: Option<String>,

    /// Older documents of the same analysis, for the timeline of the HTML page
    #[arg(long, value_name = "DOCUMENT", num_args = 1..)]
    history: Vec<PathBuf>,

    /// Number of days after which the badge marks the result as outdated
    #[arg(long, value_name = "DAYS", default_value_t = badge::MAX_AGE)]
    max_age: u32,

    /// Write the report to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Also write all reports of a check to this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Lowest level that results in exit code 1
    #[arg(long, value_parser = fail_on_parser(OF_REPORT), default_value = "never", value_name = "LEVEL")]
    fail_on: FailOn,
}

/// A timeline was requested, but no HTML page.
#[derive(Debug, thiserror::Error)]
#[error("`--history` requires `--format html` or `--out`")]
struct NoTimelineError;

impl Failure for NoTimelineError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

pub(super) fn run(arguments: &Arguments, style: &TerminalStyle) -> Outcome {
    let documents = read_all(&arguments.documents)?;
    let mut document = match documents.is_empty() && arguments.plan.is_some() {
        true => None,
        false => Some(merge(documents, arguments.reference.as_deref())?),
    };
    if let Some(path) = &arguments.plan {
        document = Some(complete(document, &read_matrix(path)?)?);
    }
    let document = document.ok_or(MergeError::Nothing)?;
    if !arguments.history.is_empty() && arguments.format != Format::Html && arguments.out.is_none() {
        return Err(CommandError::from(NoTimelineError));
    }
    let history = read_history(&document, &arguments.history)?;
    let text = match arguments.format {
        Format::Html => report::page(&document, &history)?,
        Format::Badge => badge::svg(&document, &Age { now: Some(clock::now()), max_days: arguments.max_age }),
        format => render(&document, format, style)?,
    };
    if let Some(dir) = &arguments.out {
        let dir = write_reports(&document, dir, style)?;
        if !history.is_empty() {
            dir.write(Format::Html.file_name(), report::page(&document, &history)?.as_bytes())?;
        }
    }
    print_or_write(&text, arguments.output.as_deref(), |text| print_report(text, arguments.format))?;
    match arguments.fail_on {
        FailOn::Never => Ok(exit::GOOD),
        level => Ok(level.check(&document)),
    }
}

/// Reads every document, and every `carnet.json` in the directories.
fn read_all(paths: &[PathBuf]) -> Result<Vec<Document>, DocumentError> {
    let mut documents = Vec::new();
    let mut reader = DocumentReader::default();
    for path in paths {
        for path in find(path)? {
            documents.push(reader.read(&path)?);
        }
    }
    Ok(documents)
}

/// Reads the older documents one at a time, because they are large, and returns their states for the timeline.
fn read_history(document: &Document, paths: &[PathBuf]) -> Result<Vec<State>, DocumentError> {
    let name = &document.analysis.name;
    let state = |path: &PathBuf| {
        let older = read(path)?;
        if older.analysis.name == *name {
            return Ok(State::new(&older));
        }
        let other = text::one_line(&older.analysis.name, 80);
        let reason = format!("the document describes analysis `{other}`, not `{name}`");
        Err(DocumentError::new(path, reason))
    };
    paths.iter().map(state).collect()
}
