//! HTCondor job descriptions, and the JDL of gLite and DIRAC.

use std::ops::Range;

use super::fact::{Dialect, Usage, Word};
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, items, lines, trim, unquote};

/// Reads a part of a text as a job description.
pub(super) fn read(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let mut start: Option<usize> = None;
    let mut is_list = false;
    for line in lines(builder.text, range.clone()) {
        let inside = trim(builder.text, line.clone());
        let text = builder.slice(&inside);
        if start.is_none() && (text.starts_with('#') || text.starts_with("//")) {
            let sign = if text.starts_with('#') { 1 } else { 2 };
            builder.push(inside.start + sign..inside.end, Kind::Comment);
            continue;
        }
        let from = *start.get_or_insert(inside.start);
        is_list = if is_list { !text.contains('}') } else { is_list_open(text) };
        if !is_list && !text.ends_with('\\') {
            statement(builder, from..inside.end);
            start = None;
        }
    }
    if let Some(start) = start {
        statement(builder, start..range.end);
    }
}

/// Reports whether a JDL list continues on the next line: `InputSandbox = {"a",`.
fn is_list_open(text: &str) -> bool {
    let Some(at) = text.find('=') else { return false };
    let value = text[at + 1..].trim_start();
    value.starts_with('{') && !value.contains('}')
}

fn statement(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let range = trim(builder.text, range);
    let text = builder.slice(&range);
    let skip = text.len() - text.trim_start_matches(['[', ' ', '\t']).len();
    let range = range.start + skip..range.end;
    let text = builder.slice(&range);
    let key_end = text.find('=').filter(|at| is_key(text[..*at].trim()));
    let Some(at) = key_end else {
        return queue(builder, range);
    };
    let key = text[..at].trim_end().to_owned();
    let key_range = range.start..range.start + key.len();
    let mut value = trim(builder.text, range.start + at + 1..range.end);
    let written = builder.slice(&value);
    let length = written.trim_end_matches([';', ']', ' ', '\t', '\r', '\n']).len();
    if written[length..].contains(';') || (written.ends_with(']') && !written.contains('[')) {
        value.end = value.start + length;
    }
    let value = unquote(builder.text, value);
    builder.push(key_range, Kind::Key);
    values(builder, &key, value.clone());
    let word = Word { text: builder.slice(&value).to_owned(), range: value };
    facts(builder, &key, &word);
    builder.set(Dialect::HtCondor, &key, word, range.start);
}

fn is_key(text: &str) -> bool {
    let name = text.strip_prefix('+').unwrap_or(text);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Adds a span for each word of a value.
fn values(builder: &mut ViewBuilder<'_>, key: &str, range: Range<usize>) {
    let is_inside = key.eq_ignore_ascii_case("container_target_dir");
    let is_guard = matches!(key.to_ascii_lowercase().as_str(), "requirements" | "rank");
    if is_guard {
        // An expression is one value.
        return builder.add(range, Kind::Value, Role::Plain, Some(key));
    }
    for item in items(builder.text, range) {
        let text = builder.slice(&item);
        let start = item.start + (text.len() - text.trim_start_matches(['{', '"', '\'', '(']).len());
        let end =
            item.end - (text.len() - text.trim_end_matches(['}', '"', '\'', ')', ';', '\\']).len()).min(text.len());
        let range = start..if text.contains("$(") && text.ends_with(')') { item.end } else { end.max(start) };
        let role = if is_inside { Role::Inside } else { Role::Plain };
        builder.add(range, Kind::Value, role, Some(key));
    }
}

fn facts(builder: &mut ViewBuilder<'_>, key: &str, value: &Word) {
    let lower = key.to_ascii_lowercase();
    let lower = lower.trim_start_matches('+').trim_start_matches("my.");
    match lower {
        "singularityimage" | "docker_image" | "container_image" | "dockerimage" | "singularity_image"
            if !value.text.is_empty() =>
        {
            builder.facts.images.push(value.clone());
        }
        "executable" => builder.refer(&value.text, value.range.clone(), Usage::Code),
        "input" | "stdinput" => builder.refer(&value.text, value.range.clone(), Usage::Data),
        "transfer_input_files" | "inputsandbox" | "input_files" | "inputdata" => {
            for item in items(builder.text, value.range.clone()) {
                let written = builder.slice(&item);
                let text = written.trim_matches(['{', '}', '"', '\'', ';', '\\']);
                let start = item.start + written.find(text).unwrap_or(0);
                builder.refer(text, start..start + text.len(), Usage::Data);
            }
        }
        _ => {}
    }
}

/// `queue name from file`, `queue a in (x, y)`, `include : file`.
fn queue(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let words = items(builder.text, range);
    let mut is_from = false;
    for word in words {
        let text = builder.slice(&word);
        if is_from {
            builder.refer(text, word.clone(), Usage::Data);
        }
        is_from = text == "from";
        let inside = text.trim_matches(['(', ')', ';', ']', '"']);
        if !inside.is_empty() {
            let start = word.start + text.find(inside).unwrap_or(0);
            builder.add(start..start + inside.len(), Kind::Word, Role::Plain, Some("queue"));
        }
    }
}
