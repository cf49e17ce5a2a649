//! `carnet report`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::{Outcome, print};
use crate::diff::document::merge;
use crate::error::{Failure, Kind};
use crate::exit;
use crate::model::document::Document;
use crate::report::{self, ReportError};
use crate::ui::{Look, file};

/// Render saved documents; several are merged.
///
/// The documents of a matrix of jobs, one a facility, become one report.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Documents (carnet.json).
    #[arg(required = true, value_name = "DOC")]
    documents: Vec<PathBuf>,

    /// Format of the report.
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// Cell that the others are compared with, in place of the documents' own.
    #[arg(long, value_name = "CELL")]
    reference: Option<String>,

    /// File to write; by default standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Format {
    /// For a terminal.
    #[default]
    Human,
    /// The document itself.
    Json,
    /// JUnit XML: a suite a cell.
    Junit,
    /// GitHub-flavoured Markdown.
    Markdown,
}

impl Format {
    /// Name of the file that a check writes.
    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::Human => "report.txt",
            Self::Json => "carnet.json",
            Self::Junit => "junit.xml",
            Self::Markdown => "summary.md",
        }
    }

    fn of_report(self) -> report::Format {
        match self {
            Self::Human => report::Format::Human,
            Self::Json => report::Format::Json,
            Self::Junit => report::Format::Junit,
            Self::Markdown => report::Format::Markdown,
        }
    }
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

pub(super) fn run(arguments: &Arguments, look: &Look) -> Outcome {
    let documents: Result<Vec<Document>, DocumentError> = arguments.documents.iter().map(|path| read(path)).collect();
    let document = merge(documents?, arguments.reference.as_deref())?;
    let text = render(&document, arguments.format, look)?;
    match &arguments.output {
        Some(path) => file::write(path, text.as_bytes())?,
        None => print(&text)?,
    }
    Ok(exit::GOOD)
}

pub(super) fn read(path: &Path) -> Result<Document, DocumentError> {
    let bytes = std::fs::read(path).map_err(|error| DocumentError::new(path, error))?;
    report::json::read(&bytes).map_err(|error| DocumentError::new(path, error))
}

/// Renders a document as it looks best on these streams.
pub(super) fn render(document: &Document, format: Format, look: &Look) -> Result<String, ReportError> {
    let options = report::Options { color: look.color_out, width: look.width, ..report::Options::default() };
    report::render(document, format.of_report(), &options)
}
