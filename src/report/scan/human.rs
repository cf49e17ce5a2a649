//! Plain text for a terminal: the source line with the span underlined, the facilities and the help. Findings of one kind are
//! grouped.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::super::Options;
use super::super::table::{Ink, Page};
use super::tally;
use crate::model::finding::{Columns, Finding, Severity};
use crate::model::scan::Scan;
use crate::model::text::{clean, count, duration, one_line, without_commands};

/// Maximum number of findings of one kind that are shown with their lines.
const MAX_PER_KIND: usize = 3;
/// Maximum number of kinds with several findings. One finding is shown of each further kind.
const MAX_EXPANDED: usize = 10;
/// Maximum number of files listed for findings that are not shown.
const MAX_FILES: usize = 4;
/// Maximum number of kinds. If there are more, all findings of one rule and severity are one kind.
const MAX_KINDS: usize = 25;
/// Maximum number of notes about files that were not scanned.
const MAX_NOTES: usize = 3;
/// Maximum number of findings without counts by rule.
const MAX_WITHOUT_COUNTS: usize = 20;
/// Maximum width of a message or help in columns.
const MAX_TEXT: usize = 1000;

/// Renders a scan.
pub(in super::super) fn render(scan: &Scan, options: &Options) -> String {
    let reported = tally::reported(scan);
    let renderer = if options.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(options.width.max(40));
    let mut out = String::new();
    let mut kinds = kinds(&reported);
    if kinds.len() > MAX_KINDS && !options.all {
        kinds = merged(kinds);
    }
    for (index, kind) in kinds.iter().enumerate() {
        let shown = match options.all {
            true => kind.len(),
            false if index < MAX_EXPANDED && kind[0].severity > Severity::Note => MAX_PER_KIND,
            false => 1,
        };
        // A line that replaces a single finding would not save space.
        let shown = if kind.len() == shown + 1 { kind.len() } else { shown.min(kind.len()) };
        out.push_str(&block(kind, shown, &renderer));
        out.push_str("\n\n");
    }
    out.push_str(&end(scan, &reported, options));
    without_commands(&out).into_owned()
}

/// Groups findings with equal severity, rule, facilities, and message apart from quotations. The most severe come first.
fn kinds<'a>(findings: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let mut indices = BTreeMap::new();
    let mut kinds: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let key =
            (Reverse(finding.severity), finding.rule.as_str(), template(&finding.message), &*finding.facilities.breaks);
        let index = *indices.entry(key).or_insert(kinds.len());
        match kinds.get_mut(index) {
            Some(kind) => kind.push(finding),
            None => kinds.push(vec![finding]),
        }
    }
    kinds
}

/// Merges the kinds of each rule and severity. The first finding of each kind comes first.
fn merged(kinds: Vec<Vec<&Finding>>) -> Vec<Vec<&Finding>> {
    let mut indices = BTreeMap::new();
    let mut merged: Vec<(Vec<&Finding>, Vec<&Finding>)> = Vec::new();
    for kind in kinds {
        let index = *indices.entry((Reverse(kind[0].severity), &kind[0].rule)).or_insert(merged.len());
        if index == merged.len() {
            merged.push((Vec::new(), Vec::new()));
        }
        merged[index].0.push(kind[0]);
        merged[index].1.extend(&kind[1..]);
    }
    merged.into_iter().map(|(first, rest)| [first, rest].concat()).collect()
}

/// Returns a message without the text in backticks.
fn template(message: &str) -> String {
    message.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

fn block(kind: &[&Finding], shown: usize, renderer: &Renderer) -> String {
    let first = kind[0];
    let title = message(first);
    let rule = one_line(&first.rule, 100);
    let mut group =
        level(first.severity).primary_title(title.as_str()).id(rule.as_str()).elements(Vec::<Origin<'_>>::new());
    for finding in &kind[..shown] {
        // A label repeats the message of another finding only if its source line does not contain the difference.
        let is_redundant = template(&finding.message) == template(&first.message) && contains_quotations(finding);
        let label = Some(message(finding)).filter(|text| *text != title && !is_redundant);
        group = match snippet(finding, label.clone()) {
            Some(snippet) => group.element(snippet),
            None => origin(group, finding, label),
        };
    }
    let is_common = kind.iter().all(|finding| finding.facilities == first.facilities);
    if let Some(reach) = tally::reach(first).filter(|_| is_common) {
        group = group.element(Level::NOTE.message(reach));
    }
    if let Some(help) = &first.help {
        group = group.element(Level::HELP.message(one_line(help, MAX_TEXT)));
    }
    if shown < kind.len() {
        group = group.element(Level::NOTE.message(more(&kind[shown..])));
    }
    kind[..shown].iter().fold(renderer.render(&[group]), |text, finding| in_file(&text, finding))
}

/// Replaces the column in a source line without credentials by the column in the file.
fn in_file(text: &str, finding: &Finding) -> String {
    let (Some(span), Some(columns)) = (finding.span, finding.source_columns) else { return text.to_owned() };
    let position = |column: u32| format!("{}:{}:{}", shown_path(&finding.path), tally::line(finding), column.max(1));
    text.replacen(&position(columns.start), &position(span.column), 1)
}

/// Reports whether the source line contains all quotations of the message.
fn contains_quotations(finding: &Finding) -> bool {
    let quoted = |source: &String| {
        finding.message.split('`').skip(1).step_by(2).all(|part| source.contains(part.trim_end_matches("...")))
    };
    finding.source.as_ref().is_some_and(quoted)
}

fn message(finding: &Finding) -> String {
    format!("{}{}", one_line(&finding.message, MAX_TEXT), tally::times(finding))
}

/// Adds the path of a finding without a source line.
fn origin<'a>(group: Group<'a>, finding: &Finding, label: Option<String>) -> Group<'a> {
    let path = if finding.path == "." { "the repository".to_owned() } else { shown_path(&finding.path) };
    let mut origin = Origin::path(path);
    if finding.span.is_some() || !finding.locations.is_empty() {
        origin = origin.line(tally::line(finding) as usize);
    }
    let group = group.element(origin);
    match label {
        Some(label) => group.element(Level::NOTE.message(label)),
        None => group,
    }
}

/// Returns the source line of a finding with the span underlined; `None` if it has no source line.
fn snippet(
    finding: &Finding,
    label: Option<String>,
) -> Option<Snippet<'static, annotate_snippets::Annotation<'static>>> {
    let source = finding.source.as_ref()?;
    let columns = finding.columns().or_else(|| quotation(finding, source))?;
    let (text, range) = underlined(source, columns);
    let annotation = AnnotationKind::Primary.span(range);
    let annotation = match label {
        Some(label) => annotation.label(label),
        None => annotation,
    };
    let start = tally::line(finding).max(1) as usize;
    Some(Snippet::source(text).line_start(start).path(shown_path(&finding.path)).annotation(annotation))
}

/// Returns the columns of the first quotation of the message in the source line, for findings with several locations.
fn quotation(finding: &Finding, source: &str) -> Option<Columns> {
    let part = finding.message.split('`').nth(1).filter(|part| !part.is_empty() && !finding.locations.is_empty())?;
    let column = |at: usize| u32::try_from(source[..at].chars().count() + 1).ok();
    let at = source.find(part)?;
    Some(Columns { start: column(at)?, end: column(at + part.len())? })
}

/// Returns the clean line and the byte range of the span in it. The range ends with the line at the latest.
fn underlined(source: &str, columns: Columns) -> (String, Range<usize>) {
    let offset = |column: u32| {
        let before = (column.max(1) as usize) - 1;
        source.char_indices().nth(before).map_or(source.len(), |(offset, _)| offset)
    };
    let start = offset(columns.start);
    let end = offset(columns.end).max(start);
    let cleaned = |part: &str| clean(part).replace('\n', " ");
    let before = cleaned(&source[..start]);
    let inside = cleaned(&source[start..end]);
    let range = before.len()..before.len() + inside.len();
    (format!("{before}{inside}{}", cleaned(&source[end..])), range)
}

fn shown_path(path: &str) -> String {
    clean(path).replace('\n', "\u{240a}")
}

/// Counts the findings that are not shown: `and 12 more findings in 4 files: a.py (8), b.py (2), c.py, d.py`.
fn more(rest: &[&Finding]) -> String {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in rest {
        *numbers.entry(&finding.path).or_insert(0) += 1;
    }
    let mut files: Vec<(&str, usize)> = numbers.into_iter().collect();
    files.sort_by_key(|(_, number)| Reverse(*number));
    let named: Vec<String> = files
        .iter()
        .take(MAX_FILES)
        .map(|(path, number)| match number {
            1 => one_line(path, 60),
            _ => format!("{} ({number})", one_line(path, 60)),
        })
        .collect();
    let dots = if files.len() > MAX_FILES { ", ..." } else { "" };
    format!("and {} in {}: {}{dots}", count(rest.len(), "more finding"), count(files.len(), "file"), named.join(", "))
}

/// Returns the number of findings by rule, the largest first: `site-path 12, home-path 9`.
fn by_rule(findings: &[&Finding]) -> String {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in findings {
        *numbers.entry(&finding.rule).or_insert(0) += 1;
    }
    let mut numbers: Vec<(&str, usize)> = numbers.into_iter().collect();
    numbers.sort_by_key(|(_, number)| Reverse(*number));
    numbers.iter().map(|(rule, number)| format!("{} {number}", one_line(rule, 100))).collect::<Vec<_>>().join(", ")
}

fn end(scan: &Scan, reported: &[&Finding], options: &Options) -> String {
    let mut page = Page::new(*options);
    for note in scan.notes.iter().take(MAX_NOTES) {
        let text = format!("note: {}: {}", one_line(&note.path, 80), one_line(&note.message, 200));
        page.write(0, text, Ink::Faint);
    }
    if scan.notes.len() > MAX_NOTES {
        page.write(
            0,
            format!("note: {} in the JSON report", count(scan.notes.len() - MAX_NOTES, "more note")),
            Ink::Faint,
        );
    }
    let ink = match scan.worst() {
        Some(Severity::Error) => Ink::Bad,
        Some(Severity::Warning) => Ink::Trouble,
        Some(Severity::Note) | None => Ink::Good,
    };
    page.write(0, tally::sentence(reported.iter().copied()).unwrap_or_else(|| "no findings".to_owned()), ink);
    if reported.len() > MAX_WITHOUT_COUNTS {
        page.wrapped(0, 4, &format!("by rule: {}", by_rule(reported)), Ink::Plain);
    }
    if let Some(text) = tally::suppressed(scan) {
        page.write(0, text, Ink::Plain);
    }
    let fixes = reported.iter().filter(|finding| finding.fix.is_some()).count();
    if fixes > 0 {
        page.write(
            0,
            format!("{} available: run carnet scan --fix to print a patch", count(fixes, "safe fix")),
            Ink::Plain,
        );
    }
    let files = count(usize::try_from(scan.files.scanned).unwrap_or(usize::MAX), "file");
    let seconds = std::time::Duration::from_millis(scan.timing.milliseconds).as_secs_f64();
    page.write(0, format!("{files} scanned in {}", duration(seconds)), Ink::Faint);
    page.finish()
}
