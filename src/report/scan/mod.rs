//! Reports of a static audit: one format a file, each rendered from [`Scan`] alone.

pub(super) mod annotation;
mod github;
mod gitlab;
mod human;
mod junit;
mod markdown;
mod sarif;
pub(super) mod tally;

use super::{Format, Options, ReportError};
use crate::model::canonical;
use crate::model::scan::Scan;

/// An audit in a format, as text. Of the options the human form knows all: with `all` it folds nothing. SARIF knows `all`
/// too, and then holds suppressed findings, marked as such. The others know none.
///
/// # Errors
/// For formats that are of tests alone. When the content has no form in JSON or XML: a bug.
pub fn render(format: Format, scan: &Scan, options: &Options) -> Result<String, ReportError> {
    match format {
        Format::Human => Ok(human::render(scan, options)),
        Format::Json => whole(scan),
        Format::Junit => junit::render(scan),
        Format::Markdown => Ok(markdown::render(scan)),
        Format::Sarif => sarif::render(scan, options.all),
        Format::Gitlab => gitlab::render(scan),
        Format::Github => Ok(github::render(scan)),
        Format::Html | Format::Badge => Err(ReportError::NoAuditForm(format)),
    }
}

/// The audit itself, canonical.
fn whole(scan: &Scan) -> Result<String, ReportError> {
    let mut out = Vec::new();
    super::json::write_scan(scan, &mut out)?;
    String::from_utf8(out).map_err(|error| ReportError::Form(error.to_string()))
}

/// What it found, as annotations.
pub(super) fn annotations(scan: &Scan) -> Vec<annotation::Annotation> {
    github::annotations(scan)
}

/// What it found, as a folded part of Markdown of at most about `room` bytes; none for nothing.
pub(super) fn part(scan: &Scan, room: usize) -> Option<String> {
    markdown::part(scan, room)
}

/// What it found, in a few words; none for nothing.
pub(super) fn sentence(scan: &Scan) -> Option<String> {
    tally::sentence(tally::reported(scan))
}

/// A value in canonical JSON.
fn json<T: serde::Serialize>(value: &T) -> Result<String, ReportError> {
    canonical::to_string(value).map_err(|error| ReportError::Form(error.to_string()))
}
