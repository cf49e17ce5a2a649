//! `carnet report`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::fail_on::FailOn;
use super::format::one_of;
use super::{Outcome, check, print};
use crate::diff::document::{MergeError, complete, merge};
use crate::error::{Failure, Kind};
use crate::exit;
use crate::model::document::Document;
use crate::model::matrix::{self, Matrix};
use crate::model::text;
use crate::report::badge::{self, Age};
use crate::report::history::State;
use crate::report::{self, Format, ReportError};
use crate::ui::{TerminalStyle, file};

/// Render saved documents; several are merged.
///
/// The documents of a matrix of jobs, one a facility, become one report. With --history the page (--format html) gets a
/// timeline: since when a cell is as it is, and what changed then.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Documents (carnet.json); directories are searched for them.
    #[arg(required_unless_present = "plan", value_name = "DOC")]
    documents: Vec<PathBuf>,

    /// What `carnet plan --format json` wrote: cells that no document has are errors.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// Format of the report.
    #[arg(long, short, value_parser = one_of(Format::ALL), default_value_t, value_name = "FORMAT")]
    format: Format,

    /// Cell that the others are compared with, in place of the documents' own.
    #[arg(long, value_name = "CELL")]
    reference: Option<String>,

    /// Documents of the same analysis in other states, for the timeline of the page.
    #[arg(long, value_name = "OLD", num_args = 1..)]
    history: Vec<PathBuf>,

    /// Days after which the badge says by its colour that the result is old.
    #[arg(long, value_name = "DAYS", default_value_t = badge::MAX_AGE)]
    max_age: u32,

    /// File to write; by default standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Directory to write all the reports into that a check writes.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// What makes the exit code 1; by default nothing, since a report was made.
    #[arg(long, value_enum, default_value_t = FailOn::Never, value_name = "LEVEL")]
    fail_on: FailOn,
}

/// A document that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
pub(super) struct DocumentError {
    path: PathBuf,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Failure for DocumentError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

impl DocumentError {
    pub(super) fn new(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { path: path.to_owned(), source: source.into() }
    }
}

pub(super) fn run(arguments: &Arguments, look: &TerminalStyle) -> Outcome {
    let documents = read_all(&arguments.documents)?;
    let mut document = merged(documents, arguments.reference.as_deref(), arguments.plan.is_some())?;
    if let Some(path) = &arguments.plan {
        document = Some(complete(document, &read_matrix(path)?)?);
    }
    let document = document.ok_or(MergeError::Nothing)?;
    let past = history(&document, arguments)?;
    let text = match arguments.format {
        Format::Html => report::page(&document, &past)?,
        Format::Badge => badge::svg(&document, &Age { now: Some(Timestamp::now()), max_days: arguments.max_age }),
        format => render(&document, format, look)?,
    };
    if let Some(dir) = &arguments.out {
        check::write(&document, dir, look)?;
        if !past.is_empty() {
            file::write(&dir.join(Format::Html.file_name()), report::page(&document, &past)?.as_bytes())?;
        }
    }
    match &arguments.output {
        Some(path) => file::write(path, text.as_bytes())?,
        None => print(&text)?,
    }
    match arguments.fail_on {
        FailOn::Never => Ok(exit::GOOD),
        level => Ok(level.check(&document)),
    }
}

/// The documents merged; none when there are none and that may be.
fn merged(
    documents: Vec<Document>,
    reference: Option<&str>,
    may_be_none: bool,
) -> Result<Option<Document>, MergeError> {
    match documents.is_empty() && may_be_none {
        true => Ok(None),
        false => merge(documents, reference).map(Some),
    }
}

/// Every document named, and every `carnet.json` below a directory named, in the order of their paths.
fn read_all(paths: &[PathBuf]) -> Result<Vec<Document>, DocumentError> {
    let mut documents = Vec::new();
    for path in paths {
        for path in find(path)? {
            documents.push(read(&path)?);
        }
    }
    Ok(documents)
}

/// The file itself, or every `carnet.json` below a directory, in the order of their paths.
pub(super) fn find(path: &Path) -> Result<Vec<PathBuf>, DocumentError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in ignore::WalkBuilder::new(path).standard_filters(false).sort_by_file_path(Path::cmp).build() {
        let entry = entry.map_err(|error| DocumentError::new(path, error))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) && entry.file_name() == "carnet.json" {
            found.push(entry.into_path());
        }
    }
    Ok(found)
}

pub(super) fn read_matrix(path: &Path) -> Result<Matrix, DocumentError> {
    let bytes = std::fs::read(path).map_err(|error| DocumentError::new(path, error))?;
    let matrix: Matrix = serde_json::from_slice(&bytes).map_err(|error| DocumentError::new(path, error))?;
    match matrix.schema == matrix::SCHEMA {
        true => Ok(matrix),
        false => Err(DocumentError::new(
            path,
            format!("its schema is `{}`, not `{}`", matrix.schema.escape_debug(), matrix::SCHEMA),
        )),
    }
}

/// What a timeline needs of each document; one at a time, since they are large.
fn history(document: &Document, arguments: &Arguments) -> Result<Vec<State>, DocumentError> {
    let Some(first) = arguments.history.first() else { return Ok(Vec::new()) };
    if arguments.format != Format::Html && arguments.out.is_none() {
        return Err(DocumentError::new(first, "a timeline is part of the page alone: add --format html"));
    }
    let name = &document.analysis.name;
    let state = |path: &PathBuf| {
        let old = read(path)?;
        if old.analysis.name == *name {
            return Ok(State::new(&old));
        }
        let other = text::one_line(&old.analysis.name, 80);
        let why = format!("it is of `{other}`, not of `{name}`: --history takes documents of one analysis");
        Err(DocumentError::new(path, why))
    };
    arguments.history.iter().map(state).collect()
}

pub(super) fn read(path: &Path) -> Result<Document, DocumentError> {
    let bytes = std::fs::read(path).map_err(|error| DocumentError::new(path, error))?;
    report::json::read(&bytes).map_err(|error| DocumentError::new(path, error))
}

/// Renders a document as it looks best on these streams.
pub(super) fn render(document: &Document, format: Format, look: &TerminalStyle) -> Result<String, ReportError> {
    let options = report::Options { color: look.color_out, width: look.width, ..report::Options::default() };
    report::render(document, format, &options)
}
