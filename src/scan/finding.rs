//! Converts the diagnostics of rules to findings: locations, groups, fingerprints.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::grouping::Kind;
use super::lines::Lines;
use crate::model::finding::{Finding, Fix, Location, MAX_LOCATIONS, Severity, Span};
use crate::model::scan::Note;
use crate::scan::rules::committed_credential::masked;
use crate::scan::rules::{Diagnostic, Rule};
use crate::scan::suppress::fingerprint::Fingerprints;
use crate::source::lang::View;

/// Maximum number of separate findings of one rule, severity and group in one file. More are merged into one.
const MAX_SEPARATE: usize = 8;

/// Maximum number of findings of one rule and severity in one file. The rest is counted in a note.
const MAX_FINDINGS: usize = 500;

/// The file of the diagnostics.
pub(super) struct FileScope<'a> {
    pub(super) path: &'a str,
    pub(super) lines: Lines<'a>,
    pub(super) view: &'a View<'a>,
    pub(super) kinds: &'a [Kind],
}

impl FileScope<'_> {
    fn in_file(&self, range: &Range<usize>) -> Range<usize> {
        let map = &self.view.map;
        let start = map.in_file(range.start);
        let end = if range.end > range.start { map.in_file(range.end - 1) + 1 } else { start };
        start..end.max(start)
    }

    /// Returns the kind of match that contains a range.
    fn kind(&self, range: &Range<usize>) -> Option<&Kind> {
        let next = self.kinds.partition_point(|kind| kind.first.range.start <= range.start);
        let kind = &self.kinds[next.checked_sub(1)?];
        (range.start < kind.first.range.end).then_some(kind)
    }
}

/// Returns the findings of a file, sorted by location.
pub(super) fn from_file(scope: &FileScope<'_>, diagnostics: Vec<(&'static Rule, Diagnostic)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut groups: BTreeMap<_, Vec<(&'static Rule, Diagnostic)>> = BTreeMap::new();
    for (rule, diagnostic) in diagnostics {
        if diagnostic.group.is_empty() {
            findings.push(single(scope, rule, diagnostic));
        } else {
            let severity = diagnostic.severity.unwrap_or(rule.severity);
            groups.entry((rule.id, severity, diagnostic.group.clone())).or_default().push((rule, diagnostic));
        }
    }
    for members in groups.into_values() {
        let is_list = members.iter().any(|(_, diagnostic)| occurrences(scope, diagnostic) > 1);
        if is_list || members.len() > MAX_SEPARATE {
            findings.extend(merged(scope, members));
        } else {
            findings.extend(members.into_iter().map(|(rule, diagnostic)| single(scope, rule, diagnostic)));
        }
    }
    super::sort(&mut findings);
    // Two readers of a file may produce the same finding.
    findings.dedup_by(|a, b| a.rule == b.rule && a.span == b.span && a.message == b.message && a.count == b.count);
    findings
}

fn occurrences(scope: &FileScope<'_>, diagnostic: &Diagnostic) -> u64 {
    diagnostic.range.as_ref().and_then(|range| scope.kind(range)).map_or(1, |kind| kind.count)
}

fn single(scope: &FileScope<'_>, rule: &Rule, diagnostic: Diagnostic) -> Finding {
    let range = diagnostic.range.as_ref().map(|range| scope.in_file(range));
    let edit = diagnostic.edit.as_ref().map(|edit| {
        let range = scope.in_file(&edit.range);
        let (start, end) = (range.start as u64, range.end as u64);
        Fix { title: edit.title.clone(), start, end, replacement: edit.replacement.clone() }
    });
    let span = range.clone().map(|range| scope.lines.span(range));
    let source = range.map(|range| scope.lines.text(range.start));
    Finding { span, source, fix: edit, ..new_finding(rule, diagnostic, scope.path) }
}

/// Merges the diagnostics of a group into one finding.
fn merged(scope: &FileScope<'_>, members: Vec<(&'static Rule, Diagnostic)>) -> Option<Finding> {
    let mut locations = Vec::new();
    let mut count = 0_u64;
    for (_, diagnostic) in &members {
        let Some(range) = &diagnostic.range else { continue };
        match scope.kind(range).filter(|kind| kind.count > 1) {
            Some(kind) => {
                count += kind.count;
                locations.extend(kind.lines.iter().copied());
            }
            None => {
                count += 1;
                locations.push(scope.lines.line(scope.in_file(range).start));
            }
        }
    }
    locations.sort_unstable();
    locations.dedup();
    locations.truncate(MAX_LOCATIONS);
    let (rule, first) = members.into_iter().next()?;
    let source = first.range.as_ref().map(|range| scope.lines.text(scope.in_file(range).start));
    let path: Arc<str> = Arc::from(scope.path);
    let locations = locations.into_iter().map(|line| Location { path: Arc::clone(&path), line }).collect();
    Some(Finding { source, count: Some(count), locations, ..new_finding(rule, first, scope.path) })
}

fn new_finding(rule: &Rule, diagnostic: Diagnostic, path: &str) -> Finding {
    Finding {
        rule: rule.id.to_owned(),
        severity: diagnostic.severity.unwrap_or(rule.severity),
        confidence: diagnostic.confidence.unwrap_or(rule.confidence),
        path: path.to_owned(),
        span: None,
        message: diagnostic.message,
        help: diagnostic.help,
        fix: None,
        facilities: diagnostic.reach,
        source: None,
        source_columns: None,
        // The identity until `set_fingerprints` replaces it.
        fingerprint: diagnostic.identity.unwrap_or_default(),
        suppressed: None,
        count: None,
        locations: Vec::new(),
    }
}

/// Returns the finding for a diagnostic of a repository rule.
pub(super) fn from_repository(rule: &Rule, diagnostic: Diagnostic) -> Finding {
    let path = diagnostic.path.clone().unwrap_or_else(|| ".".to_owned());
    let line = diagnostic.line;
    let mut finding = new_finding(rule, diagnostic, &path);
    if line > 0 {
        finding.span = Some(Span { line, column: 1, end_line: line, end_column: 1 });
    }
    finding
}

/// Sets the columns and the source of a finding that only has a line. The finding then covers the whole line.
pub(super) fn locate(finding: &mut Finding, line: impl Fn(u32) -> Option<String>) {
    let Some(span) = &mut finding.span else { return };
    let Some(text) = line(span.line) else { return };
    let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let indent = text.chars().count() - text.trim_start().chars().count();
    span.column = u32::try_from(indent + 1).unwrap_or(1);
    span.end_column = (count(text.trim_end()) + 1).max(span.column);
    finding.source = Some(text);
}

/// Removes findings beyond the limit and returns notes with their number. The findings must be sorted.
pub(super) fn limit(findings: &mut Vec<Finding>) -> Vec<Note> {
    let mut seen: BTreeMap<(String, String, Severity), usize> = BTreeMap::new();
    findings.retain(|finding| {
        let count = seen.entry((finding.path.clone(), finding.rule.clone(), finding.severity)).or_default();
        *count += 1;
        *count <= MAX_FINDINGS
    });
    let more = seen.into_iter().filter(|(_, count)| *count > MAX_FINDINGS);
    more.map(|((path, rule, _), count)| Note {
        path,
        message: match count - MAX_FINDINGS {
            1 => format!("1 more finding of {rule} is not listed"),
            more => format!("{more} more findings of {rule} are not listed"),
        },
    })
    .collect()
}

/// Sets the fingerprint of every finding, and sorts the findings.
///
/// The text of a fingerprint is the source line. A finding without one is identified by the identity of its diagnostic,
/// otherwise by its message. Findings of one rule on the same text are counted in the order of their identities, so that
/// the count does not depend on the wording of messages. Tokens and passwords do not enter a fingerprint.
pub(super) fn set_fingerprints(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        (&a.path, a.span, &a.rule, masked(identity(a))).cmp(&(&b.path, b.span, &b.rule, masked(identity(b))))
    });
    let mut seen = Fingerprints::default();
    for finding in &mut *findings {
        let text = masked(finding.source.as_deref().unwrap_or_else(|| identity(finding))).into_owned();
        finding.fingerprint = seen.next(&finding.rule, &finding.path, &text);
    }
    super::sort(findings);
}

/// Returns the identity of a finding whose fingerprint is not set yet.
fn identity(finding: &Finding) -> &str {
    if finding.fingerprint.is_empty() { &finding.message } else { &finding.fingerprint }
}
