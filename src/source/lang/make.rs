//! Makefiles.

use std::ops::Range;

use super::fact::{Dialect, Host, Usage, Word};
use super::shell;
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, items, lines, trim};

/// Reads a part of a text as a Makefile.
pub(super) fn read(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let mut start: Option<usize> = None;
    let mut is_define = false;
    for line in lines(builder.text, range.clone()) {
        let text = builder.slice(&line);
        let from = *start.get_or_insert(line.start);
        if text.ends_with('\\') {
            continue;
        }
        start = None;
        let logical_line = from..line.end;
        let text = builder.slice(&logical_line);
        let word = text.split_whitespace().next().unwrap_or("");
        match word {
            "define" => is_define = true,
            "endef" => is_define = false,
            _ if text.starts_with('\t') || is_define => recipe(builder, logical_line),
            _ => statement(builder, logical_line),
        }
    }
    if let Some(start) = start {
        statement(builder, start..range.end);
    }
}

/// Reads a recipe line without its prefixes (`@`, `-`, `+`).
fn recipe(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let range = trim(builder.text, range);
    let skip = builder.slice(&range).len() - builder.slice(&range).trim_start_matches(['@', '-', '+', ' ']).len();
    shell::read(builder, range.start + skip..range.end, Host::Recipe);
}

/// Reads a line outside recipes.
fn statement(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let range = trim(builder.text, range);
    let text = builder.slice(&range);
    let comment = text.match_indices('#').map(|(at, _)| at).find(|at| *at == 0 || text.as_bytes()[at - 1] != b'\\');
    let end = comment.map_or(range.end, |at| range.start + at);
    if let Some(at) = comment {
        builder.push(range.start + at + 1..range.end, Kind::Comment);
    }
    let range = trim(builder.text, range.start..end);
    let text = builder.slice(&range);
    let word = text.split_whitespace().next().unwrap_or("");
    match word {
        "" => {}
        "include" | "-include" | "sinclude" => {
            for item in items(builder.text, range.start + word.len()..range.end) {
                builder.push(item.clone(), Kind::Word);
                let path = builder.slice(&item);
                builder.refer(path, item, Usage::Code);
            }
        }
        "ifeq" | "ifneq" | "ifdef" | "ifndef" => {
            builder.add(range.start + word.len()..range.end, Kind::Word, Role::Guard, None);
        }
        "else" | "endif" => {}
        _ => match assignment(text) {
            Some((key, value)) => variable(builder, &range, key, value),
            None => rule(builder, range),
        },
    }
}

/// Returns the end of the name of a variable and the start of its value.
fn assignment(text: &str) -> Option<(usize, usize)> {
    let at = text.find('=')?;
    let end = text[..at].trim_end_matches([':', '?', '+', '!']).len();
    let name = text[..end].trim();
    let name = name.rsplit(|c: char| c.is_whitespace()).next().unwrap_or("");
    let is_name = !name.is_empty() && !name.contains(['$', '(', ',']) && !text[..end].contains(':');
    is_name.then_some((end, at + 1))
}

fn variable(builder: &mut ViewBuilder<'_>, range: &Range<usize>, key: usize, value: usize) {
    let name = trim(builder.text, range.start..range.start + key);
    let key = builder.slice(&name).trim_start_matches("export ").trim_start_matches("override ").trim().to_owned();
    let value = trim(builder.text, range.start + value..range.end);
    builder.push(name.clone(), Kind::Key);
    words(builder, value.clone(), &key);
    let word = Word { text: builder.slice(&value).to_owned(), range: value };
    builder.set(Dialect::Variable, &key, word, name.start);
}

/// Adds the words of a value or a rule. A word after a variable is not the start of a value.
fn words(builder: &mut ViewBuilder<'_>, range: Range<usize>, name: &str) {
    let commands = builder.slice(&range).find("$(shell ");
    if let Some(at) = commands {
        // Up to the last bracket, whose content is a command.
        let inside = range.start + at + 8..range.end;
        let end = builder.slice(&inside).rfind(')').map_or(inside.end, |at| inside.start + at);
        words(builder, range.start..range.start + at, name);
        shell::read(builder, inside.start..end, Host::Recipe);
        return words_plain(builder, end.min(range.end)..range.end, name);
    }
    words_plain(builder, range, name);
}

fn words_plain(builder: &mut ViewBuilder<'_>, range: Range<usize>, name: &str) {
    for item in items(builder.text, range) {
        builder.add(item, Kind::Value, Role::Plain, Some(name).filter(|name| !name.is_empty()));
    }
}

/// Reads `target: prerequisites ; recipe`.
fn rule(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let text = builder.slice(&range);
    let stop = text.find(';').filter(|_| text.contains(':'));
    let end = stop.map_or(range.end, |at| range.start + at);
    words(builder, range.start..end, "");
    if stop.is_some() {
        recipe(builder, end + 1..range.end);
    }
}
