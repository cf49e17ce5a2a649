//! What a hook says: the worst first, at most ten findings, then how to go on.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;

use crate::hook::{Seen, Tip};
use crate::model::cell::Outcome;
use crate::model::document::Cell;
use crate::model::finding::{Finding, Severity};
use crate::model::text::{clean, count, list, one_line, shell_quote};
use crate::ui::TerminalStyle;

/// Findings that are shown.
const MOST_FINDINGS: usize = 10;
/// Names in one line.
const MOST_NAMES: usize = 6;
/// Columns of a message.
const MOST_TEXT: usize = 300;

/// Everything that is to be said; empty when there is nothing.
pub(super) fn text(seen: &Seen, path: &Path, stops: bool, look: &TerminalStyle) -> String {
    let mut text = String::new();
    // Writing into a string can't fail.
    let _ = findings(&mut text, seen, path, look);
    let is_one = seen.tips.len() == 1;
    for tip in &seen.tips {
        let what = if is_one { "this commit".to_owned() } else { name(tip) };
        let _ = cells(&mut text, tip, &what, look);
    }
    if stops {
        let _ = writeln!(text, "carnet: the push is stopped. {}", how_to_go_on(seen));
    }
    text
}

fn how_to_go_on(seen: &Seen) -> &'static str {
    if seen.findings.is_empty() {
        "Mend it, or push all the same: git push --no-verify"
    } else {
        "Mend it, accept it (a comment, carnet.toml, a baseline), or push all the same: git push --no-verify"
    }
}

fn findings(text: &mut String, seen: &Seen, path: &Path, look: &TerminalStyle) -> std::fmt::Result {
    if seen.findings.is_empty() {
        return Ok(());
    }
    let number = |severity| seen.findings.iter().filter(|finding| finding.severity == severity).count();
    let parts = [(Severity::Error, "error"), (Severity::Warning, "warning")];
    let parts = parts.map(|(severity, word)| (number(severity), word));
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| count(*n, word)).collect();
    let files = count(usize::try_from(seen.files).unwrap_or(usize::MAX), "changed file");
    let refs: Vec<String> = seen.tips.iter().map(name).collect();
    writeln!(text, "carnet: {} in {files} ({})", parts.join(", "), list(&refs, MOST_NAMES))?;
    for finding in seen.findings.iter().take(MOST_FINDINGS) {
        finding_lines(text, finding, path, look)?;
    }
    let more = seen.findings.len().saturating_sub(MOST_FINDINGS);
    let what = if more > 0 { format!("and {more} more") } else { "details".to_owned() };
    for range in seen.tips.iter().take(2).map(range) {
        writeln!(text, "  {what}: carnet scan --changed {range}{}", below(path))?;
    }
    Ok(())
}

fn finding_lines(text: &mut String, finding: &Finding, path: &Path, look: &TerminalStyle) -> std::fmt::Result {
    let word = match finding.severity {
        Severity::Error => paint("31", "error", look),
        Severity::Warning => paint("33", "warning", look),
        Severity::Note => "note".to_owned(),
    };
    let line = finding.span.map(|span| format!(":{}", span.line)).unwrap_or_default();
    let file = path.join(&finding.path);
    let file = file.strip_prefix(".").unwrap_or(&file).display().to_string();
    writeln!(text, "  {word} {}{line}: {} [{}]", clean(&file), one_line(&finding.message, MOST_TEXT), finding.rule)?;
    // Warnings can wait for the whole report.
    match finding.help.as_ref().filter(|_| finding.severity == Severity::Error) {
        Some(help) => writeln!(text, "        {}", one_line(help, MOST_TEXT)),
        None => Ok(()),
    }
}

fn cells(text: &mut String, tip: &Tip, what: &str, look: &TerminalStyle) -> std::fmt::Result {
    for seen in tip.cells.iter().filter(|cell| cell.is_failed()) {
        let Some((cell, stored)) = &seen.result else { continue };
        let failed = paint("31", "failed", look);
        writeln!(text, "carnet: {} {failed} for {what}, {}: {}", seen.id, ago(*stored), why(cell))?;
    }
    let unknown: Vec<String> =
        tip.cells.iter().filter(|cell| cell.result.is_none()).map(|cell| cell.id.clone()).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    writeln!(text, "carnet: not run for {what}: {} (carnet check)", list(&unknown, MOST_NAMES))
}

/// The first test that failed, or what else is said of it.
fn why(cell: &Cell) -> String {
    let mut bad = cell.steps.iter().flat_map(|step| &step.cases);
    let bad = bad.find(|case| matches!(case.outcome, Outcome::Failed | Outcome::Errored));
    let said = match bad {
        Some(case) if case.class == case.name => format!("{}: {}", case.name, case.message),
        Some(case) => format!("{}::{}: {}", case.class, case.name, case.message),
        None => cell.reason.clone().unwrap_or_default(),
    };
    one_line(said.trim_end_matches(": "), MOST_TEXT)
}

fn ago(stored: Timestamp) -> String {
    let seconds = Timestamp::now().duration_since(stored).as_secs().max(0);
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86400),
    }
}

fn name(tip: &Tip) -> String {
    let names: Vec<String> = tip.refs.iter().map(|name| name.trim_start_matches("refs/heads/").to_owned()).collect();
    list(&names, MOST_NAMES)
}

/// What `carnet scan --changed` takes.
fn range(tip: &Tip) -> String {
    let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
    match &tip.base {
        Some(base) => format!("{}..{}", short(base), short(&tip.commit)),
        None => short(&tip.commit),
    }
}

/// A path as a word of a shell.
fn below(path: &Path) -> String {
    if path == Path::new(".") {
        return String::new();
    }
    let text = path.to_string_lossy();
    let text = clean(&text);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    if text.chars().all(plain) { format!(" {text}") } else { format!(" {}", shell_quote(&text)) }
}

/// The word in a colour of the terminal (ECMA-48, SGR).
fn paint(color: &str, word: &str, look: &TerminalStyle) -> String {
    if look.color_err { format!("\x1b[1;{color}m{word}\x1b[0m") } else { word.to_owned() }
}
