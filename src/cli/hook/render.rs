//! Formats the result of a push scan for the terminal.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;

use crate::hook::scan::{PushScan, PushedCommit};
use crate::model::cell::Outcome;
use crate::model::document::Cell;
use crate::model::finding::{Finding, Severity};
use crate::model::shell::quote_if_needed;
use crate::model::text::{clean, count, list, one_line};
use crate::sys::clock;
use crate::ui::TerminalStyle;

/// Maximum number of findings shown.
const MAX_FINDINGS: usize = 10;
/// Maximum number of names in one line.
const MAX_NAMES: usize = 6;
/// Maximum number of columns of a message.
const MAX_MESSAGE_LEN: usize = 300;

/// Returns the output of the hook: findings, cells, and how to continue if the push is blocked. Empty if there is
/// nothing to report.
pub(super) fn text(scan: &PushScan, path: &Path, is_blocked: bool, style: &TerminalStyle) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write_findings(&mut text, scan, path, style);
    for commit in &scan.commits {
        let subject = if scan.commits.len() == 1 { "this commit".to_owned() } else { ref_names(commit) };
        let _ = write_cells(&mut text, commit, &subject, style);
    }
    if is_blocked {
        let fix = if scan.findings.is_empty() { "fix the failed cells" } else { "fix or accept the findings" };
        let _ = writeln!(text, "carnet: push blocked; {fix} or use `git push --no-verify`");
    }
    text
}

fn write_findings(text: &mut String, scan: &PushScan, path: &Path, style: &TerminalStyle) -> std::fmt::Result {
    if scan.findings.is_empty() {
        return Ok(());
    }
    let number = |severity| scan.findings.iter().filter(|finding| finding.severity == severity).count();
    let counts = [(Severity::Error, "error"), (Severity::Warning, "warning")]
        .map(|(severity, word)| (number(severity), word))
        .into_iter()
        .filter(|(number, _)| *number > 0);
    let counts: Vec<String> = counts.map(|(number, word)| count(number, word)).collect();
    let files = count(usize::try_from(scan.files).unwrap_or(usize::MAX), "changed file");
    let refs: Vec<String> = scan.commits.iter().map(ref_names).collect();
    writeln!(text, "carnet: {} in {files} ({})", counts.join(", "), list(&refs, MAX_NAMES))?;
    for finding in scan.findings.iter().take(MAX_FINDINGS) {
        write_finding(text, finding, path, style)?;
    }
    let more = scan.findings.len().saturating_sub(MAX_FINDINGS);
    let label = if more > 0 { format!("{more} more") } else { "details".to_owned() };
    for range in scan.commits.iter().take(2).map(commit_range) {
        writeln!(text, "  {label}: carnet scan --changed {range}{}", path_argument(path))?;
    }
    Ok(())
}

fn write_finding(text: &mut String, finding: &Finding, path: &Path, style: &TerminalStyle) -> std::fmt::Result {
    let word = match finding.severity {
        Severity::Error => paint("31", "error", style),
        Severity::Warning => paint("33", "warning", style),
        Severity::Note => "note".to_owned(),
    };
    let line = finding.span.map(|span| format!(":{}", span.line)).unwrap_or_default();
    let file = path.join(&finding.path);
    let file = file.strip_prefix(".").unwrap_or(&file).display().to_string();
    let message = one_line(&finding.message, MAX_MESSAGE_LEN);
    writeln!(text, "  {word} {}{line}: {message} [{}]", clean(&file), finding.rule)?;
    // Help for warnings is only in the full report.
    match finding.help.as_ref().filter(|_| finding.severity == Severity::Error) {
        Some(help) => writeln!(text, "        {}", one_line(help, MAX_MESSAGE_LEN)),
        None => Ok(()),
    }
}

fn write_cells(text: &mut String, commit: &PushedCommit, subject: &str, style: &TerminalStyle) -> std::fmt::Result {
    for cached in commit.cells.iter().filter(|cell| cell.is_failed()) {
        let Some((cell, stored)) = &cached.result else { continue };
        let failed = paint("31", "failed", style);
        writeln!(text, "carnet: {} {failed} for {subject}, {}: {}", cached.id, age(*stored), failure_reason(cell))?;
    }
    let not_run: Vec<String> =
        commit.cells.iter().filter(|cell| cell.result.is_none()).map(|cell| cell.id.clone()).collect();
    if not_run.is_empty() {
        return Ok(());
    }
    writeln!(text, "carnet: not run for {subject}: {}; run `carnet check`", list(&not_run, MAX_NAMES))
}

/// Returns the first failed test, or the cell's reason if no test failed.
fn failure_reason(cell: &Cell) -> String {
    let mut cases = cell.steps.iter().flat_map(|step| &step.cases);
    let failed = cases.find(|case| matches!(case.outcome, Outcome::Failed | Outcome::Errored));
    let reason = match failed {
        Some(case) if case.class == case.name => format!("{}: {}", case.name, case.message),
        Some(case) => format!("{}::{}: {}", case.class, case.name, case.message),
        None => cell.reason.clone().unwrap_or_default(),
    };
    one_line(reason.trim_end_matches(": "), MAX_MESSAGE_LEN)
}

fn age(stored: Timestamp) -> String {
    let seconds = clock::now().duration_since(stored).as_secs().max(0);
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86400 => format!("{} h ago", seconds / 3600),
        86400..172_800 => "1 day ago".to_owned(),
        _ => format!("{} days ago", seconds / 86400),
    }
}

fn ref_names(commit: &PushedCommit) -> String {
    let names: Vec<String> = commit.refs.iter().map(|name| name.trim_start_matches("refs/heads/").to_owned()).collect();
    list(&names, MAX_NAMES)
}

/// Returns the value of `carnet scan --changed` for this commit.
fn commit_range(commit: &PushedCommit) -> String {
    let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
    match &commit.base {
        Some(base) => format!("{}..{}", short(base), short(&commit.id)),
        None => short(&commit.id),
    }
}

/// Returns the path as a shell argument with a leading space, or nothing for the current directory.
fn path_argument(path: &Path) -> String {
    if path == Path::new(".") {
        return String::new();
    }
    format!(" {}", quote_if_needed(&clean(&path.to_string_lossy())))
}

/// Returns the word in a bold color (ECMA-48, SGR), if standard error supports colors.
fn paint(color: &str, word: &str, style: &TerminalStyle) -> String {
    if style.color_err { format!("\x1b[1;{color}m{word}\x1b[0m") } else { word.to_owned() }
}
