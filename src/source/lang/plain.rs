//! Files without a grammar of their own: lists, requirements, prose, what programs wrote.

use std::ops::Range;

use super::span::Kind;
use super::view_builder::{ViewBuilder, lines, trim};

/// Text for people: one span.
pub(super) fn prose(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    sheet.push(range, Kind::Prose);
}

/// One entry a line; what follows a `#` at the start or behind a blank is a comment.
pub(super) fn requirements(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    for line in lines(sheet.text, range) {
        let text = sheet.slice(&line);
        let comment =
            if text.starts_with('#') { Some(0) } else { text.find(" #").or_else(|| text.find("\t#")).map(|at| at + 1) };
        let end = comment.map_or(line.end, |at| line.start + at);
        if let Some(at) = comment {
            sheet.push(line.start + at + 1..line.end, Kind::Comment);
        }
        let entry = trim(sheet.text, line.start..end);
        // `-r file`, `--find-links URL`: the option and its value.
        let text = sheet.slice(&entry);
        match text.find([' ', '=']).filter(|_| text.starts_with('-')) {
            Some(at) => {
                let value = trim(sheet.text, entry.start + at + 1..entry.end);
                let name = text[..at].trim_start_matches('-').to_owned();
                sheet.push(entry.start..entry.start + at, Kind::Key);
                sheet.add(value, Kind::Word, super::span::Role::Plain, Some(&name));
            }
            None => sheet.push(entry, Kind::Word),
        }
    }
}
