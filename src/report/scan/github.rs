//! Annotations of GitHub Actions for an audit.

use super::annotation;
use super::annotation::{Annotation, Level, SourceRange};
use super::tally;
use crate::model::finding::{Finding, Severity};
use crate::model::scan::Scan;

/// One command a line.
pub(in super::super) fn render(scan: &Scan) -> String {
    annotation::render(&annotations(scan), "the other reports of the scan have them all")
}

/// One annotation for each finding that isn't suppressed, the worst first.
pub(in super::super) fn annotations(scan: &Scan) -> Vec<Annotation> {
    tally::reported(scan).iter().map(|finding| of(finding)).collect()
}

fn of(finding: &Finding) -> Annotation {
    let level = match finding.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Notice,
    };
    let place = (finding.path != ".").then(|| place(finding));
    Annotation { level, place, title: format!("carnet: {}", finding.rule), text: tally::sentences(finding) }
}

fn place(finding: &Finding) -> SourceRange {
    let line = u64::from(tally::line(finding));
    let mut place = SourceRange { file: finding.path.clone(), line, ..SourceRange::default() };
    if let Some(span) = finding.span {
        place.end_line = Some(u64::from(span.end_line));
        // Columns are taken only within one line.
        place.columns = (span.end_line == span.line).then_some((span.column, span.end_column));
    }
    place
}
