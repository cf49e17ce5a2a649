//! SARIF 2.1.0 (OASIS Standard, 27 March 2020): one run with every rule and its page.
//!
//! GitHub accepts 25,000 results, 1,000 locations per result and 10 MB compressed, and shows the first 5,000 results. The most
//! severe come first, and a notification counts the omitted ones. GitHub identifies alerts by `primaryLocationLineHash`.

mod form;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use form::{
    Artifact, Base, BaseOnly, Change, Configuration, Deleted, Driver, Id, Inserted, Invocation, Location, Log, Message,
    Notification, Physical, Provenance, Region, Replacement, ResultProperties, Rule, RuleProperties, Run, SarifFix,
    SarifResult, SarifSuppression, Tool,
};

use super::super::ReportError;
use super::tally;
use crate::model::finding::{Confidence, Finding, Severity, Span, Suppressor};
use crate::model::scan::{RuleInfo, Scan};
use crate::model::text::{clean, one_line, sentence};

/// Maximum number of results of a run.
const MAX_RESULTS: usize = 25_000;
/// Maximum number of related locations of a result. With its own location, they are one thousand.
const MAX_LOCATIONS: usize = 999;
/// Maximum number of notes about files that were not scanned.
const MAX_NOTES: usize = 1000;
/// Maximum size of the compressed file in bytes.
const MAX_COMPRESSED: usize = 9_500_000;
/// Name of the base directory of paths.
const ROOT: &str = "%SRCROOT%";
/// URL of the project.
const HOME: &str = env!("CARGO_PKG_REPOSITORY");

/// Renders the log with as many results as GitHub accepts. Suppressed results are optional, because GitHub opens an alert for
/// each of them although the standard can mark them.
pub(in super::super) fn render(scan: &Scan, with_suppressed: bool) -> Result<String, ReportError> {
    let mut max_results = MAX_RESULTS;
    loop {
        let text = super::json(&log(scan, with_suppressed, max_results))?;
        if max_results == 0 || text.len() <= MAX_COMPRESSED || compressed(&text)? <= MAX_COMPRESSED {
            return Ok(text);
        }
        max_results = max_results.min(scan.findings.len()) / 2;
    }
}

fn compressed(text: &str) -> Result<usize, ReportError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?.len())
}

fn log(scan: &Scan, with_suppressed: bool, max_results: usize) -> Log<'_> {
    let rules = rules(scan);
    let index: BTreeMap<&str, usize> = rules.iter().enumerate().map(|(index, rule)| (rule.id, index)).collect();
    let mut findings = tally::reported(scan);
    findings.extend(scan.findings.iter().filter(|finding| with_suppressed && finding.suppressed.is_some()));
    let omitted = findings.len().saturating_sub(max_results);
    let result = |finding: &&'_ Finding| index.get(finding.rule.as_str()).copied().unwrap_or_default();
    let results = findings.iter().take(max_results).map(|finding| sarif_result(finding, result(finding))).collect();
    let root = Base { description: plain("Directory of the analysis.") };
    Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver { name: "carnet", semantic_version: &scan.version, information_uri: HOME, rules },
            },
            automation_details: Id { id: "carnet/scan/" },
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: [(ROOT, root)].into(),
            version_control_provenance: provenance(scan),
            invocations: [Invocation {
                execution_successful: true,
                tool_execution_notifications: notifications(scan, omitted),
            }],
            results,
        }],
    }
}

fn plain(text: &str) -> Message {
    Message { text: text.to_owned(), markdown: None }
}

fn level(severity: Severity) -> &'static str {
    severity.word()
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

/// Returns every active rule and every rule of a finding.
fn rules(scan: &Scan) -> Vec<Rule<'_>> {
    let mut rules: Vec<Rule<'_>> = scan.rules.iter().map(rule).collect();
    let mut known: BTreeMap<&str, ()> = scan.rules.iter().map(|rule| (rule.id.as_str(), ())).collect();
    for finding in &scan.findings {
        if known.insert(&finding.rule, ()).is_none() {
            rules.push(listed(&finding.rule, &finding.rule, "", finding.severity, finding.confidence));
        }
    }
    rules
}

fn rule(rule: &RuleInfo) -> Rule<'_> {
    listed(&rule.id, &rule.summary, &rule.page, rule.severity, rule.confidence)
}

fn listed<'a>(id: &'a str, summary: &str, page: &str, severity: Severity, confidence: Confidence) -> Rule<'a> {
    let summary = sentence(&one_line(summary, 1000));
    let page = if page.is_empty() { summary.clone() } else { clean(page).into_owned() };
    Rule {
        id,
        name: pascal(id),
        help_uri: format!("{HOME}/blob/main/docs/rules/{}.md", uri(id)),
        short_description: plain(&summary),
        full_description: plain(&summary),
        help: Message { text: page.clone(), markdown: Some(page) },
        default_configuration: Configuration { level: level(severity) },
        properties: RuleProperties {
            tags: ["portability", "reproducibility"],
            precision: precision(confidence),
            severity: match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "recommendation",
            },
        },
    }
}

/// Returns `SitePath` for `site-path`; `None` for one word, because the name must differ from the ID (§3.49.7).
fn pascal(id: &str) -> Option<String> {
    let name = id.split('-').map(|word| sentence(word).trim_end_matches('.').to_owned()).collect();
    id.contains('-').then_some(name)
}

/// Returns the origin of the sources if the remote is a valid URI.
fn provenance(scan: &Scan) -> Vec<Provenance<'_>> {
    let is_plain = |uri: &&str| {
        uri.starts_with("https://") && uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/".contains(&b))
    };
    let remote = scan.analysis.remote.as_deref().filter(is_plain);
    let made = remote.map(|repository_uri| Provenance {
        repository_uri,
        revision_id: scan.analysis.commit.as_deref(),
        mapped_to: BaseOnly { uri_base_id: ROOT },
    });
    made.into_iter().collect()
}

fn notifications(scan: &Scan, omitted: usize) -> Vec<Notification> {
    let mut notifications = Vec::new();
    if omitted > 0 {
        let text = format!(
            "{} omitted because of the size limit. Run carnet scan --format json for all of them.",
            crate::model::text::count(omitted, "result")
        );
        notifications.push(Notification { level: "warning", message: plain(&text), locations: Vec::new() });
    }
    let notes = scan.notes.iter().take(MAX_NOTES).map(|note| Notification {
        level: "note",
        message: plain(&sentence(&one_line(&note.message, 1000))),
        locations: vec![location(&note.path, None)],
    });
    notifications.extend(notes);
    notifications
}

fn sarif_result<'a>(finding: &'a Finding, rule_index: usize) -> SarifResult<'a> {
    SarifResult {
        rule_id: &finding.rule,
        rule_index,
        level: level(finding.severity),
        message: plain(&literal(&tally::sentences(finding))),
        locations: [primary(finding)],
        related_locations: related(finding),
        partial_fingerprints: [
            ("carnet/v1", finding.fingerprint.clone()),
            ("primaryLocationLineHash", format!("{}:1", finding.fingerprint)),
        ]
        .into(),
        fixes: fixes(finding),
        suppressions: suppressions(finding),
        properties: ResultProperties {
            precision: precision(finding.confidence),
            breaks: &finding.facilities.breaks,
            works: &finding.facilities.works,
            count: finding.count,
        },
    }
}

/// Escapes the text of a message, in which `[text](target)` is a link and `{0}` an argument (§3.11.5, §3.11.6). Other text is
/// unchanged, because some readers show escapes literally.
fn literal(text: &str) -> String {
    let (links, arguments) = (text.contains("]("), text.contains('{') && text.contains(|c: char| c.is_ascii_digit()));
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '[' | ']' if links => out.extend(['\\', c]),
            '{' | '}' if arguments => out.extend([c, c]),
            c => out.push(c),
        }
    }
    out
}

fn location(path: &str, region: Option<Region>) -> Location {
    Location {
        id: None,
        physical_location: Physical { artifact_location: artifact(path), region, context_region: None },
    }
}

/// Returns the location of a file. GitHub rejects the absolute and empty paths that a document may contain.
fn artifact(path: &str) -> Artifact {
    let path = path.trim_start_matches('/');
    Artifact { uri: uri(if path.is_empty() { "." } else { path }), uri_base_id: ROOT }
}

/// Returns a relative path as a URI reference (RFC 3986). A colon in the first part would form a scheme.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for b in path.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'+' | b'@' | b',' | b'=' => {
                out.push(char::from(b));
            }
            // Writing to a string cannot fail.
            other => drop(write!(out, "%{other:02X}")),
        }
    }
    out
}

fn primary(finding: &Finding) -> Location {
    let line = tally::line(finding);
    let region = finding.span.map(|span| Region { snippet: spanned(finding), ..region(span) });
    let bare = || Region { start_line: line, ..Region::default() };
    let mut location = location(&finding.path, Some(region.unwrap_or_else(bare)));
    location.physical_location.context_region = finding.span.and(finding.source.as_ref()).map(|source| Region {
        start_line: line,
        snippet: Some(plain(&clean(source))),
        ..Region::default()
    });
    location
}

/// Returns the text of the span if the source line contains the span.
fn spanned(finding: &Finding) -> Option<Message> {
    let columns = finding.columns()?;
    let source = finding.source.as_ref().filter(|_| columns.start > 0)?;
    let length = columns.end.checked_sub(columns.start)? as usize;
    let text: String = source.chars().skip(columns.start as usize - 1).take(length).collect();
    (!text.is_empty() && text.chars().count() == length).then(|| plain(&clean(&text)))
}

/// Returns the span with values that readers accept.
fn region(span: Span) -> Region {
    let (line, column) = (span.line.max(1), span.column.max(1));
    let end_line = span.end_line.max(line);
    let end_column = if end_line == line { span.end_column.max(column) } else { span.end_column.max(1) };
    Region {
        start_line: line,
        start_column: Some(column),
        end_line: Some(end_line),
        end_column: Some(end_column),
        snippet: None,
    }
}

fn related(finding: &Finding) -> Vec<Location> {
    let locations = finding.locations.iter().take(MAX_LOCATIONS).enumerate();
    locations
        .map(|(index, found)| {
            let region = Region { start_line: found.line.max(1), ..Region::default() };
            Location { id: Some(index + 1), ..location(&found.path, Some(region)) }
        })
        .collect()
}

fn fixes(finding: &Finding) -> Vec<SarifFix> {
    let fix = finding.fix.iter().map(|fix| SarifFix {
        description: plain(&sentence(&one_line(&fix.title, 300))),
        artifact_changes: [Change {
            artifact_location: artifact(&finding.path),
            replacements: [Replacement {
                deleted_region: Deleted { byte_offset: fix.start, byte_length: fix.end.saturating_sub(fix.start) },
                inserted_content: Inserted { text: fix.replacement.clone() },
            }],
        }],
    });
    fix.collect()
}

fn suppressions(finding: &Finding) -> Vec<SarifSuppression> {
    let suppression = finding.suppressed.iter().map(|suppression| SarifSuppression {
        kind: if suppression.by == Suppressor::Inline { "inSource" } else { "external" },
        status: "accepted",
        justification: one_line(&suppression.reason, 1000),
    });
    suppression.collect()
}
