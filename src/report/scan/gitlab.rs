//! GitLab Code Quality report: a JSON array of issues with fingerprints that do not depend on line numbers.
//!
//! GitLab stops at the first invalid entry and shows only one of several entries with the same fingerprint, so every entry is
//! complete and every fingerprint unique.

use std::collections::BTreeSet;

use serde::Serialize;

use super::super::ReportError;
use super::tally;
use crate::model::digest::Digest;
use crate::model::finding::Severity;
use crate::model::scan::Scan;
use crate::model::text::one_line;

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// Renders the findings that are not suppressed, the most severe first.
pub(in super::super) fn render(scan: &Scan) -> Result<String, ReportError> {
    let mut taken = BTreeSet::new();
    let issues: Vec<Issue<'_>> = tally::reported(scan)
        .into_iter()
        .map(|finding| Issue {
            description: one_line(&tally::sentences(finding), 2000),
            check_name: &finding.rule,
            fingerprint: unique(&finding.fingerprint, &mut taken),
            severity: match finding.severity {
                Severity::Error => "critical",
                Severity::Warning => "minor",
                Severity::Note => "info",
            },
            location: Location { path: &finding.path, lines: Lines { begin: tally::line(finding) } },
        })
        .collect();
    super::json(&issues)
}

/// Returns the fingerprint, or one derived from it if another finding has the same.
fn unique(fingerprint: &str, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = fingerprint.to_owned();
    while candidate.is_empty() || !taken.insert(candidate.clone()) {
        candidate = Digest::of(format!("again {candidate}").as_bytes()).hex().chars().take(32).collect();
    }
    candidate
}
