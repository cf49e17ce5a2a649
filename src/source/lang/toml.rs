//! TOML files.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fact::{Dialect, Word};
use super::ini;
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, join};

/// Reads a part of a text as TOML. Invalid TOML is read line by line.
pub(super) fn read(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let text = builder.slice(&range);
    match DeTable::parse(text) {
        Ok(table) => {
            let mut strings = Vec::new();
            walk(builder, range.start, table.get_ref(), "", &mut strings);
            comments(builder, range, strings);
        }
        Err(error) => {
            builder.problem = Some(error.message().to_owned());
            ini::read(builder, range);
        }
    }
}

/// Adds values with their key paths. The parser limits the nesting depth.
fn walk(builder: &mut ViewBuilder<'_>, base: usize, table: &DeTable<'_>, path: &str, strings: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        let key_range = base + key.span().start..base + key.span().end;
        strings.push(key_range.clone());
        builder.push(key_range.clone(), Kind::Key);
        let path = join(path, key.get_ref());
        add_value(builder, base, value, &path, strings, key_range.start);
    }
}

fn add_value(
    builder: &mut ViewBuilder<'_>,
    base: usize,
    value: &Spanned<DeValue<'_>>,
    path: &str,
    strings: &mut Vec<Range<usize>>,
    start: usize,
) {
    let value_range = base + value.span().start..base + value.span().end;
    match value.get_ref() {
        DeValue::Table(table) => walk(builder, base, table, path, strings),
        DeValue::Array(array) => {
            for value in array {
                add_value(builder, base, value, path, strings, value_range.start);
            }
        }
        other => {
            strings.push(value_range.clone());
            let written = builder.slice(&value_range);
            let quotes = if written.starts_with("\"\"\"") || written.starts_with("'''") { 3 } else { 1 };
            let is_text = matches!(other, DeValue::String(_)) && value_range.len() >= 2 * quotes;
            let inside = if is_text { value_range.start + quotes..value_range.end - quotes } else { value_range };
            builder.add(inside.clone(), Kind::Value, Role::Plain, Some(path));
            let text = match other {
                DeValue::String(text) => text.to_string(),
                _ => builder.slice(&inside).to_owned(),
            };
            let word = Word { text, range: inside };
            // The image of a facility in carnet.toml, with its transport.
            if path.rsplit('.').next() == Some("image") && word.text.starts_with("docker://") {
                builder.facts.images.push(word.clone());
            }
            builder.set(Dialect::Config, path, word, start);
        }
    }
}

/// Adds comments: each `#` outside keys and values starts one.
fn comments(builder: &mut ViewBuilder<'_>, range: Range<usize>, mut strings: Vec<Range<usize>>) {
    strings.sort_by_key(|string| (string.start, string.end));
    let bytes = builder.text.as_bytes();
    let mut at = range.start;
    let mut index = 0;
    while let Some(found) = memchr::memchr(b'#', &bytes[at..range.end]) {
        let sign = at + found;
        while strings.get(index).is_some_and(|string| string.end <= sign) {
            index += 1;
        }
        if let Some(string) = strings.get(index).filter(|string| string.start <= sign) {
            at = string.end;
            continue;
        }
        let end = memchr::memchr(b'\n', &bytes[sign..range.end]).map_or(range.end, |found| sign + found);
        builder.push(sign + 1..end, Kind::Comment);
        at = end;
    }
}
