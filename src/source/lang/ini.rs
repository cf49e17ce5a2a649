//! INI and its kin: sections, keys, values over several lines.

use std::ops::Range;

use super::fact::{Dialect, Word};
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, join, lines, trim, unquote};

/// Reads a part of a text as INI.
pub(super) fn read(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let mut section = String::new();
    // The path of the key that indented lines go on with.
    let mut key: Option<String> = None;
    for line in lines(sheet.text, range) {
        let inside = trim(sheet.text, line.clone());
        let text = sheet.slice(&inside);
        let is_indented = inside.start > line.start;
        if text.is_empty() {
            continue;
        }
        if text.starts_with(['#', ';']) {
            sheet.push(inside.start + 1..inside.end, Kind::Comment);
        } else if text.starts_with('[') && text.contains(']') && !is_indented {
            let end = text.find(']').unwrap_or(text.len());
            text[1..end].trim().trim_matches('"').clone_into(&mut section);
            sheet.push(inside.start + 1..inside.start + end, Kind::Key);
            key = None;
        } else if let Some(path) = key.as_deref().filter(|_| is_indented) {
            value(sheet, path, inside.clone(), inside.start);
        } else if let Some(at) = text.find(['=', ':']) {
            let name = text[..at].trim_end();
            let path = join(&section, name);
            sheet.push(inside.start..inside.start + name.len(), Kind::Key);
            let start = inside.start;
            let rest = trim(sheet.text, start + at + 1..inside.end);
            value(sheet, &path, rest, start);
            key = Some(path);
        } else {
            value(sheet, if section.is_empty() { "" } else { &section }, inside.clone(), inside.start);
        }
    }
}

/// One line of a value, with the remark behind it.
fn value(sheet: &mut ViewBuilder<'_>, path: &str, range: Range<usize>, start: usize) {
    let text = sheet.slice(&range);
    let remark = [" #", "\t#", " ;", "\t;"].iter().filter_map(|sign| text.find(sign)).min();
    let end = remark.map_or(range.end, |at| range.start + at);
    if let Some(at) = remark {
        sheet.push(range.start + at + 2..range.end, Kind::Comment);
    }
    let range = unquote(sheet.text, trim(sheet.text, range.start..end));
    sheet.add(range.clone(), Kind::Value, Role::Plain, (!path.is_empty()).then_some(path));
    if !path.is_empty() {
        let word = Word { text: sheet.slice(&range).to_owned(), range };
        sheet.set(Dialect::Config, path, word, start);
    }
}
