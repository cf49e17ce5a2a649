//! For a terminal: the source line with the span underlined, the facilities and the help below; findings of one kind folded.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::super::Options;
use super::super::table::{Ink, Page};
use super::tally;
use crate::model::finding::{Finding, Severity, Span};
use crate::model::scan::Scan;
use crate::model::text::{clean, count, duration, one_line};

/// Findings of one kind shown with their lines.
const MAX_SHOWN: usize = 3;
/// Kinds of which so many are shown; of those after them one.
const MAX_LONG: usize = 10;
/// Files named of those that aren't shown.
const MAX_FILES: usize = 4;
/// Kinds beyond which those of one rule are one.
const MAX_KINDS: usize = 25;
/// Notes shown about what could not be looked at.
const MAX_NOTES: usize = 3;
/// Findings up to which their numbers by rule are seen at a glance.
const MAX_UNSORTED: usize = 20;
/// Columns of a message or help.
const MAX_TEXT: usize = 1000;

/// The whole report.
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
            false if index < MAX_LONG && kind[0].severity > Severity::Note => MAX_SHOWN,
            false => 1,
        };
        // Folding a single one away saves nothing.
        let shown = if kind.len() == shown + 1 { kind.len() } else { shown.min(kind.len()) };
        out.push_str(&block(kind, shown, &renderer));
        out.push_str("\n\n");
    }
    out.push_str(&end(scan, &reported, options));
    out
}

/// Findings that say the same of the same facilities: rule, severity, facilities, and message without what is quoted in it.
/// Worst first, else in the order of the findings.
fn kinds<'a>(findings: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let mut places = BTreeMap::new();
    let mut kinds: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let key =
            (Reverse(finding.severity), finding.rule.as_str(), frame(&finding.message), &*finding.facilities.breaks);
        let place = *places.entry(key).or_insert(kinds.len());
        match kinds.get_mut(place) {
            Some(kind) => kind.push(finding),
            None => kinds.push(vec![finding]),
        }
    }
    kinds
}

/// One kind of each rule and severity, the first findings of its kinds in front.
fn merged(kinds: Vec<Vec<&Finding>>) -> Vec<Vec<&Finding>> {
    let mut places = BTreeMap::new();
    let mut merged: Vec<(Vec<&Finding>, Vec<&Finding>)> = Vec::new();
    for kind in kinds {
        let place = *places.entry((Reverse(kind[0].severity), &kind[0].rule)).or_insert(merged.len());
        if place == merged.len() {
            merged.push((Vec::new(), Vec::new()));
        }
        merged[place].0.push(kind[0]);
        merged[place].1.extend(&kind[1..]);
    }
    merged.into_iter().map(|(first, rest)| [first, rest].concat()).collect()
}

/// A message without what stands in backticks.
fn frame(message: &str) -> String {
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
    let title = said(first);
    let rule = one_line(&first.rule, 100);
    let mut group =
        level(first.severity).primary_title(title.as_str()).id(rule.as_str()).elements(Vec::<Origin<'_>>::new());
    for finding in &kind[..shown] {
        // What is said of the others is told beside their lines, unless it is what stands there.
        let is_told = frame(&finding.message) == frame(&first.message) && is_seen(finding);
        let label = Some(said(finding)).filter(|text| *text != title && !is_told);
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
    renderer.render(&[group])
}

/// Whether everything that the message quotes stands in the line.
fn is_seen(finding: &Finding) -> bool {
    let quoted = |source: &String| {
        finding.message.split('`').skip(1).step_by(2).all(|part| source.contains(part.trim_end_matches("...")))
    };
    finding.source.as_ref().is_some_and(quoted)
}

fn said(finding: &Finding) -> String {
    format!("{}{}", one_line(&finding.message, MAX_TEXT), tally::times(finding))
}

/// The place of a finding that has no line to show.
fn origin<'a>(group: Group<'a>, finding: &Finding, label: Option<String>) -> Group<'a> {
    let path = if finding.path == "." { "the repository".to_owned() } else { shown_path(&finding.path) };
    let mut origin = Origin::path(path);
    if finding.span.is_some() || !finding.places.is_empty() {
        origin = origin.line(tally::line(finding) as usize);
    }
    let group = group.element(origin);
    match label {
        Some(label) => group.element(Level::NOTE.message(label)),
        None => group,
    }
}

/// The line of a finding with its span underlined; none when it has no line.
fn snippet(
    finding: &Finding,
    label: Option<String>,
) -> Option<Snippet<'static, annotate_snippets::Annotation<'static>>> {
    let source = finding.source.as_ref()?;
    let span = finding.span.or_else(|| quoted(finding, source))?;
    let (text, range) = underlined(source, span);
    let annotation = AnnotationKind::Primary.span(range);
    let annotation = match label {
        Some(label) => annotation.label(label),
        None => annotation,
    };
    let start = span.line.max(1) as usize;
    Some(Snippet::source(text).line_start(start).path(shown_path(&finding.path)).annotation(annotation))
}

/// Where the first of several places stands in the line: where the line has what the message quotes.
fn quoted(finding: &Finding, source: &str) -> Option<Span> {
    let part = finding.message.split('`').nth(1).filter(|part| !part.is_empty() && !finding.places.is_empty())?;
    let column = |at: usize| u32::try_from(source[..at].chars().count() + 1).ok();
    let at = source.find(part)?;
    let line = tally::line(finding);
    Some(Span { line, column: column(at)?, end_line: line, end_column: column(at + part.len())? })
}

/// The line made harmless, and the bytes of the span in it, which stops at the end of the line.
fn underlined(source: &str, span: Span) -> (String, Range<usize>) {
    let at = |column: u32| {
        let before = (column.max(1) as usize) - 1;
        source.char_indices().nth(before).map_or(source.len(), |(at, _)| at)
    };
    let start = at(span.column);
    let end = if span.end_line > span.line { source.len() } else { at(span.end_column).max(start) };
    let harmless = |part: &str| clean(part).replace('\n', " ");
    let before = harmless(&source[..start]);
    let inside = harmless(&source[start..end]);
    let range = before.len()..before.len() + inside.len();
    (format!("{before}{inside}{}", harmless(&source[end..])), range)
}

fn shown_path(path: &str) -> String {
    clean(path).replace('\n', "\u{240a}")
}

/// What isn't shown: `and 12 more in 4 files: a.py (8), b.py (2), c.py, d.py`.
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
    format!("and {} more in {}: {}{dots}", rest.len(), count(files.len(), "file"), named.join(", "))
}

/// Numbers of findings, the largest first: `site-path 12, home-path 9`.
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
        page.say(0, text, Ink::Faint);
    }
    if scan.notes.len() > MAX_NOTES {
        page.say(0, format!("note: and {} more in the JSON form", scan.notes.len() - MAX_NOTES), Ink::Faint);
    }
    let ink = match scan.worst() {
        Some(Severity::Error) => Ink::Bad,
        Some(Severity::Warning) => Ink::Trouble,
        Some(Severity::Note) | None => Ink::Good,
    };
    page.say(0, tally::sentence(reported.iter().copied()).unwrap_or_else(|| "no findings".to_owned()), ink);
    if reported.len() > MAX_UNSORTED {
        page.wrapped(0, 4, &format!("by rule: {}", by_rule(reported)), Ink::Plain);
    }
    if let Some(text) = tally::suppressed(scan) {
        page.say(0, text, Ink::Plain);
    }
    let fixes = reported.iter().filter(|finding| finding.fix.is_some()).count();
    if fixes > 0 {
        page.say(0, format!("{} to see as a patch: carnet scan --fix", count(fixes, "safe edit")), Ink::Plain);
    }
    let files = count(usize::try_from(scan.files.scanned).unwrap_or(usize::MAX), "file");
    let seconds = std::time::Duration::from_millis(scan.timing.milliseconds).as_secs_f64();
    page.say(0, format!("{files} scanned in {}", duration(seconds)), Ink::Faint);
    page.finish()
}
