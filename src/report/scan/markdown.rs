//! GitHub-flavoured Markdown, for step summaries and comments: a table by severity, then the findings of each rule, folded.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::markup::{MAX_BYTES, code, put};
use super::tally;
use crate::model::finding::{Finding, Severity};
use crate::model::scan::Scan;
use crate::model::text::{count, duration, one_line};

/// Rows of one rule.
const MAX_ROWS: usize = 200;
/// Columns of a text in a row.
const MAX_CELL: usize = 300;
/// Notes about what could not be looked at.
const MAX_NOTES: usize = 50;

/// Findings of one severity and rule.
struct Section<'a> {
    severity: Severity,
    rule: &'a str,
    findings: Vec<&'a Finding>,
}

/// The whole report.
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
        let text = folded(section);
        if out.len() + text.len() + notes.len() > MAX_BYTES {
            let left = count(sections.len() - index, "section");
            put(&mut out, format_args!("\n_{left} left out for size: the JSON form has them all._\n"));
            break;
        }
        out.push_str(&text);
    }
    out.push_str(&notes);
    out
}

/// The findings as the last part of the report on a document: folded as a whole, and rule by rule in it.
pub(in super::super) fn part(scan: &Scan, room: usize) -> Option<String> {
    let sections = sections(&tally::reported(scan));
    let said = tally::summary(scan)?;
    let mut out = format!("\n<details>\n<summary>The static audit found {said}</summary>\n");
    table(&mut out, scan, &sections);
    for (index, section) in sections.iter().enumerate() {
        let text = folded(section);
        if out.len() + text.len() > room {
            let left = count(sections.len() - index, "rule");
            put(&mut out, format_args!("\n_{left} left out for size: `carnet.json` has all findings._\n"));
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
    let said = tally::sentence(findings.iter().copied()).unwrap_or_else(|| "No findings".to_owned());
    let suppressed = tally::suppressed(scan).map(|text| format!(" ({text})")).unwrap_or_default();
    let files = count(usize::try_from(scan.files.scanned).unwrap_or(usize::MAX), "file");
    let seconds = std::time::Duration::from_millis(scan.timing.milliseconds).as_secs_f64();
    format!("{said}{suppressed}; {files} scanned in {}", duration(seconds))
}

/// The worst first, else by rule.
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
    out.push_str("\n| severity | rule | findings | what it finds |\n|---|---|--:|---|\n");
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

fn folded(section: &Section<'_>) -> String {
    let open = if section.severity == Severity::Error { " open" } else { "" };
    let number = count(section.findings.len(), "finding");
    let mut out = format!(
        "\n<details{open}>\n<summary>{} {}: {number}</summary>\n\n| place | what | where | help |\n|---|---|---|---|\n",
        symbol(section.severity),
        code(section.rule)
    );
    for finding in section.findings.iter().take(MAX_ROWS) {
        let place = match (finding.path.as_str(), finding.span, finding.places.is_empty()) {
            (".", _, _) => "the repository".to_owned(),
            (path, None, true) => code(&one_line(path, MAX_CELL)),
            (path, _, _) => code(&format!("{}:{}", one_line(path, MAX_CELL), tally::line(finding))),
        };
        let what = format!("{}{}", one_line(&finding.message, MAX_CELL), tally::times(finding));
        let reach = tally::reach(finding).unwrap_or_default();
        let help = one_line(finding.help.as_deref().unwrap_or_default(), MAX_CELL);
        put(&mut out, format_args!("| {place} | {} | {} | {} |\n", code(&what), code(&reach), code(&help)));
    }
    if section.findings.len() > MAX_ROWS {
        put(&mut out, format_args!("\nand {} more in the JSON form.\n", section.findings.len() - MAX_ROWS));
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
    put(&mut out, format_args!("\n<details>\n<summary>{number} about what could not be looked at</summary>\n\n"));
    for note in scan.notes.iter().take(MAX_NOTES) {
        let (path, message) = (one_line(&note.path, MAX_CELL), one_line(&note.message, MAX_CELL));
        put(&mut out, format_args!("- {}: {}\n", code(&path), code(&message)));
    }
    if scan.notes.len() > MAX_NOTES {
        // Writing into a string can't fail.
        let _ = writeln!(out, "- and {} more", scan.notes.len() - MAX_NOTES);
    }
    out.push_str("\n</details>\n");
    out
}
