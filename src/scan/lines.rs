//! Lines and columns of a text, computed only for findings.

use std::ops::Range;

use memchr::memchr_iter;

use crate::model::finding::Span;

/// Maximum number of characters of a line in a finding.
const MAX_SHOWN: usize = 400;

/// Start offsets of the lines of a file.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let starts = std::iter::once(0).chain(memchr_iter(b'\n', bytes).map(|offset| offset + 1)).collect();
        Self { bytes, starts }
    }

    /// Returns the index of the line at an offset, from 0.
    fn index(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Returns the number of the line at an offset, from 1.
    pub(super) fn line(&self, offset: usize) -> u32 {
        number(self.index(offset) + 1)
    }

    fn column(&self, offset: usize) -> u32 {
        let offset = offset.min(self.bytes.len());
        let start = self.starts[self.index(offset)];
        let characters = self.bytes[start..offset].iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        number(characters + 1)
    }

    /// Returns the span of a range of bytes. An empty range is one character.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        let end = range.end.max(range.start);
        Span {
            line: self.line(range.start),
            column: self.column(range.start),
            end_line: self.line(end.saturating_sub(usize::from(end > range.start))),
            end_column: if end > range.start { self.column(end - 1) + 1 } else { self.column(end) + 1 },
        }
    }

    /// Returns a line by its number, from 1, truncated.
    pub(super) fn nth(&self, line: u32) -> Option<String> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        self.starts.get(index).map(|start| self.text(*start))
    }

    /// Returns the line at an offset without its line end, truncated.
    pub(super) fn text(&self, offset: usize) -> String {
        let index = self.index(offset);
        let start = self.starts[index];
        let end = self.starts.get(index + 1).map_or(self.bytes.len(), |next| next - 1);
        // Truncate bytes before counting characters: a line can be 200 MB long.
        let line = &self.bytes[start..end.min(start + 4 * MAX_SHOWN)];
        String::from_utf8_lossy(line).trim_end_matches('\r').chars().take(MAX_SHOWN).collect()
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::model::finding::Span;

    #[test]
    fn span_counts_characters_and_has_exclusive_end() {
        let lines = Lines::new("a\néx y\n".as_bytes());
        assert_eq!(lines.span(5..7), Span { line: 2, column: 3, end_line: 2, end_column: 5 });
        assert_eq!(lines.span(0..1), Span { line: 1, column: 1, end_line: 1, end_column: 2 });
        assert_eq!(lines.text(4), "éx y");
        assert_eq!(Lines::new(b"").span(0..0), Span { line: 1, column: 1, end_line: 1, end_column: 2 });
    }
}
