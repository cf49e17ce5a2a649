//! TOML.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fact::{Dialect, Word};
use super::ini;
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, join};

/// Reads a part of a text as TOML; what doesn't parse is read line by line.
pub(super) fn read(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let text = sheet.slice(&range);
    match DeTable::parse(text) {
        Ok(table) => {
            let mut strings = Vec::new();
            walk(sheet, range.start, table.get_ref(), "", &mut strings);
            comments(sheet, range, strings);
        }
        Err(error) => {
            sheet.problem = Some(error.message().to_owned());
            ini::read(sheet, range);
        }
    }
}

/// Values with their paths. The parser bounds how deep they stand in each other.
fn walk(sheet: &mut ViewBuilder<'_>, base: usize, table: &DeTable<'_>, path: &str, strings: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        let place = base + key.span().start..base + key.span().end;
        strings.push(place.clone());
        sheet.push(place.clone(), Kind::Key);
        let path = join(path, key.get_ref());
        one(sheet, base, value, &path, strings, place.start);
    }
}

fn one(
    sheet: &mut ViewBuilder<'_>,
    base: usize,
    value: &Spanned<DeValue<'_>>,
    path: &str,
    strings: &mut Vec<Range<usize>>,
    start: usize,
) {
    let place = base + value.span().start..base + value.span().end;
    match value.get_ref() {
        DeValue::Table(table) => walk(sheet, base, table, path, strings),
        DeValue::Array(array) => {
            for value in array {
                one(sheet, base, value, path, strings, place.start);
            }
        }
        other => {
            strings.push(place.clone());
            let written = sheet.slice(&place);
            let quotes = if written.starts_with("\"\"\"") || written.starts_with("'''") { 3 } else { 1 };
            let is_text = matches!(other, DeValue::String(_)) && place.len() >= 2 * quotes;
            let inside = if is_text { place.start + quotes..place.end - quotes } else { place };
            sheet.add(inside.clone(), Kind::Value, Role::Plain, Some(path));
            let text = match other {
                DeValue::String(text) => text.to_string(),
                _ => sheet.slice(&inside).to_owned(),
            };
            let word = Word { text, range: inside };
            // The reference of a facility in carnet.toml, with its transport.
            if path.rsplit('.').next() == Some("image") && word.text.starts_with("docker://") {
                sheet.facts.images.push(word.clone());
            }
            sheet.set(Dialect::Config, path, word, start);
        }
    }
}

/// Comments: each `#` that stands in no key and no value.
fn comments(sheet: &mut ViewBuilder<'_>, range: Range<usize>, mut strings: Vec<Range<usize>>) {
    strings.sort_by_key(|string| (string.start, string.end));
    let bytes = sheet.text.as_bytes();
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
        sheet.push(sign + 1..end, Kind::Comment);
        at = end;
    }
}
