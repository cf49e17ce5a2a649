//! Annotations of GitHub Actions: workflow commands on standard output.
//!
//! A step shows ten errors, ten warnings and ten notices, and drops the others without a word: of more, the worst nine are
//! written and a last one tells how many there are. What is written is escaped as the runner reads it, so that no text of a
//! repository begins a line or ends a property.

use std::fmt::Write as _;

use super::super::text::one_line;
use super::tally;
use crate::model::finding::{Finding, Severity};
use crate::model::scan::Scan;

/// Annotations of one kind that a step shows.
const MAX_OF_A_KIND: usize = 10;

/// One command a line.
pub(super) fn render(scan: &Scan) -> String {
    let findings = tally::reported(scan);
    let mut out = String::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let of_kind: Vec<&Finding> = findings.iter().copied().filter(|finding| finding.severity == severity).collect();
        let shown = if of_kind.len() > MAX_OF_A_KIND { MAX_OF_A_KIND - 1 } else { of_kind.len() };
        for finding in &of_kind[..shown] {
            out.push_str(&command(finding));
        }
        if shown < of_kind.len() {
            let (more, word) = (of_kind.len() - shown, severity.word());
            let text = format!("{more} more {word}s: the other reports of the scan have them all");
            // Writing into a string can't fail.
            let _ = writeln!(out, "::{} title=carnet scan::{}", name(severity), data(&text));
        }
    }
    out
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    }
}

fn command(finding: &Finding) -> String {
    let mut place = String::new();
    if finding.path != "." {
        place = format!("file={},line={},", property(&finding.path), tally::line(finding));
    }
    if let Some(span) = finding.span.filter(|_| !place.is_empty()) {
        let _ = write!(place, "endLine={},", span.end_line.max(span.line));
        // Columns are taken only within one line.
        if span.end_line == span.line {
            let _ = write!(place, "col={},endColumn={},", span.column, span.end_column.max(span.column));
        }
    }
    let title = property(&one_line(&format!("carnet: {}", finding.rule), 100));
    format!("::{} {place}title={title}::{}\n", name(finding.severity), data(&tally::sentences(finding)))
}

/// Text of a command. The older form of commands, `##[…]`, is looked for anywhere in a line.
fn data(text: &str) -> String {
    let text = one_line(text, 4000).replace("##[", "## [");
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Value of a property: the path as it is, apart from what would steer a terminal.
fn property(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("##[", "## [").chars() {
        match c {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            ':' => out.push_str("%3A"),
            ',' => out.push_str("%2C"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
