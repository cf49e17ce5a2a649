//! GitHub Actions annotations of a scan.

use super::annotation::{Annotation, Level, SourceRange};
use super::tally;
use crate::model::finding::{Finding, Severity};
use crate::model::scan::Scan;

/// Renders the annotations, one command per line.
pub(in super::super) fn render(scan: &Scan) -> String {
    super::annotation::render(&annotations(scan), "see the other reports of the scan")
}

/// Returns one annotation per finding that is not suppressed, the most severe first.
pub(in super::super) fn annotations(scan: &Scan) -> Vec<Annotation> {
    tally::reported(scan).iter().map(|finding| annotation(finding)).collect()
}

fn annotation(finding: &Finding) -> Annotation {
    let level = match finding.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Notice,
    };
    let range = (finding.path != ".").then(|| range(finding));
    Annotation { level, range, title: format!("carnet: {}", finding.rule), text: tally::sentences(finding) }
}

fn range(finding: &Finding) -> SourceRange {
    let line = u64::from(tally::line(finding));
    let mut range = SourceRange { file: finding.path.clone(), line, ..SourceRange::default() };
    if let Some(span) = finding.span {
        range.end_line = Some(u64::from(span.end_line));
        // GitHub accepts columns only within one line.
        range.columns = (span.end_line == span.line).then_some((span.column, span.end_column));
    }
    range
}
