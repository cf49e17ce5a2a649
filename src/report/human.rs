//! The form for a terminal: a line a cell, then what keeps it from being green.

use crate::model::cell::{Outcome, Step};
use crate::model::diff::{Diff, Row, Section, Weight};
use crate::model::document::{Cell, Document, Status};
use crate::model::verdict::{Verdict, verdict};

use super::Options;
use super::scan;
use super::sort;
use super::summary::{self, Line, Summary};
use super::table::{Ink, Page, Piece, padded, widths};
use crate::model::text::{clean, clip, count, duration, one_line, width};

/// Failed tests named below a cell.
const MAX_TESTS: usize = 5;
/// Differences shown below a failed cell.
const MAX_DIFFERENCES: usize = 8;
/// Last lines of output shown of a command that failed without a test case.
const MAX_OUTPUT: usize = 4;
/// Lines that a message or a line of output may take: its end often says more than its start.
const MAX_LINES: usize = 3;
/// Widest column of cell names before details move left.
const MAX_INDENT: usize = 14;
/// Where all that is only counted can be read.
const DOCUMENT: &str = "carnet.json";

/// The whole report.
pub(super) fn document(document: &Document, options: &Options) -> String {
    let mut page = Page::new(*options);
    let summary = Summary::of(document);
    page.say(0, summary::subject(document), Ink::Strong);
    if let Some(said) = document.scan.as_ref().and_then(scan::tally::summary) {
        page.wrapped(2, 4, &format!("scan: {said} (carnet scan)"), Ink::Faint);
    }
    let heads: Vec<Vec<Piece>> = heads(&summary, options);
    let ids = summary.lines.iter().map(|line| width(&id(line.cell))).max().unwrap_or(0);
    let indent = (ids + 4).min(MAX_INDENT);
    for (line, head) in summary.lines.iter().zip(heads) {
        page.line(2, &head);
        if let (_, Some(reason)) = summary::headline(line.cell)
            && !is_told_below(line.cell, &reason)
        {
            page.wrapped(indent, 2, &reason, Ink::Plain);
        }
        details(&mut page, indent, document, line, options);
    }
    page.gap();
    page.wrapped(0, 2, &format!("{}, in {}", summary::totals(document), duration(document.timing.seconds)), Ink::Plain);
    let (mark, ink) = match verdict(document) {
        Verdict::Good => (glyph(options, "✓", "+"), Ink::Good),
        Verdict::Nothing | Verdict::Infrastructure => ("!", Ink::Trouble),
        Verdict::Analysis => (glyph(options, "✗", "x"), Ink::Bad),
    };
    page.wrapped(0, 2, &format!("{mark} {}", summary::sentence(document, str::to_owned)), ink);
    page.finish()
}

/// Whether the reason is that of a step that is shown with its output anyway.
fn is_told_below(cell: &Cell, reason: &str) -> bool {
    cell.status == Status::Failed
        && summary::broken_steps(cell).any(|step| reason.starts_with(&format!("{}: ", step.name)))
}

fn id(cell: &Cell) -> String {
    one_line(&cell.id, 60)
}

fn glyph<'a>(options: &Options, nice: &'a str, plain: &'a str) -> &'a str {
    if options.ascii { plain } else { nice }
}

fn mark(cell: &Cell, options: &Options) -> (&'static str, Ink) {
    match cell.status {
        Status::Passed => (glyph(options, "✓", "+"), Ink::Good),
        Status::Flaky => ("~", Ink::Trouble),
        Status::Failed if cell.is_forgiven() => (glyph(options, "✗", "x"), Ink::Faint),
        Status::Failed => (glyph(options, "✗", "x"), Ink::Bad),
        Status::Error => ("!", Ink::Trouble),
        Status::Skipped => ("-", Ink::Faint),
    }
}

/// The line of each cell, with as many versions as fit into the width.
fn heads(summary: &Summary<'_>, options: &Options) -> Vec<Vec<Piece>> {
    let room = options.width.saturating_sub(2);
    let full = |versions: usize, remark: Remark| -> (Vec<Vec<Piece>>, usize) {
        let rows: Vec<Vec<Piece>> =
            summary.lines.iter().map(|line| head(summary, line, versions, remark, options)).collect();
        let widths = widths(rows.iter().map(Vec::as_slice));
        let lines: Vec<Vec<Piece>> = rows.iter().map(|row| padded(row, &widths)).collect();
        let longest = lines.iter().map(|line| extent(line)).max().unwrap_or(0);
        (lines, longest)
    };
    let most = summary.labels.len();
    let both = |n| [(n, Remark::Long), (n, Remark::Short)];
    let choices = (0..=most).rev().flat_map(both).chain([(0, Remark::None)]);
    for (versions, remark) in choices {
        let (lines, longest) = full(versions, remark);
        if longest <= room {
            return lines;
        }
    }
    full(0, Remark::None).0
}

/// How much is said of differences in the line of a cell.
#[derive(Clone, Copy)]
enum Remark {
    Long,
    Short,
    None,
}

/// Columns up to the last character.
fn extent(line: &[Piece]) -> usize {
    let last = line.iter().rposition(|piece| !piece.text.trim().is_empty());
    last.map_or(0, |last| line[..=last].iter().map(|piece| width(&piece.text)).sum())
}

fn head(summary: &Summary<'_>, line: &Line<'_>, versions: usize, remark: Remark, options: &Options) -> Vec<Piece> {
    let (mark, ink) = mark(line.cell, options);
    let said = summary::short(line.cell);
    let mut row = vec![
        Piece::new(id(line.cell), Ink::Strong),
        Piece::new(format!("{mark} {said}"), ink),
        Piece::new(time(line.cell), Ink::Faint),
    ];
    let shown = summary.labels.iter().zip(&line.versions).take(versions);
    let mut columns: Vec<Piece> = shown.map(|(label, version)| Piece::plain(format!("{label} {version}"))).collect();
    columns.resize(versions, Piece::plain(""));
    row.extend(columns);
    row.push(Piece::new(remarked(line, remark), Ink::Faint));
    row
}

fn time(cell: &Cell) -> String {
    if cell.cached {
        "cached".to_owned()
    } else if cell.status == Status::Skipped || (cell.status == Status::Error && cell.timing.seconds == 0.0) {
        // It took no time because it never was.
        String::new()
    } else {
        duration(cell.timing.seconds)
    }
}

fn remarked(line: &Line<'_>, remark: Remark) -> String {
    match (line.matters(), remark) {
        (0, _) | (_, Remark::None) => String::new(),
        (1, Remark::Long) => "(1 difference matters)".to_owned(),
        (many, Remark::Long) => format!("({many} differences matter)"),
        (many, Remark::Short) => format!("({many} differ)"),
    }
}

fn details(page: &mut Page, indent: usize, document: &Document, line: &Line<'_>, options: &Options) {
    let cell = line.cell;
    if let Some(why) = &cell.forgiven
        && cell.is_forgiven()
    {
        page.wrapped(indent, 2, &format!("expected by carnet.toml: {}", one_line(why, 300)), Ink::Plain);
        return;
    }
    for step in summary::broken_steps(cell) {
        broken(page, indent, step, options);
    }
    failures(page, indent, cell, options);
    for text in cell.steps.iter().filter_map(summary::stopped) {
        page.wrapped(indent, 2, text, Ink::Faint);
    }
    flaky(page, indent, cell);
    if let Some(text) = summary::skipped(cell) {
        page.say(indent, clip(&text, room(options, indent)), Ink::Faint);
    }
    if let Some(hint) = &cell.hint {
        page.wrapped(indent, 6, &format!("help: {}", one_line(hint, 600)), Ink::Plain);
    }
    if cell.status == Status::Failed
        && let Some(diff) = line.diff
    {
        differences(page, indent, document, line.cell, diff, options);
    }
    if !cell.not_enforced.is_empty() {
        let parts: Vec<String> = cell.not_enforced.iter().map(|part| part_of_contract(part)).collect();
        let text = format!("note: not enforced here: {} (reasons in {DOCUMENT})", parts.join(", "));
        page.wrapped(indent, 6, &text, Ink::Faint);
    }
}

/// What isn't enforced, without the reason that follows it.
fn part_of_contract(text: &str) -> String {
    one_line(text.split(':').next().unwrap_or(text), 60)
}

fn broken(page: &mut Page, indent: usize, step: &Step, options: &Options) {
    let text = format!("{}: {}: {}", one_line(&step.name, 60), summary::step_reason(step), one_line(&step.run, 200));
    page.say(indent, clip(&text, room(options, indent)), Ink::Plain);
    let Some(output) = &step.output else { return };
    let cleaned = clean(&output.text);
    let lines: Vec<&str> = cleaned.lines().filter(|line| !line.trim().is_empty()).collect();
    for line in &lines[lines.len().saturating_sub(MAX_OUTPUT)..] {
        page.wrapped(indent + 2, 2, &one_line(line, MAX_LINES * room(options, indent + 4)), Ink::Faint);
    }
}

/// Columns left after an indentation; never so few that nothing can be said.
fn room(options: &Options, indent: usize) -> usize {
    options.width.saturating_sub(indent).max(20)
}

fn failures(page: &mut Page, indent: usize, cell: &Cell, options: &Options) {
    let bad = cell.counts().bad();
    for (_, case) in summary::cases(cell, summary::is_bad).take(MAX_TESTS) {
        let (name, reason) = (summary::case_name(case), summary::case_message(case));
        if width(&name) + 2 + width(&reason) <= room(options, indent) {
            page.say(indent, format!("{name}: {reason}"), Ink::Plain);
        } else {
            page.say(indent, name, Ink::Plain);
            let reason = clip(&reason, MAX_LINES * room(options, indent + 4)).into_owned();
            page.wrapped(indent + 2, 2, &reason, Ink::Plain);
        }
    }
    if bad > MAX_TESTS {
        page.say(indent, format!("and {} more", count(bad - MAX_TESTS, "failed test")), Ink::Faint);
    }
    let tried = summary::cases(cell, summary::is_bad).filter(|(_, case)| case.tried_network).count();
    if tried > 0 {
        let text =
            format!("help: {} tried the network, which is off here: {}", count(tried, "test"), summary::NETWORK_ADVICE);
        page.wrapped(indent, 6, &text, Ink::Plain);
    }
}

fn flaky(page: &mut Page, indent: usize, cell: &Cell) {
    let names: Vec<String> =
        summary::cases(cell, |outcome| outcome == Outcome::Flaky).map(|(_, case)| summary::case_name(case)).collect();
    let Some(first) = names.first() else { return };
    let others = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
    page.wrapped(indent, 2, &format!("flaky, passed when tried again: {first}{others}"), Ink::Plain);
}

fn differences(page: &mut Page, indent: usize, document: &Document, cell: &Cell, diff: &Diff, options: &Options) {
    let (shown, others) = sort::foremost(diff, cell, MAX_DIFFERENCES, options.all);
    let reference = document.reference.as_deref().unwrap_or("the reference");
    let reference = one_line(reference, 60);
    if summary::fails_alike(document, cell) {
        let text = format!(
            "fails as {reference} does, so what differs ({others} in {DOCUMENT}) is not the reason",
            others = count(shown.len() + others, "difference")
        );
        page.wrapped(indent, 2, &text, Ink::Plain);
        return;
    }
    if shown.is_empty() && others == 0 {
        page.say(indent, format!("no difference from {reference}"), Ink::Plain);
        return;
    }
    if shown.is_empty() {
        page.say(indent, format!("{} from {reference}, none that matters", count(others, "difference")), Ink::Plain);
        return;
    }
    page.say(indent, format!("differs from {reference}:"), Ink::Plain);
    let rows: Vec<Vec<Piece>> = shown.iter().map(|entry| pair(&entry.name(), entry.row, options)).collect();
    aligned(page, indent + 2, &rows, options);
    if others > 0 {
        page.say(indent + 2, format!("and {} in {DOCUMENT}", count(others, "other difference")), Ink::Faint);
    }
}

/// Name, the change in a word, and `reference → other`.
fn pair(name: &str, row: &Row, options: &Options) -> Vec<Piece> {
    let arrow = glyph(options, "→", "->");
    let origins = sort::shows_origin(row);
    let values: Vec<String> = row.values.iter().map(|value| sort::value(value, origins, "absent")).collect();
    vec![
        named(name, row, (options.width / 3).max(16)),
        Piece::new(sort::word(row.change), Ink::Faint),
        Piece::plain(values.join(&format!(" {arrow} "))),
    ]
}

fn named(name: &str, row: &Row, most: usize) -> Piece {
    Piece::new(clip(name, most), if row.weight == Weight::Direct { Ink::Trouble } else { Ink::Plain })
}

/// Rows in columns, each line cut at the width.
fn aligned(page: &mut Page, indent: usize, rows: &[Vec<Piece>], options: &Options) {
    let most = room(options, indent);
    let widths = widths(rows.iter().map(Vec::as_slice));
    for row in rows {
        page.line(indent, &fitted(padded(row, &widths), most));
    }
}

fn fitted(pieces: Vec<Piece>, most: usize) -> Vec<Piece> {
    let mut left = most;
    let mut out = Vec::new();
    for mut piece in pieces {
        if width(&piece.text) > left {
            piece.text = clip(&piece.text, left).into_owned();
        }
        left -= width(&piece.text).min(left);
        out.push(piece);
    }
    out
}

/// A bare difference: every section with the rows that matter, the rest counted.
pub(super) fn difference(diff: &Diff, options: &Options) -> String {
    let mut page = Page::new(*options);
    let names: Vec<String> = diff.columns.iter().map(|name| one_line(name, 60)).collect();
    if diff.is_empty() {
        page.say(0, format!("no differences between {}", names.join(" and ")), Ink::Good);
        return page.finish();
    }
    let between = if names.len() == 2 { format!(" {} ", glyph(options, "→", "->")) } else { ", ".to_owned() };
    page.say(0, names.join(&between), Ink::Strong);
    for section in &diff.sections {
        rows(&mut page, diff, section, options);
    }
    page.gap();
    let entries = sort::entries(diff);
    let weighing = |least: Weight| entries.iter().filter(|entry| entry.row.weight == least).count();
    let (direct, required) = (weighing(Weight::Direct), weighing(Weight::Required));
    let total = count(entries.len(), "difference");
    page.say(
        0,
        format!("{total}: {direct} direct, {required} that may matter, {} others", entries.len() - direct - required),
        Ink::Plain,
    );
    page.finish()
}

/// Rows that don't matter are shown too when they are no more than this in a section.
const FEW: usize = 3;

fn rows(page: &mut Page, diff: &Diff, section: &Section, options: &Options) {
    let matters = |row: &&Row| row.weight != Weight::Rest;
    let few = section.rows.iter().filter(|row| !matters(row)).count() <= FEW;
    let (shown, hidden): (Vec<&Row>, Vec<&Row>) =
        section.rows.iter().partition(|row| options.all || few || matters(row));
    page.gap();
    page.say(0, one_line(&section.title, 80), Ink::Strong);
    let pieces: Vec<Vec<Piece>> = if diff.columns.len() == 2 {
        shown.iter().map(|row| pair(&one_line(&row.name, 120), row, options)).collect()
    } else {
        std::iter::once(header(diff)).chain(shown.iter().map(|row| wide(row, options))).collect()
    };
    if !shown.is_empty() {
        aligned(page, 2, &pieces, options);
    }
    if !hidden.is_empty() {
        let who = if shown.is_empty() { "" } else { "others: " };
        page.say(2, format!("{who}{}", sort::tally(hidden.into_iter())), Ink::Faint);
    }
}

fn header(diff: &Diff) -> Vec<Piece> {
    let names = diff.columns.iter().map(|name| one_line(name, 24));
    ["".to_owned(), "".to_owned()].into_iter().chain(names).map(|text| Piece::new(text, Ink::Faint)).collect()
}

/// A row with a column for each environment.
fn wide(row: &Row, options: &Options) -> Vec<Piece> {
    let share = (options.width.saturating_sub(40) / row.values.len().max(1)).clamp(10, 40);
    let origins = sort::shows_origin(row);
    let mut pieces = vec![named(&one_line(&row.name, 24), row, 24), Piece::new(sort::word(row.change), Ink::Faint)];
    pieces.extend(row.values.iter().map(|value| Piece::plain(clip(&sort::value(value, origins, "absent"), share))));
    pieces
}
