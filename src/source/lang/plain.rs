//! Prose and requirement files.

use std::ops::Range;

use super::span::Kind;
use super::view_builder::{ViewBuilder, lines, trim};

/// Adds prose as one span.
pub(super) fn prose(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    builder.push(range, Kind::Prose);
}

/// Reads one entry per line. A `#` at the start of a line or after whitespace starts a comment.
pub(super) fn requirements(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    for line in lines(builder.text, range) {
        let text = builder.slice(&line);
        let comment =
            if text.starts_with('#') { Some(0) } else { text.find(" #").or_else(|| text.find("\t#")).map(|at| at + 1) };
        let end = comment.map_or(line.end, |at| line.start + at);
        if let Some(at) = comment {
            builder.push(line.start + at + 1..line.end, Kind::Comment);
        }
        let entry = trim(builder.text, line.start..end);
        // `-r file`, `--find-links URL`.
        let text = builder.slice(&entry);
        match text.find([' ', '=']).filter(|_| text.starts_with('-')) {
            Some(at) => {
                let value = trim(builder.text, entry.start + at + 1..entry.end);
                let name = text[..at].trim_start_matches('-').to_owned();
                builder.push(entry.start..entry.start + at, Kind::Key);
                builder.add(value, Kind::Word, super::span::Role::Plain, Some(&name));
            }
            None => builder.push(entry, Kind::Word),
        }
    }
}
