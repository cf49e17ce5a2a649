//! Prints text and writes reports.

use std::path::Path;

use super::error::{CommandError, PrintError};
use crate::model::canonical;
use crate::model::document::Document;
use crate::report::plan::gitlab::KIT;
use crate::report::{self, Format, ReportError};
use crate::sys::file::Links;
use crate::ui::file::{self, ReportDir, WriteError};
use crate::ui::{self, TerminalStyle, note};

/// Prints text for readers to standard output.
pub(super) fn print(text: &str) -> Result<(), PrintError> {
    Ok(ui::print(text)?)
}

/// Prints text for programs to standard output, unchanged.
pub(super) fn print_exact(text: &str) -> Result<(), PrintError> {
    Ok(ui::print_exact(text)?)
}

/// Prints a report to standard output.
pub(super) fn print_report(text: &str, format: Format) -> Result<(), PrintError> {
    if format == Format::Human { print(text) } else { print_exact(text) }
}

/// Writes text to a file, or prints it to standard output with `print`.
pub(super) fn print_or_write(
    text: &str,
    file: Option<&Path>,
    print: impl Fn(&str) -> Result<(), PrintError>,
) -> Result<(), CommandError> {
    match file {
        Some(path) => Ok(file::write_given(path, text.as_bytes())?),
        None => Ok(print(text)?),
    }
}

/// Returns a value as canonical JSON.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, PrintError> {
    canonical::to_string(value).map_err(|error| PrintError(error.into()))
}

/// Returns report options for this terminal.
pub(super) fn report_options(style: &TerminalStyle) -> report::Options {
    report::Options { color: style.color_out, width: style.width, ..report::Options::default() }
}

/// Renders a document for this terminal. Prints a note to standard error if the report was shortened.
pub(super) fn render(document: &Document, format: Format, style: &TerminalStyle) -> Result<String, CommandError> {
    let mut out = Vec::new();
    if let Some(shortened) = report::write(document, format, &report_options(style), &mut out)? {
        note(&format!("{}: {shortened}", format.file_name()));
    }
    Ok(String::from_utf8(out).map_err(|error| ReportError::Form(error.to_string()))?)
}

/// Default directory for reports.
pub(super) const DEFAULT_OUT: &str = "carnet-out";

/// Creates a directory for reports. The default directory may not be a link, because a repository can contain the link.
pub(super) fn create_report_dir(out: &Path) -> Result<ReportDir, WriteError> {
    let is_default = [DEFAULT_OUT, KIT].iter().any(|dir| out == Path::new(dir));
    ReportDir::create(out, if is_default { Links::Refuse } else { Links::Follow })
}

/// Writes the reports of a check to a directory, which is returned.
pub(super) fn write_reports(document: &Document, out: &Path, style: &TerminalStyle) -> Result<ReportDir, CommandError> {
    let dir = create_report_dir(out)?;
    for format in [Format::Json, Format::Junit, Format::Markdown, Format::Html] {
        dir.write(format.file_name(), render(document, format, style)?.as_bytes())?;
    }
    Ok(dir)
}
