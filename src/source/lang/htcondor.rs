//! Descriptions of HTCondor jobs, and the JDL of gLite and of DIRAC.

use std::ops::Range;

use super::fact::{Dialect, Usage, Word};
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, items, lines, trim, unquote};

/// Reads a part of a text as a description of a job.
pub(super) fn read(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let mut start: Option<usize> = None;
    let mut is_list = false;
    for line in lines(sheet.text, range.clone()) {
        let inside = trim(sheet.text, line.clone());
        let text = sheet.slice(&inside);
        if start.is_none() && (text.starts_with('#') || text.starts_with("//")) {
            let sign = if text.starts_with('#') { 1 } else { 2 };
            sheet.push(inside.start + sign..inside.end, Kind::Comment);
            continue;
        }
        let from = *start.get_or_insert(inside.start);
        is_list = if is_list { !text.contains('}') } else { is_list_open(text) };
        if !is_list && !text.ends_with('\\') {
            statement(sheet, from..inside.end);
            start = None;
        }
    }
    if let Some(start) = start {
        statement(sheet, start..range.end);
    }
}

/// Whether a list of the JDL goes on in the next line: `InputSandbox = {"a",`.
fn is_list_open(text: &str) -> bool {
    let Some(at) = text.find('=') else { return false };
    let value = text[at + 1..].trim_start();
    value.starts_with('{') && !value.contains('}')
}

fn statement(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let range = trim(sheet.text, range);
    let text = sheet.slice(&range);
    let skip = text.len() - text.trim_start_matches(['[', ' ', '\t']).len();
    let range = range.start + skip..range.end;
    let text = sheet.slice(&range);
    let key_end = text.find('=').filter(|at| is_key(text[..*at].trim()));
    let Some(at) = key_end else {
        return queue(sheet, range);
    };
    let key = text[..at].trim_end().to_owned();
    let key_range = range.start..range.start + key.len();
    let mut value = trim(sheet.text, range.start + at + 1..range.end);
    let written = sheet.slice(&value);
    let length = written.trim_end_matches([';', ']', ' ', '\t', '\r', '\n']).len();
    if written[length..].contains(';') || (written.ends_with(']') && !written.contains('[')) {
        value.end = value.start + length;
    }
    let value = unquote(sheet.text, value);
    sheet.push(key_range, Kind::Key);
    values(sheet, &key, value.clone());
    let word = Word { text: sheet.slice(&value).to_owned(), range: value };
    facts(sheet, &key, &word);
    sheet.set(Dialect::Condor, &key, word, range.start);
}

fn is_key(text: &str) -> bool {
    let name = text.strip_prefix('+').unwrap_or(text);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Spans of a value: its words, where a macro begins none.
fn values(sheet: &mut ViewBuilder<'_>, key: &str, range: Range<usize>) {
    let is_inside = key.eq_ignore_ascii_case("container_target_dir");
    let is_guard = matches!(key.to_ascii_lowercase().as_str(), "requirements" | "rank");
    if is_guard {
        // An expression: one value.
        return sheet.add(range, Kind::Value, Role::Plain, Some(key));
    }
    for item in items(sheet.text, range) {
        let text = sheet.slice(&item);
        let start = item.start + (text.len() - text.trim_start_matches(['{', '"', '\'', '(']).len());
        let end =
            item.end - (text.len() - text.trim_end_matches(['}', '"', '\'', ')', ';', '\\']).len()).min(text.len());
        let range = start..if text.contains("$(") && text.ends_with(')') { item.end } else { end.max(start) };
        let role = if is_inside { Role::Inside } else { Role::Plain };
        sheet.add(range, Kind::Value, role, Some(key));
    }
}

fn facts(sheet: &mut ViewBuilder<'_>, key: &str, value: &Word) {
    let lower = key.to_ascii_lowercase();
    let lower = lower.trim_start_matches('+').trim_start_matches("my.");
    match lower {
        "singularityimage" | "docker_image" | "container_image" | "dockerimage" | "singularity_image"
            if !value.text.is_empty() =>
        {
            sheet.facts.images.push(value.clone());
        }
        "executable" => sheet.refer(&value.text, value.range.clone(), Usage::Code),
        "input" | "stdinput" => sheet.refer(&value.text, value.range.clone(), Usage::Data),
        "transfer_input_files" | "inputsandbox" | "input_files" | "inputdata" => {
            for item in items(sheet.text, value.range.clone()) {
                let written = sheet.slice(&item);
                let text = written.trim_matches(['{', '}', '"', '\'', ';', '\\']);
                let start = item.start + written.find(text).unwrap_or(0);
                sheet.refer(text, start..start + text.len(), Usage::Data);
            }
        }
        _ => {}
    }
}

/// `queue name from file`, `queue a in (x, y)`, `include : file`.
fn queue(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let words = items(sheet.text, range);
    let mut is_from = false;
    for word in words {
        let text = sheet.slice(&word);
        if is_from {
            sheet.refer(text, word.clone(), Usage::Data);
        }
        is_from = text == "from";
        let inside = text.trim_matches(['(', ')', ';', ']', '"']);
        if !inside.is_empty() {
            let start = word.start + text.find(inside).unwrap_or(0);
            sheet.add(start..start + inside.len(), Kind::Word, Role::Plain, Some("queue"));
        }
    }
}
