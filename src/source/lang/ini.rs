//! INI and similar formats, with sections, keys and multi-line values.

use std::ops::Range;

use super::fact::{Dialect, Word};
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, join, lines, trim, unquote};

/// Reads a part of a text as INI.
pub(super) fn read(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let mut section = String::new();
    // The key path that indented lines continue.
    let mut key: Option<String> = None;
    for line in lines(builder.text, range) {
        let inside = trim(builder.text, line.clone());
        let text = builder.slice(&inside);
        let is_indented = inside.start > line.start;
        if text.is_empty() {
            continue;
        }
        if text.starts_with(['#', ';']) {
            builder.push(inside.start + 1..inside.end, Kind::Comment);
        } else if text.starts_with('[') && text.contains(']') && !is_indented {
            let end = text.find(']').unwrap_or(text.len());
            text[1..end].trim().trim_matches('"').clone_into(&mut section);
            builder.push(inside.start + 1..inside.start + end, Kind::Key);
            key = None;
        } else if let Some(path) = key.as_deref().filter(|_| is_indented) {
            value(builder, path, inside.clone(), inside.start);
        } else if let Some(at) = text.find(['=', ':']) {
            let name = text[..at].trim_end();
            let path = join(&section, name);
            builder.push(inside.start..inside.start + name.len(), Kind::Key);
            let start = inside.start;
            let rest = trim(builder.text, start + at + 1..inside.end);
            value(builder, &path, rest, start);
            key = Some(path);
        } else {
            value(builder, if section.is_empty() { "" } else { &section }, inside.clone(), inside.start);
        }
    }
}

/// Reads one line of a value and the comment after it.
fn value(builder: &mut ViewBuilder<'_>, path: &str, range: Range<usize>, start: usize) {
    let text = builder.slice(&range);
    let remark = [" #", "\t#", " ;", "\t;"].iter().filter_map(|sign| text.find(sign)).min();
    let end = remark.map_or(range.end, |at| range.start + at);
    if let Some(at) = remark {
        builder.push(range.start + at + 2..range.end, Kind::Comment);
    }
    let range = unquote(builder.text, trim(builder.text, range.start..end));
    builder.add(range.clone(), Kind::Value, Role::Plain, (!path.is_empty()).then_some(path));
    if !path.is_empty() {
        let word = Word { text: builder.slice(&range).to_owned(), range };
        builder.set(Dialect::Config, path, word, start);
    }
}
