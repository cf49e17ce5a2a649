//! GitHub-flavoured Markdown of a scan: a table of the rules by severity, then the findings of each rule in collapsed sections.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::markup::{MAX_BYTES, code, put};
use super::tally;
use crate::model::finding::{Finding, Severity};
use crate::model::scan::Scan;
use crate::model::text::{count, duration, one_line};

/// Maximum number of findings of one rule.
const MAX_ROWS: usize = 200;
/// Maximum width of a text in a row in columns.
const MAX_CELL: usize = 300;
/// Maximum number of notes about files that were not scanned.
const MAX_NOTES: usize = 50;

/// Findings of one severity and rule.
struct Section<'a> {
    severity: Severity,
    rule: &'a str,
    findings: Vec<&'a Finding>,
}

/// Renders a scan.
pub(in super::super) fn render(scan: &Scan) -> String {
    let reported = tally::reported(scan);
    let mut out = format!("## carnet scan: {}\n\n", code(&scan.analysis.name));
    put(&mut out, format_args!("{} {}.\n", emblem(&reported), sentence(scan, &reported)));
    let sections = sections(&reported);
    if !sections.is_empty() {
        table(&mut out, scan, &sections);
    }
    let notes = notes(scan);
    for (index, section) in sections.iter().enumerate() {
        let text = collapsed(section);
        if out.len() + text.len() + notes.len() > MAX_BYTES {
            let omitted = count(sections.len() - index, "section");
            put(
                &mut out,
                format_args!("\n_{omitted} omitted because of the size limit; the JSON report is complete._\n"),
            );
            break;
        }
        out.push_str(&text);
    }
    out.push_str(&notes);
    out
}

/// Returns a collapsed section of at most about `max_bytes` bytes for the report of a document; `None` without findings.
pub(in super::super) fn part(scan: &Scan, max_bytes: usize) -> Option<String> {
    let sections = sections(&tally::reported(scan));
    let counts = tally::summary(scan)?;
    let mut out = format!("\n<details>\n<summary>Static scan: {counts}</summary>\n");
    table(&mut out, scan, &sections);
    for (index, section) in sections.iter().enumerate() {
        let text = collapsed(section);
        if out.len() + text.len() > max_bytes {
            let omitted = count(sections.len() - index, "rule");
            put(
                &mut out,
                format_args!("\n_{omitted} omitted because of the size limit; `carnet.json` contains all findings._\n"),
            );
            break;
        }
        out.push_str(&text);
    }
    out.push_str("\n</details>\n");
    Some(out)
}

fn emblem(findings: &[&Finding]) -> &'static str {
    match findings.iter().map(|finding| finding.severity).max() {
        Some(Severity::Error) => "❌",
        Some(Severity::Warning) => "⚠️",
        Some(Severity::Note) | None => "✅",
    }
}

fn symbol(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "❌ error",
        Severity::Warning => "⚠️ warning",
        Severity::Note => "ℹ️ note",
    }
}

fn sentence(scan: &Scan, findings: &[&Finding]) -> String {
    let counts = tally::sentence(findings.iter().copied()).unwrap_or_else(|| "No findings".to_owned());
    let suppressed = tally::suppressed(scan).map(|text| format!(" ({text})")).unwrap_or_default();
    let files = count(usize::try_from(scan.files.scanned).unwrap_or(usize::MAX), "file");
    let seconds = std::time::Duration::from_millis(scan.timing.milliseconds).as_secs_f64();
    format!("{counts}{suppressed}; {files} scanned in {}", duration(seconds))
}

/// Groups the findings by severity and rule, the most severe first.
fn sections<'a>(findings: &[&'a Finding]) -> Vec<Section<'a>> {
    let mut by_rule: BTreeMap<(std::cmp::Reverse<Severity>, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by_rule.entry((std::cmp::Reverse(finding.severity), &finding.rule)).or_default().push(finding);
    }
    let section = |((severity, rule), findings): ((std::cmp::Reverse<Severity>, &'a str), Vec<&'a Finding>)| Section {
        severity: severity.0,
        rule,
        findings,
    };
    by_rule.into_iter().map(section).collect()
}

fn table(out: &mut String, scan: &Scan, sections: &[Section<'_>]) {
    out.push_str("\n| severity | rule | findings | description |\n|---|---|--:|---|\n");
    for section in sections {
        let known = scan.rules.iter().find(|rule| rule.id == section.rule);
        let summary = known.map(|rule| code(&one_line(&rule.summary, MAX_CELL))).unwrap_or_default();
        put(
            out,
            format_args!(
                "| {} | {} | {} | {summary} |\n",
                symbol(section.severity),
                code(section.rule),
                section.findings.len()
            ),
        );
    }
}

fn collapsed(section: &Section<'_>) -> String {
    let open = if section.severity == Severity::Error { " open" } else { "" };
    let number = count(section.findings.len(), "finding");
    let mut out = format!(
        "\n<details{open}>\n<summary>{} {}: {number}</summary>\n\n| location | finding | facilities | help |\n|---|---|---|---|\n",
        symbol(section.severity),
        code(section.rule)
    );
    for finding in section.findings.iter().take(MAX_ROWS) {
        let location = match (finding.path.as_str(), finding.span, finding.locations.is_empty()) {
            (".", _, _) => "the repository".to_owned(),
            (path, None, true) => code(&one_line(path, MAX_CELL)),
            (path, _, _) => code(&format!("{}:{}", one_line(path, MAX_CELL), tally::line(finding))),
        };
        let text = format!("{}{}", one_line(&finding.message, MAX_CELL), tally::times(finding));
        let reach = tally::reach(finding).unwrap_or_default();
        let help = one_line(finding.help.as_deref().unwrap_or_default(), MAX_CELL);
        put(&mut out, format_args!("| {location} | {} | {} | {} |\n", code(&text), code(&reach), code(&help)));
    }
    if section.findings.len() > MAX_ROWS {
        put(
            &mut out,
            format_args!("\n{} in the JSON report.\n", count(section.findings.len() - MAX_ROWS, "more finding")),
        );
    }
    out.push_str("\n</details>\n");
    out
}

fn notes(scan: &Scan) -> String {
    let mut out = String::new();
    if scan.notes.is_empty() {
        return out;
    }
    let number = count(scan.notes.len(), "note");
    put(&mut out, format_args!("\n<details>\n<summary>{number} about files that were not scanned</summary>\n\n"));
    for note in scan.notes.iter().take(MAX_NOTES) {
        let (path, message) = (one_line(&note.path, MAX_CELL), one_line(&note.message, MAX_CELL));
        put(&mut out, format_args!("- {}: {}\n", code(&path), code(&message)));
    }
    if scan.notes.len() > MAX_NOTES {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "- and {} more", scan.notes.len() - MAX_NOTES);
    }
    out.push_str("\n</details>\n");
    out
}
