//! Findings of the static scan with their source lines.

use std::collections::BTreeMap;

use super::super::scan::tally;
use super::forge::Forge;
use super::inert::anchor;
use super::mark::Mark;
use super::pieces::Pieces;
use crate::model::finding::{Columns, Finding, Suppressor};
use crate::model::scan::Scan;
use crate::model::text::{count, one_line, sentence};

/// Maximum number of findings.
const MAX_FINDINGS: usize = 1000;
/// Maximum number of suppressed findings.
const MAX_SUPPRESSED: usize = 200;
/// Maximum number of locations of one finding.
const MAX_LOCATIONS: usize = 20;
/// Maximum number of notes about files that were not scanned.
const MAX_NOTES: usize = 50;

/// The section of the findings.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) counts: String,
    pub(super) rules: Vec<Rule>,
    pub(super) omitted: usize,
    pub(super) suppressed: Option<String>,
    pub(super) suppressed_findings: Vec<(String, String, String)>,
    pub(super) notes: Vec<(String, String)>,
    pub(super) more_notes: usize,
}

/// Findings of one rule and severity.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) mark: Mark,
    pub(super) summary: String,
    pub(super) hits: Vec<Hit>,
}

/// One finding.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) anchor: String,
    pub(super) location: String,
    /// URL of the line at the forge.
    pub(super) link: Option<String>,
    pub(super) message: Pieces,
    pub(super) source: Option<Source>,
    pub(super) breaks: Vec<String>,
    pub(super) works: Vec<String>,
    pub(super) help: Option<Pieces>,
    /// Title and replacement of the fix.
    pub(super) fix: Option<(Pieces, String)>,
    pub(super) locations: Vec<String>,
    pub(super) more_locations: u64,
}

/// The source line of a finding, split around the span.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) line: u32,
    pub(super) before: String,
    pub(super) span: String,
    pub(super) after: String,
}

/// Anchors and titles of the findings that break at each facility.
pub(super) type ByFacility<'a> = BTreeMap<&'a str, Vec<(String, String)>>;

pub(super) fn by_facility(scan: Option<&Scan>) -> ByFacility<'_> {
    let mut found: ByFacility<'_> = BTreeMap::new();
    for finding in scan.map(tally::reported).unwrap_or_default().into_iter().take(MAX_FINDINGS) {
        for facility in &finding.facilities.breaks {
            let name = format!("{}: {}", location(finding), one_line(&finding.message, 200));
            found.entry(facility).or_default().push((anchor("finding", &finding.fingerprint), name));
        }
    }
    found
}

/// Returns the section of a scan.
pub(super) fn section(scan: &Scan, forge: Option<&Forge>) -> Section {
    let reported = tally::reported(scan);
    let mut rules: BTreeMap<(u8, &str), Rule> = BTreeMap::new();
    for finding in reported.iter().take(MAX_FINDINGS) {
        let mark = Mark::severity(finding.severity);
        let rule = rules.entry((mark.rank, &finding.rule)).or_insert_with(|| Rule {
            id: one_line(&finding.rule, 80),
            mark,
            summary: summary(scan, &finding.rule),
            hits: Vec::new(),
        });
        rule.hits.push(hit(finding, forge));
    }
    let files = usize::try_from(scan.files.scanned).unwrap_or(usize::MAX);
    let found = tally::sentence(reported.iter().copied()).unwrap_or_else(|| "nothing found".to_owned());
    Section {
        counts: format!("{found}; {} scanned", count(files, "file")),
        rules: rules.into_values().collect(),
        omitted: reported.len().saturating_sub(MAX_FINDINGS),
        suppressed: tally::suppressed(scan),
        suppressed_findings: scan.findings.iter().filter_map(suppressed).take(MAX_SUPPRESSED).collect(),
        notes: scan.notes.iter().take(MAX_NOTES).map(|n| (one_line(&n.path, 300), one_line(&n.message, 300))).collect(),
        more_notes: scan.notes.len().saturating_sub(MAX_NOTES),
    }
}

fn summary(scan: &Scan, id: &str) -> String {
    let known = scan.rules.iter().find(|rule| rule.id == id);
    known.map(|rule| one_line(&rule.summary, 300)).unwrap_or_default()
}

fn location(finding: &Finding) -> String {
    match (finding.path.as_str(), finding.span) {
        (".", _) => "the repository".to_owned(),
        (path, None) => one_line(path, 300),
        (path, Some(span)) => format!("{}:{}", one_line(path, 300), span.line),
    }
}

fn hit(finding: &Finding, forge: Option<&Forge>) -> Hit {
    let ids = |ids: &[String]| ids.iter().take(30).map(|id| one_line(id, 64)).collect();
    let fix =
        |fix: &crate::model::finding::Fix| (Pieces::of(&one_line(&fix.title, 300)), one_line(&fix.replacement, 400));
    Hit {
        anchor: anchor("finding", &finding.fingerprint),
        location: location(finding),
        link: forge.zip(finding.span).and_then(|(forge, span)| forge.line(&finding.path, span.line)),
        message: Pieces::of(&sentence(&one_line(&finding.message, 1000))),
        source: source(finding),
        breaks: ids(&finding.facilities.breaks),
        works: ids(&finding.facilities.works),
        help: finding.help.as_ref().map(|help| Pieces::of(&one_line(help, 1000))),
        fix: finding.fix.as_ref().map(fix),
        locations: finding
            .locations
            .iter()
            .take(MAX_LOCATIONS)
            .map(|p| format!("{}:{}", one_line(&p.path, 300), p.line))
            .collect(),
        more_locations: finding.count.unwrap_or(0).saturating_sub(MAX_LOCATIONS.min(finding.locations.len()) as u64),
    }
}

fn suppressed(finding: &Finding) -> Option<(String, String, String)> {
    let suppression = finding.suppressed.as_ref()?;
    let by = match suppression.by {
        Suppressor::Inline => "a comment",
        Suppressor::Config => "carnet.toml",
        Suppressor::Baseline => "the baseline",
    };
    let text = format!("{}: {}", finding.rule, finding.message);
    Some((location(finding), one_line(&text, 300), format!("{by}: {}", one_line(&suppression.reason, 300))))
}

/// Returns the source line, split at the start and the end of the finding.
fn source(finding: &Finding) -> Option<Source> {
    let line = finding.source.as_ref()?;
    let span = finding.span?;
    let characters: Vec<char> = line.chars().take(1000).collect();
    let (start, end) = bounds(finding.columns()?, characters.len());
    let text = |part: &[char]| part.iter().collect::<String>().replace(['\n', '\r'], " ");
    Some(Source {
        line: span.line,
        before: text(&characters[..start]),
        span: text(&characters[start..end]),
        after: text(&characters[end..]),
    })
}

/// Returns the first character and the one after the last, within the line.
fn bounds(columns: Columns, length: usize) -> (usize, usize) {
    let index = |column: u32| usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1).min(length);
    let start = index(columns.start);
    (start, index(columns.end).max(start))
}

#[cfg(test)]
mod tests {
    use super::bounds;
    use crate::model::finding::Columns;

    #[test]
    fn bounds_stay_within_the_line() {
        let columns = |start, end| Columns { start, end };
        assert_eq!(bounds(columns(3, 5), 10), (2, 4));
        assert_eq!(bounds(columns(3, u32::MAX), 10), (2, 10));
        assert_eq!(bounds(columns(30, 2), 10), (10, 10));
        assert_eq!(bounds(columns(0, 0), 0), (0, 0));
    }
}
