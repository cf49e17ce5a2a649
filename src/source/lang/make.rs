//! Makefiles.

use std::ops::Range;

use super::fact::{Dialect, Host, Usage, Word};
use super::shell;
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, items, lines, trim};

/// Reads a part of a text as a Makefile.
pub(super) fn read(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let mut start: Option<usize> = None;
    let mut is_define = false;
    for line in lines(sheet.text, range.clone()) {
        let text = sheet.slice(&line);
        let from = *start.get_or_insert(line.start);
        if text.ends_with('\\') {
            continue;
        }
        start = None;
        let whole = from..line.end;
        let text = sheet.slice(&whole);
        let word = text.split_whitespace().next().unwrap_or("");
        match word {
            "define" => is_define = true,
            "endef" => is_define = false,
            _ if text.starts_with('\t') || is_define => recipe(sheet, whole),
            _ => statement(sheet, whole),
        }
    }
    if let Some(start) = start {
        statement(sheet, start..range.end);
    }
}

/// A line of a recipe, without the signs that make takes.
fn recipe(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let range = trim(sheet.text, range);
    let skip = sheet.slice(&range).len() - sheet.slice(&range).trim_start_matches(['@', '-', '+', ' ']).len();
    shell::read(sheet, range.start + skip..range.end, Host::Recipe);
}

/// A line outside recipes.
fn statement(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let range = trim(sheet.text, range);
    let text = sheet.slice(&range);
    let comment = text.match_indices('#').map(|(at, _)| at).find(|at| *at == 0 || text.as_bytes()[at - 1] != b'\\');
    let end = comment.map_or(range.end, |at| range.start + at);
    if let Some(at) = comment {
        sheet.push(range.start + at + 1..range.end, Kind::Comment);
    }
    let range = trim(sheet.text, range.start..end);
    let text = sheet.slice(&range);
    let word = text.split_whitespace().next().unwrap_or("");
    match word {
        "" => {}
        "include" | "-include" | "sinclude" => {
            for item in items(sheet.text, range.start + word.len()..range.end) {
                sheet.push(item.clone(), Kind::Word);
                let path = sheet.slice(&item);
                sheet.refer(path, item, Usage::Code);
            }
        }
        "ifeq" | "ifneq" | "ifdef" | "ifndef" => {
            sheet.add(range.start + word.len()..range.end, Kind::Word, Role::Guard, None);
        }
        "else" | "endif" => {}
        _ => match assignment(text) {
            Some((key, value)) => variable(sheet, &range, key, value),
            None => rule(sheet, range),
        },
    }
}

/// Where the name of a variable ends and its value begins.
fn assignment(text: &str) -> Option<(usize, usize)> {
    let at = text.find('=')?;
    let end = text[..at].trim_end_matches([':', '?', '+', '!']).len();
    let name = text[..end].trim();
    let name = name.rsplit(|c: char| c.is_whitespace()).next().unwrap_or("");
    let is_name = !name.is_empty() && !name.contains(['$', '(', ',']) && !text[..end].contains(':');
    is_name.then_some((end, at + 1))
}

fn variable(sheet: &mut ViewBuilder<'_>, range: &Range<usize>, key: usize, value: usize) {
    let name = trim(sheet.text, range.start..range.start + key);
    let key = sheet.slice(&name).trim_start_matches("export ").trim_start_matches("override ").trim().to_owned();
    let value = trim(sheet.text, range.start + value..range.end);
    sheet.push(name.clone(), Kind::Key);
    words(sheet, value.clone(), &key);
    let word = Word { text: sheet.slice(&value).to_owned(), range: value };
    sheet.set(Dialect::Variable, &key, word, name.start);
}

/// Words of a value or of a rule; one behind a variable begins none.
fn words(sheet: &mut ViewBuilder<'_>, range: Range<usize>, name: &str) {
    let commands = sheet.slice(&range).find("$(shell ");
    if let Some(at) = commands {
        // To the last bracket: what stands in it is a command.
        let inside = range.start + at + 8..range.end;
        let end = sheet.slice(&inside).rfind(')').map_or(inside.end, |at| inside.start + at);
        words(sheet, range.start..range.start + at, name);
        shell::read(sheet, inside.start..end, Host::Recipe);
        return words_plain(sheet, end.min(range.end)..range.end, name);
    }
    words_plain(sheet, range, name);
}

fn words_plain(sheet: &mut ViewBuilder<'_>, range: Range<usize>, name: &str) {
    for item in items(sheet.text, range) {
        sheet.add(item, Kind::Value, Role::Plain, Some(name).filter(|name| !name.is_empty()));
    }
}

/// `target: needs ; recipe`.
fn rule(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let text = sheet.slice(&range);
    let stop = text.find(';').filter(|_| text.contains(':'));
    let end = stop.map_or(range.end, |at| range.start + at);
    words(sheet, range.start..end, "");
    if stop.is_some() {
        recipe(sheet, end + 1..range.end);
    }
}
