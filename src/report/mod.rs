//! Reports: one format a file, each rendered from the document (or a bare difference) and from nothing else.
//!
//! Whatever came out of a container or a repository is hostile here: every format passes it through [`crate::model::text::clean`]
//! and then escapes it in its own way.

use std::fmt;
use std::io::{self, Write};

use clap::ValueEnum;

use crate::error::{Failure, Kind};
use crate::model::diff::Diff;
use crate::model::document::Document;

pub mod badge;
mod cut;
pub mod github;
pub mod history;
mod html;
mod human;
pub mod json;
mod junit;
mod log;
mod markdown;
mod parallel;
pub mod plan;
pub mod scan;
mod sort;
mod summary;
mod table;

pub use cut::cut;
pub use log::{Output, outputs};

/// A form that a report can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, ValueEnum)]
pub enum Format {
    /// For a terminal.
    #[default]
    Human,
    /// A page that needs no network: the matrix, every cell's reason and evidence, environments, findings.
    Html,
    /// A badge (SVG): at how many facilities the analysis works, and when that was seen.
    Badge,
    /// Everything that was learned, as data.
    Json,
    /// JUnit XML: a suite a cell, or a rule of an audit.
    Junit,
    /// GitHub-flavoured Markdown.
    Markdown,
    /// SARIF 2.1.0 of the audit.
    Sarif,
    /// GitLab's Code Quality report of the audit.
    Gitlab,
    /// Annotations of GitHub Actions.
    Github,
}

impl Format {
    /// Those of a static audit.
    pub const OF_AUDIT: [Self; 7] =
        [Self::Human, Self::Json, Self::Junit, Self::Markdown, Self::Sarif, Self::Gitlab, Self::Github];
    /// Those of a bare difference.
    pub const OF_DIFFERENCE: [Self; 3] = [Self::Human, Self::Json, Self::Markdown];

    /// Those of lists.
    pub const OF_LISTS: [Self; 2] = [Self::Human, Self::Json];

    /// Name of the file among the reports of a check.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Human => "report.txt",
            Self::Html => "report.html",
            Self::Badge => "badge.svg",
            Self::Json => "carnet.json",
            Self::Junit => "junit.xml",
            Self::Markdown => "summary.md",
            Self::Sarif => "carnet.sarif",
            Self::Gitlab => "codequality.json",
            Self::Github => "annotations.txt",
        }
    }
}

/// The name it has on the command line.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

/// How a report is written. The JSON and JUnit forms depend on none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Colours, as ANSI escape sequences (human only).
    pub color: bool,
    /// Columns of the terminal; lines of the human form keep within it where names allow.
    pub width: usize,
    /// Only ASCII in what carnet itself writes (human only).
    pub ascii: bool,
    /// Differences that don't matter to the analysis are listed too instead of counted.
    pub all: bool,
}

impl Default for Options {
    /// No colours, 100 columns, any character, long tails counted.
    fn default() -> Self {
        Self { color: false, width: 100, ascii: false, all: false }
    }
}

/// Why a report couldn't be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A bare difference has no such form.
    #[error("a difference has no {0} form")]
    NoDifferenceForm(Format),
    /// The document was made without an audit.
    #[error("the document holds no audit, and its {0} form is of nothing else")]
    NoAudit(Format),
    /// An audit has no such form.
    #[error("an audit has no {0} form")]
    NoAuditForm(Format),
    /// The place the report goes to failed.
    #[error("the report can't be written")]
    Write(#[from] io::Error),
    /// The content has no form in JSON or XML: a bug.
    #[error("the report can't be put into its form: {0}")]
    Form(String),
}

impl Failure for ReportError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoDifferenceForm(_) | Self::NoAudit(_) | Self::NoAuditForm(_) => Kind::Usage,
            Self::Write(_) => Kind::Infrastructure,
            Self::Form(_) => Kind::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoDifferenceForm(_) => Some(choose(&Format::OF_DIFFERENCE)),
            Self::NoAuditForm(_) => Some(choose(&Format::OF_AUDIT)),
            Self::NoAudit(form) => Some(format!("make it with carnet scan --format {form}")),
            Self::Write(_) | Self::Form(_) => None,
        }
    }
}

fn choose(formats: &[Format]) -> String {
    let names: Vec<String> = formats.iter().map(Format::to_string).collect();
    format!("choose one of {}", names.join(", "))
}

/// Writes a document in a format.
///
/// # Errors
/// When `out` fails.
pub fn write(document: &Document, format: Format, options: &Options, out: &mut dyn Write) -> Result<(), ReportError> {
    match format {
        Format::Badge => Ok(out.write_all(badge::svg(document, &badge::Age::default()).as_bytes())?),
        Format::Html => html::write(document, &[], out),
        Format::Human => Ok(out.write_all(human::document(document, options).as_bytes())?),
        Format::Json => json::write(document, out),
        Format::Junit => junit::write(document, out),
        Format::Markdown => Ok(out.write_all(markdown::document(document, options).as_bytes())?),
        Format::Sarif | Format::Gitlab => audit(document, format, options, out),
        Format::Github => Ok(out.write_all(github::document(document).as_bytes())?),
    }
}

/// The audit in a document, with paths from the top of the repository, as CI systems want them.
fn audit(document: &Document, format: Format, options: &Options, out: &mut dyn Write) -> Result<(), ReportError> {
    let scan = document.scan.clone().ok_or(ReportError::NoAudit(format))?;
    let text = scan::render(format, &scan.below(&document.analysis.directory), options)?;
    Ok(out.write_all(text.as_bytes())?)
}

/// The page of a document as text, with a timeline when there are earlier or later states of the same analysis.
///
/// # Errors
/// As [`write()`].
pub fn page(document: &Document, past: &[history::State]) -> Result<String, ReportError> {
    let mut out = Vec::new();
    html::write(document, past, &mut out)?;
    String::from_utf8(out).map_err(|error| ReportError::Form(error.to_string()))
}

/// A document in a format, as text.
///
/// # Errors
/// As [`write()`].
pub fn render(document: &Document, format: Format, options: &Options) -> Result<String, ReportError> {
    let mut out = Vec::new();
    write(document, format, options, &mut out)?;
    String::from_utf8(out).map_err(|error| ReportError::Form(error.to_string()))
}

/// A bare difference in a format, as text.
///
/// # Errors
/// For formats that are about tests.
pub fn render_diff(diff: &Diff, format: Format, options: &Options) -> Result<String, ReportError> {
    match format {
        Format::Human => Ok(human::difference(diff, options)),
        Format::Json => json::difference(diff),
        Format::Markdown => Ok(markdown::difference(diff, options)),
        Format::Badge | Format::Html | Format::Junit | Format::Sarif | Format::Gitlab | Format::Github => {
            Err(ReportError::NoDifferenceForm(format))
        }
    }
}
