//! Prints text and writes reports.

use std::path::Path;

use super::error::{CommandError, PrintError};
use crate::model::canonical;
use crate::model::document::Document;
use crate::report::{self, Format, ReportError};
use crate::ui::{self, TerminalStyle, file};

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
        Some(path) => Ok(file::write(path, text.as_bytes())?),
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

/// Renders a document for this terminal.
pub(super) fn render(document: &Document, format: Format, style: &TerminalStyle) -> Result<String, ReportError> {
    report::render(document, format, &report_options(style))
}

/// Writes the reports of a check to a directory.
pub(super) fn write_reports(document: &Document, out: &Path, style: &TerminalStyle) -> Result<(), CommandError> {
    file::create_report_dir(out)?;
    for format in [Format::Json, Format::Junit, Format::Markdown, Format::Html] {
        file::write(&out.join(format.file_name()), render(document, format, style)?.as_bytes())?;
    }
    Ok(())
}
