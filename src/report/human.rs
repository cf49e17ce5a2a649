//! Plain text for a terminal: one line per cell, followed by the details of cells that did not pass.

use crate::model::cell::{Outcome, Step};
use crate::model::diff::{Diff, Relevance, Row, Section};
use crate::model::document::{Cell, Document, Status};
use crate::model::verdict::{Verdict, verdict};

use super::Options;
use super::scan;
use super::sort;
use super::summary::{self, Line, Summary};
use super::table::{Ink, Page, Piece, padded, widths};
use crate::model::text::{clean, clip, count, duration, one_line, width};

/// Maximum number of failed tests listed below a cell.
const MAX_TESTS: usize = 5;
/// Maximum number of differences listed below a failed cell.
const MAX_DIFFERENCES: usize = 8;
/// Maximum number of last output lines of a command that failed without a test case.
const MAX_OUTPUT: usize = 4;
/// Maximum number of terminal lines of a message or of a line of output.
const MAX_LINES: usize = 3;
/// Maximum indentation of details in columns.
const MAX_INDENT: usize = 14;
/// Name of the file with the complete result.
const DOCUMENT: &str = "carnet.json";

/// Renders a document.
pub(super) fn document(document: &Document, options: &Options) -> String {
    let mut page = Page::new(*options);
    let summary = Summary::of(document);
    page.write(0, summary::subject(document), Ink::Strong);
    if let Some(findings) = document.scan.as_ref().and_then(scan::tally::summary) {
        page.wrapped(2, 4, &format!("scan: {findings} (run carnet scan for details)"), Ink::Faint);
    }
    let heads: Vec<Vec<Piece>> = heads(&summary, options);
    let ids = summary.lines.iter().map(|line| width(&id(line.cell))).max().unwrap_or(0);
    let indent = (ids + 4).min(MAX_INDENT);
    for (line, head) in summary.lines.iter().zip(heads) {
        page.line(2, &head);
        if let (_, Some(reason)) = summary::headline(line.cell)
            && !is_shown_below(line.cell, &reason)
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

/// Reports whether the details show the reason together with the output of its step.
fn is_shown_below(cell: &Cell, reason: &str) -> bool {
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
        Status::Failed if cell.is_expected_failure() => (glyph(options, "✗", "x"), Ink::Faint),
        Status::Failed => (glyph(options, "✗", "x"), Ink::Bad),
        Status::Error => ("!", Ink::Trouble),
        Status::Skipped => ("-", Ink::Faint),
    }
}

/// Returns the line of each cell, with as many versions as fit into the width.
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
    let columns = summary.labels.len();
    let both = |n| [(n, Remark::Long), (n, Remark::Short)];
    let choices = (0..=columns).rev().flat_map(both).chain([(0, Remark::None)]);
    for (versions, remark) in choices {
        let (lines, longest) = full(versions, remark);
        if longest <= room {
            return lines;
        }
    }
    full(0, Remark::None).0
}

/// Length of the remark about differences in the line of a cell.
#[derive(Clone, Copy)]
enum Remark {
    Long,
    Short,
    None,
}

/// Returns the number of columns up to the last visible character.
fn extent(line: &[Piece]) -> usize {
    let last = line.iter().rposition(|piece| !piece.text.trim().is_empty());
    last.map_or(0, |last| line[..=last].iter().map(|piece| width(&piece.text)).sum())
}

fn head(summary: &Summary<'_>, line: &Line<'_>, versions: usize, remark: Remark, options: &Options) -> Vec<Piece> {
    let (mark, ink) = mark(line.cell, options);
    let result = summary::short(line.cell);
    let mut row = vec![
        Piece::new(id(line.cell), Ink::Strong),
        Piece::new(format!("{mark} {result}"), ink),
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
        // The cell did not start.
        String::new()
    } else {
        duration(cell.timing.seconds)
    }
}

fn remarked(line: &Line<'_>, remark: Remark) -> String {
    match (line.relevant(), remark) {
        (0, _) | (_, Remark::None) => String::new(),
        (number, Remark::Long) => format!("({})", count(number, "relevant difference")),
        (number, Remark::Short) => format!("({number} differ)"),
    }
}

fn details(page: &mut Page, indent: usize, document: &Document, line: &Line<'_>, options: &Options) {
    let cell = line.cell;
    if let Some(why) = &cell.expected_failure
        && cell.is_expected_failure()
    {
        page.wrapped(indent, 2, &format!("expected failure: {}", one_line(why, 300)), Ink::Plain);
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
        page.write(indent, clip(&text, room(options, indent)), Ink::Faint);
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
        let text = format!("note: not enforced: {} (see {DOCUMENT} for the reasons)", parts.join(", "));
        page.wrapped(indent, 6, &text, Ink::Faint);
    }
}

/// Returns the part of the contract that is not enforced, without the reason after the colon.
fn part_of_contract(text: &str) -> String {
    one_line(text.split(':').next().unwrap_or(text), 60)
}

fn broken(page: &mut Page, indent: usize, step: &Step, options: &Options) {
    let text = format!("{}: {}: {}", one_line(&step.name, 60), summary::step_reason(step), one_line(&step.run, 200));
    page.write(indent, clip(&text, room(options, indent)), Ink::Plain);
    let Some(output) = &step.output else { return };
    let cleaned = clean(&output.text);
    let lines: Vec<&str> = cleaned.lines().filter(|line| !line.trim().is_empty()).collect();
    for line in &lines[lines.len().saturating_sub(MAX_OUTPUT)..] {
        page.wrapped(indent + 2, 2, &one_line(line, MAX_LINES * room(options, indent + 4)), Ink::Faint);
    }
}

/// Returns the number of columns after an indentation, at least 20.
fn room(options: &Options, indent: usize) -> usize {
    options.width.saturating_sub(indent).max(20)
}

fn failures(page: &mut Page, indent: usize, cell: &Cell, options: &Options) {
    let bad = cell.counts().failures();
    for (_, case) in summary::cases(cell, summary::is_bad).take(MAX_TESTS) {
        let (name, reason) = (summary::case_name(case), summary::case_message(case));
        if width(&name) + 2 + width(&reason) <= room(options, indent) {
            page.write(indent, format!("{name}: {reason}"), Ink::Plain);
        } else {
            page.write(indent, name, Ink::Plain);
            let reason = clip(&reason, MAX_LINES * room(options, indent + 4)).into_owned();
            page.wrapped(indent + 2, 2, &reason, Ink::Plain);
        }
    }
    if bad > MAX_TESTS {
        page.write(indent, format!("and {}", count(bad - MAX_TESTS, "more failed test")), Ink::Faint);
    }
    let tried = summary::cases(cell, summary::is_bad).filter(|(_, case)| case.tried_network).count();
    if tried > 0 {
        let text = format!(
            "help: {} tried to use the network, which is disabled: {}",
            count(tried, "test"),
            summary::NETWORK_ADVICE
        );
        page.wrapped(indent, 6, &text, Ink::Plain);
    }
}

fn flaky(page: &mut Page, indent: usize, cell: &Cell) {
    let names: Vec<String> =
        summary::cases(cell, |outcome| outcome == Outcome::Flaky).map(|(_, case)| summary::case_name(case)).collect();
    let Some(first) = names.first() else { return };
    let others = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
    page.wrapped(indent, 2, &format!("flaky, passed on retry: {first}{others}"), Ink::Plain);
}

fn differences(page: &mut Page, indent: usize, document: &Document, cell: &Cell, diff: &Diff, options: &Options) {
    let (shown, others) = sort::most_relevant(diff, cell, MAX_DIFFERENCES, options.all);
    let reference = document.reference.as_deref().unwrap_or("the reference");
    let reference = one_line(reference, 60);
    if summary::fails_alike(document, cell) {
        let text = format!(
            "fails in the same way as {reference}, so differences are not the cause ({differences} in {DOCUMENT})",
            differences = count(shown.len() + others, "difference")
        );
        page.wrapped(indent, 2, &text, Ink::Plain);
        return;
    }
    if shown.is_empty() && others == 0 {
        page.write(indent, format!("no differences from {reference}"), Ink::Plain);
        return;
    }
    if shown.is_empty() {
        page.write(indent, format!("{} from {reference}, none relevant", count(others, "difference")), Ink::Plain);
        return;
    }
    page.write(indent, format!("differs from {reference}:"), Ink::Plain);
    let rows: Vec<Vec<Piece>> = shown.iter().map(|entry| pair(&entry.name(), entry.row, options)).collect();
    aligned(page, indent + 2, &rows, options);
    if others > 0 {
        page.write(indent + 2, format!("and {} in {DOCUMENT}", count(others, "more difference")), Ink::Faint);
    }
}

/// Returns the name, the kind of change, and `reference → other`.
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

fn named(name: &str, row: &Row, max_width: usize) -> Piece {
    Piece::new(clip(name, max_width), if row.relevance == Relevance::Direct { Ink::Trouble } else { Ink::Plain })
}

/// Writes rows in columns, each line truncated to the width.
fn aligned(page: &mut Page, indent: usize, rows: &[Vec<Piece>], options: &Options) {
    let max_width = room(options, indent);
    let widths = widths(rows.iter().map(Vec::as_slice));
    for row in rows {
        page.line(indent, &fitted(padded(row, &widths), max_width));
    }
}

fn fitted(pieces: Vec<Piece>, max_width: usize) -> Vec<Piece> {
    let mut rest = max_width;
    let mut out = Vec::new();
    for mut piece in pieces {
        if piece.text.trim().is_empty() {
            // Spaces between columns, or after the last one.
            piece.text.truncate(rest);
        } else if width(&piece.text) > rest {
            piece.text = clip(&piece.text, rest).into_owned();
        }
        rest -= width(&piece.text).min(rest);
        out.push(piece);
    }
    out
}

/// Renders a comparison of environments: the relevant rows of every section, and counts of the rest.
pub(super) fn difference(diff: &Diff, options: &Options) -> String {
    let mut page = Page::new(*options);
    let names: Vec<String> = diff.columns.iter().map(|name| one_line(name, 60)).collect();
    if diff.is_empty() {
        page.write(0, format!("no differences between {}", names.join(" and ")), Ink::Good);
        return page.finish();
    }
    let between = if names.len() == 2 { format!(" {} ", glyph(options, "→", "->")) } else { ", ".to_owned() };
    page.write(0, names.join(&between), Ink::Strong);
    for section in &diff.sections {
        rows(&mut page, diff, section, options);
    }
    page.gap();
    let entries = sort::entries(diff);
    let number = |relevance: Relevance| entries.iter().filter(|entry| entry.row.relevance == relevance).count();
    let (direct, required) = (number(Relevance::Direct), number(Relevance::Required));
    let total = count(entries.len(), "difference");
    page.write(
        0,
        format!(
            "{total}: {direct} relevant, {required} possibly relevant, {} other",
            entries.len() - direct - required
        ),
        Ink::Plain,
    );
    page.finish()
}

/// Maximum number of rows of a section that are shown although they are not relevant.
const MAX_IRRELEVANT: usize = 3;

fn rows(page: &mut Page, diff: &Diff, section: &Section, options: &Options) {
    let is_relevant = |row: &&Row| row.relevance != Relevance::Rest;
    let few = section.rows.iter().filter(|row| !is_relevant(row)).count() <= MAX_IRRELEVANT;
    let (shown, hidden): (Vec<&Row>, Vec<&Row>) =
        section.rows.iter().partition(|row| options.all || few || is_relevant(row));
    page.gap();
    page.write(0, one_line(&section.title, 80), Ink::Strong);
    let pieces: Vec<Vec<Piece>> = if diff.columns.len() == 2 {
        shown.iter().map(|row| pair(&one_line(&row.name, 120), row, options)).collect()
    } else {
        std::iter::once(header(diff)).chain(shown.iter().map(|row| wide(row, options))).collect()
    };
    if !shown.is_empty() {
        aligned(page, 2, &pieces, options);
    }
    if !hidden.is_empty() {
        let prefix = if shown.is_empty() { "" } else { "other: " };
        page.write(2, format!("{prefix}{}", sort::tally(hidden.into_iter())), Ink::Faint);
    }
}

fn header(diff: &Diff) -> Vec<Piece> {
    let names = diff.columns.iter().map(|name| one_line(name, 24));
    ["".to_owned(), "".to_owned()].into_iter().chain(names).map(|text| Piece::new(text, Ink::Faint)).collect()
}

/// Returns a row with one column per environment.
fn wide(row: &Row, options: &Options) -> Vec<Piece> {
    let share = (options.width.saturating_sub(40) / row.values.len().max(1)).clamp(10, 40);
    let origins = sort::shows_origin(row);
    let mut pieces = vec![named(&one_line(&row.name, 24), row, 24), Piece::new(sort::word(row.change), Ink::Faint)];
    pieces.extend(row.values.iter().map(|value| Piece::plain(clip(&sort::value(value, origins, "absent"), share))));
    pieces
}
