//! GitHub-flavoured Markdown for step summaries and merge-request comments.

use crate::model::cell::{Captured, Outcome, Step};
use crate::model::diff::{Diff, Relevance, Row, Section};
use crate::model::document::{Cell, Document, Status};

use super::Options;
use super::markup::{MAX_BYTES, code, entities, fenced, put};
use super::scan;
use super::sort;
use super::summary::{self, Line, Summary};
use crate::model::text::{count, duration, one_line, sentence};

/// Maximum number of failed tests of a cell that are shown with their output.
const MAX_OUTPUTS: usize = 20;
/// Maximum number of further failed tests that are listed.
const MAX_NAMES: usize = 200;
/// Maximum number of differences of a cell.
const MAX_ROWS: usize = 60;
/// Maximum number of cells with infrastructure errors whose details are expanded. More of them probably have one cause.
const MAX_OPEN: usize = 3;
/// Maximum width of a reason in the table of cells in columns.
const MAX_REASON: usize = 200;
/// Maximum number of versions in the table of cells.
const MAX_VERSIONS: usize = 5;

/// Renders a document: a table of the cells, then a section for each cell that did not pass.
pub(super) fn document(document: &Document, options: &Options) -> String {
    let summary = Summary::of(document);
    let mut out = format!("## carnet: {}\n\n", code(&summary::subject(document)));
    put(&mut out, format_args!("{} {}\n\n", emblem(document), sentence(&summary::sentence(document, code))));
    cells(&mut out, &summary);
    put(&mut out, format_args!("\n{}, in {}.\n", summary::totals(document), duration(document.timing.seconds)));
    let notable: Vec<&Line<'_>> = summary.lines.iter().filter(|line| is_notable(line)).collect();
    for (index, line) in notable.iter().enumerate() {
        let section = section(document, line, options);
        if out.len() + section.len() > MAX_BYTES {
            let omitted = count(notable.len() - index, "section");
            put(
                &mut out,
                format_args!(
                    "\n_{omitted} omitted because of the size limit; `carnet.json` and the JUnit report are complete._\n"
                ),
            );
            break;
        }
        out.push_str(&section);
    }
    let room = MAX_BYTES.saturating_sub(out.len());
    out.extend(document.scan.as_ref().and_then(|scan| scan::markdown::part(scan, room)));
    out
}

fn emblem(document: &Document) -> &'static str {
    use crate::model::verdict::{Verdict, verdict};
    match verdict(document) {
        Verdict::Good => "✅",
        Verdict::Analysis => "❌",
        Verdict::Infrastructure | Verdict::Nothing => "⚠️",
    }
}

fn symbol(line: &Line<'_>) -> &'static str {
    match line.cell.status {
        Status::Passed => "✅",
        Status::Flaky => "🔁",
        Status::Failed if line.cell.is_expected_failure() => "☑️",
        Status::Failed => "❌",
        Status::Error => "⚠️",
        Status::Skipped => "⏭️",
    }
}

fn cells(out: &mut String, summary: &Summary<'_>) {
    let labels: Vec<String> = summary.labels.iter().take(MAX_VERSIONS).map(|label| code(label)).collect();
    put(out, format_args!("| | cell | result | time | {} | relevant differences |\n", labels.join(" | ")));
    put(out, format_args!("|---|---|---|--:|{}--:|\n", "---|".repeat(labels.len())));
    for line in &summary.lines {
        let versions: Vec<String> =
            (0..labels.len()).map(|i| line.versions.get(i).map(|version| code(version)).unwrap_or_default()).collect();
        let time = match (line.cell.cached, line.cell.status) {
            (true, _) => "cached".to_owned(),
            (_, Status::Skipped) => String::new(),
            // The cell did not start.
            (_, Status::Error) if line.cell.timing.seconds == 0.0 => String::new(),
            _ => duration(line.cell.timing.seconds).replace(' ', "&nbsp;"),
        };
        let relevant = line.diff.map_or_else(String::new, |_| line.relevant().to_string());
        let result = headline(line);
        put(
            out,
            format_args!(
                "| {} | {} | {result} | {time} | {} | {relevant} |\n",
                symbol(line),
                code(&line.cell.id),
                versions.join(" | ")
            ),
        );
    }
}

/// Returns the result of a cell, with the untrusted reason as code.
fn headline(line: &Line<'_>) -> String {
    let (result, reason) = summary::headline(line.cell);
    let result = if line.cell.is_expected_failure() { format!("{result} (expected)") } else { result };
    reason.map_or(result.clone(), |reason| format!("{result}: {}", code(&one_line(&reason, MAX_REASON))))
}

/// Reports whether a cell has details in addition to its row.
fn is_notable(line: &Line<'_>) -> bool {
    let cell = line.cell;
    match cell.status {
        // The row contains everything else.
        Status::Skipped => cell.hint.is_some() || !cell.not_enforced.is_empty(),
        Status::Passed => !cell.not_enforced.is_empty(),
        Status::Error => {
            let is_long = cell.reason.as_ref().is_some_and(|reason| reason.len() > MAX_REASON);
            is_long || cell.hint.is_some() || !cell.not_enforced.is_empty() || !cell.steps.is_empty()
        }
        Status::Flaky | Status::Failed => true,
    }
}

fn section(document: &Document, line: &Line<'_>, options: &Options) -> String {
    let cell = line.cell;
    let few = || document.cells.iter().filter(|cell| cell.status == Status::Error).count() <= MAX_OPEN;
    let is_open = match cell.status {
        Status::Failed => !cell.is_expected_failure(),
        Status::Error => few(),
        Status::Passed | Status::Flaky | Status::Skipped => false,
    };
    let open = if is_open { " open" } else { "" };
    let mut out =
        format!("\n<details{open}>\n<summary>{} {}: {}</summary>\n\n", symbol(line), code(&cell.id), headline(line));
    let is_shown = summary::headline(cell).1.is_some_and(|reason| reason.len() <= MAX_REASON);
    if let Some(reason) = cell.reason.as_ref().filter(|_| !is_shown) {
        put(&mut out, format_args!("{}\n\n", code(reason)));
    }
    if let Some(hint) = &cell.hint {
        put(&mut out, format_args!("**Help:** {}\n\n", code(hint)));
    }
    if let Some(why) = cell.expected_failure.as_ref().filter(|_| cell.is_expected_failure()) {
        put(&mut out, format_args!("Expected failure: {}\n\n", code(why)));
    }
    steps(&mut out, line);
    failures(&mut out, line);
    for text in cell.steps.iter().filter_map(summary::stopped) {
        put(&mut out, format_args!("_{text}._\n\n"));
    }
    flaky(&mut out, line);
    if cell.status == Status::Failed
        && let Some(diff) = line.diff
    {
        differences(&mut out, document, cell, diff, options);
    }
    if !cell.not_enforced.is_empty() {
        out.push_str("Parts of the contract that were not enforced:\n\n");
        cell.not_enforced.iter().take(50).for_each(|part| put(&mut out, format_args!("- {}\n", code(part))));
        out.push('\n');
    }
    out.push_str("</details>\n");
    out
}

fn steps(out: &mut String, line: &Line<'_>) {
    for step in summary::broken_steps(line.cell) {
        put(out, format_args!("**{}**: {}\n\n", code(&step.name), code(&summary::step_reason(step))));
        out.push_str(&fenced(&format!("$ {}\n{}", step.run, output(step.output.as_ref())), "text"));
        out.push('\n');
    }
}

fn output(captured: Option<&Captured>) -> &str {
    captured.map(|captured| captured.text.as_str()).unwrap_or_default()
}

fn failures(out: &mut String, line: &Line<'_>) {
    let bad: Vec<_> = summary::cases(line.cell, summary::is_bad).collect();
    for (_, case) in bad.iter().take(MAX_OUTPUTS) {
        let verb = if case.outcome == Outcome::Errored { "errored" } else { "failed" };
        put(
            out,
            format_args!("**{}** {verb}: {}\n\n", code(&summary::case_name(case)), code(&summary::case_reason(case))),
        );
        if let Some(captured) = &case.output {
            out.push_str(&fenced(&captured.text, "text"));
            out.push('\n');
        }
    }
    let others = bad.get(MAX_OUTPUTS..).unwrap_or_default();
    if others.is_empty() {
        return;
    }
    put(out, format_args!("{}:\n\n", count(others.len(), "more failed test")));
    for (_, case) in others.iter().take(MAX_NAMES) {
        put(out, format_args!("- {}\n", code(&summary::case_name(case))));
    }
    if others.len() > MAX_NAMES {
        put(out, format_args!("- and {} more\n", others.len() - MAX_NAMES));
    }
    out.push('\n');
}

fn flaky(out: &mut String, line: &Line<'_>) {
    let cases: Vec<_> = summary::cases(line.cell, |outcome| outcome == Outcome::Flaky).collect();
    if cases.is_empty() {
        return;
    }
    out.push_str("Flaky, passed on retry:\n\n");
    for (step, case) in cases.iter().take(MAX_NAMES) {
        put(out, format_args!("- {}{}\n", code(&summary::case_name(case)), attempts(step)));
    }
    out.push('\n');
}

fn attempts(step: &Step) -> String {
    if step.attempts > 1 { format!(" ({} attempts)", step.attempts) } else { String::new() }
}

fn differences(out: &mut String, document: &Document, cell: &Cell, diff: &Diff, options: &Options) {
    let reference = code(document.reference.as_deref().unwrap_or("the reference"));
    let (shown, others) = sort::most_relevant(diff, cell, MAX_ROWS, options.all);
    if summary::fails_alike(document, cell) {
        let total = count(shown.len() + others, "difference");
        put(
            out,
            format_args!(
                "The cell fails in the same way as {reference}, so differences are not the cause ({total} in `carnet.json`).\n\n"
            ),
        );
        return;
    }
    if shown.is_empty() {
        let total = count(others, "difference");
        put(out, format_args!("{total} from {reference}, none relevant to this analysis.\n\n"));
        return;
    }
    put(out, format_args!("Differences from {reference}, the most relevant first:\n\n"));
    out.push_str("| | item | reference | this cell | change |\n|---|---|---|---|---|\n");
    for entry in &shown {
        let mark = if entry.row.relevance == Relevance::Direct { "**!**" } else { "" };
        put(
            out,
            format_args!(
                "| {mark} | {} | {} | {} |\n",
                code(&entry.name()),
                values(entry.row),
                sort::word(entry.row.change)
            ),
        );
    }
    out.push('\n');
    if others > 0 {
        put(out, format_args!("{} in `carnet.json`.\n\n", count(others, "more difference")));
    }
}

fn values(row: &Row) -> String {
    let origins = sort::shows_origin(row);
    let shown: Vec<String> =
        row.values.iter().map(|value| code(&one_line(&sort::value(value, origins, "absent"), 160))).collect();
    shown.join(" | ")
}

/// Renders a comparison of environments: a table per section, with other rows collapsed.
pub(super) fn difference(diff: &Diff, options: &Options) -> String {
    let names: Vec<String> = diff.columns.iter().map(|name| code(name)).collect();
    if diff.is_empty() {
        return format!("No differences between {}.\n", names.join(" and "));
    }
    let mut out = format!("## {}\n", names.join(if names.len() == 2 { " → " } else { ", " }));
    for (index, section) in diff.sections.iter().enumerate() {
        let text = table(section, &names, options);
        if out.len() + text.len() > MAX_BYTES {
            let omitted = count(diff.sections.len() - index, "section");
            put(
                &mut out,
                format_args!("\n_{omitted} omitted because of the size limit; the JSON report is complete._\n"),
            );
            break;
        }
        out.push_str(&text);
    }
    out
}

fn table(section: &Section, names: &[String], options: &Options) -> String {
    let (shown, collapsed): (Vec<&Row>, Vec<&Row>) =
        section.rows.iter().partition(|row| options.all || row.relevance != Relevance::Rest);
    let mut out = format!("\n### {}\n\n", entities(&one_line(&section.title, 80)));
    if !shown.is_empty() {
        rows(&mut out, &shown, names);
    }
    if !collapsed.is_empty() {
        let tally = sort::tally(collapsed.iter().copied());
        put(&mut out, format_args!("<details>\n<summary>{tally}</summary>\n\n"));
        rows(&mut out, &collapsed, names);
        out.push_str("</details>\n");
    }
    out
}

fn rows(out: &mut String, rows: &[&Row], names: &[String]) {
    put(out, format_args!("| | {} | change |\n|---|{}---|\n", names.join(" | "), "---|".repeat(names.len())));
    for row in rows {
        put(out, format_args!("| {} | {} | {} |\n", code(&row.name), values(row), sort::word(row.change)));
    }
    out.push('\n');
}
