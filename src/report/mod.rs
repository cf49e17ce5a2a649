//! Reports of a document, a scan or a comparison of environments. Each format is a row of the table in `format` and a module.
//!
//! Text from a container or a repository is untrusted: every format passes it through [`crate::model::text::clean`] and then
//! escapes it for its own syntax.

use std::io::{self, Write};

use crate::error::{Failure, Kind};
use crate::model::diff::Diff;
use crate::model::document::Document;
use crate::model::scan::Scan;

pub mod badge;
mod format;
pub mod github;
pub mod history;
mod html;
mod human;
pub mod json;
mod junit;
mod log;
mod markdown;
mod markup;
mod parallel;
pub mod plan;
mod scan;
mod sort;
mod summary;
mod table;
mod truncate;

pub use format::{Format, UnknownFormat};
pub use log::{Output, outputs};
pub use truncate::truncate;

/// Options of reports. JSON and JUnit ignore all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether to use colors, as ANSI escape sequences (human only).
    pub color: bool,
    /// Width of the terminal in columns (human only). Long names may exceed it.
    pub width: usize,
    /// Whether carnet's own text is ASCII only (human only).
    pub ascii: bool,
    /// Whether differences that are not relevant to the analysis are listed instead of counted.
    pub all: bool,
}

impl Default for Options {
    /// Returns no colors, 100 columns, Unicode, and counts instead of long lists.
    fn default() -> Self {
        Self { color: false, width: 100, ascii: false, all: false }
    }
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The format does not support comparisons of environments.
    #[error("comparisons can't be written as {0}")]
    NoDiffFormat(Format),
    /// The format contains only the scan, and the document has none.
    #[error("the {0} format requires a scan, and the document does not contain one")]
    NoScan(Format),
    /// The format does not support scans.
    #[error("scans can't be written as {0}")]
    NoScanFormat(Format),
    /// The output failed.
    #[error("failed to write the report")]
    Write(#[from] io::Error),
    /// The content could not be serialized: a bug.
    #[error("failed to serialize the report: {0}")]
    Form(String),
}

impl Failure for ReportError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoDiffFormat(_) | Self::NoScan(_) | Self::NoScanFormat(_) => Kind::Usage,
            Self::Write(_) => Kind::Infrastructure,
            Self::Form(_) => Kind::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoDiffFormat(_) => Some(format!("choose one of {}", format::list(&Format::for_diffs()))),
            Self::NoScanFormat(_) => Some(format!("choose one of {}", format::list(&Format::for_scans()))),
            Self::NoScan(format) => Some(format!("run carnet scan --format {format}")),
            Self::Write(_) | Self::Form(_) => None,
        }
    }
}

/// Writes a document in a format. A format that contains only the scan gets paths relative to the top of the repository,
/// as CI systems require. Returns what was shortened in the report because of its size, if anything.
///
/// # Errors
/// If `out` fails, or if the format requires a scan that the document does not contain.
pub fn write(
    document: &Document,
    format: Format,
    options: &Options,
    out: &mut dyn Write,
) -> Result<Option<String>, ReportError> {
    if let Some(write) = format.writers().document {
        return write(document, options, out);
    }
    let scan = document.scan.clone().ok_or(ReportError::NoScan(format))?;
    let text = render_scan(format, &scan.below(&document.analysis.directory), options)?;
    out.write_all(text.as_bytes())?;
    Ok(None)
}

/// Returns the HTML page of a document. A timeline shows the states of the same analysis in `past`, if there are any.
///
/// # Errors
/// As [`write()`].
pub fn page(document: &Document, past: &[history::State]) -> Result<String, ReportError> {
    let mut out = Vec::new();
    html::write(document, past, &mut out)?;
    text(out)
}

/// Renders a document in a format.
///
/// # Errors
/// As [`write()`].
pub fn render(document: &Document, format: Format, options: &Options) -> Result<String, ReportError> {
    let mut out = Vec::new();
    write(document, format, options, &mut out)?;
    text(out)
}

/// Renders a scan in a format. With `all`, the human format lists every finding and SARIF contains suppressed findings;
/// the other formats ignore the option.
///
/// # Errors
/// If the format does not support scans, or if the content cannot be serialized: a bug.
pub fn render_scan(format: Format, scan: &Scan, options: &Options) -> Result<String, ReportError> {
    let render = format.writers().scan.ok_or(ReportError::NoScanFormat(format))?;
    render(scan, options)
}

/// Renders a comparison of environments in a format.
///
/// # Errors
/// If the format does not support comparisons.
pub fn render_diff(diff: &Diff, format: Format, options: &Options) -> Result<String, ReportError> {
    let render = format.writers().diff.ok_or(ReportError::NoDiffFormat(format))?;
    render(diff, options)
}

fn text(bytes: Vec<u8>) -> Result<String, ReportError> {
    String::from_utf8(bytes).map_err(|error| ReportError::Form(error.to_string()))
}
