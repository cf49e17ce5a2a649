//! Groups matches in lists of data, so that thousands of URLs in one file become one finding.
//!
//! Matches with the same first parts are equivalent: rules see only the first, and their diagnostic applies to all.

use std::collections::HashMap;
use std::ops::Range;

use memchr::{memchr_iter, memmem, memrchr};

use crate::model::finding::MAX_LOCATIONS;
use crate::source::lang::matcher::{Form, Match, Matcher};

/// Maximum number of kinds in one file.
const MAX_KINDS: usize = 2000;
/// Maximum length of a key in bytes.
const MAX_KEY: usize = 160;

/// Matches with the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    /// The first match.
    pub(super) first: Match,
    /// Number of matches.
    pub(super) count: u64,
    /// Their distinct lines, at most [`MAX_LOCATIONS`].
    pub(super) lines: Vec<u32>,
}

/// Collects the kinds of matches of a text, which may be added in pieces.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    by_key: HashMap<Vec<u8>, usize>,
    pub(super) kinds: Vec<Kind>,
    line: u32,
    counted: usize,
}

impl Kinds {
    /// Adds the matches of a piece. Its first line continues the last line of the previous piece.
    pub(super) fn add(&mut self, text: &[u8], matcher: &Matcher) {
        self.counted = 0;
        self.line = self.line.max(1);
        matcher.each(text, |found| self.take(text, found));
        self.count_to(text, text.len());
    }

    fn take(&mut self, text: &[u8], found: Match) {
        self.count_to(text, found.range.start);
        if is_comment(&text[..found.range.start]) {
            return;
        }
        let key = &text[key_range(text, &found)];
        let kind = match self.by_key.get(key) {
            Some(kind) => *kind,
            None if self.kinds.len() >= MAX_KINDS => return,
            None => {
                self.by_key.insert(key.to_vec(), self.kinds.len());
                self.kinds.push(Kind { first: found, count: 0, lines: Vec::new() });
                self.kinds.len() - 1
            }
        };
        let kind = &mut self.kinds[kind];
        kind.count += 1;
        if kind.lines.len() < MAX_LOCATIONS && kind.lines.last() != Some(&self.line) {
            kind.lines.push(self.line);
        }
    }

    fn count_to(&mut self, text: &[u8], end: usize) {
        let lines = memchr_iter(b'\n', &text[self.counted..end]).count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.counted = end;
    }
}

/// Maximum length of a line that is searched for a comment marker, in bytes.
const MAX_LINE: usize = 4096;

/// Reports whether the end of a text is inside a comment. A match in a comment must not be the first of its kind, because
/// rules skip comments and would then skip the other matches too.
fn is_comment(before: &[u8]) -> bool {
    let line = &before[before.len().saturating_sub(MAX_LINE)..];
    let line = &line[memrchr(b'\n', line).map_or(0, |offset| offset + 1)..];
    line.trim_ascii_start().starts_with(b"#") || memmem::find(line, b" # ").is_some()
}

/// Returns the range of the key of a match: the first four parts of a path, or the host and three parts of a URL.
fn key_range(text: &[u8], found: &Match) -> Range<usize> {
    let bytes = &text[found.range.clone()];
    // Slashes up to where the key ends: `/eos/user/j/jane` has four; `root://host//store/user/jane` six.
    let key_slashes = if found.form == Form::Url { 6 } else { 4 };
    let is_slash = |offset: &usize| bytes.get(offset + 1) != Some(&b'/') || found.form == Form::Url;
    let mut slashes = memchr_iter(b'/', bytes).filter(is_slash);
    let end = slashes.nth(key_slashes).unwrap_or(bytes.len()).min(MAX_KEY);
    found.range.start..found.range.start + end
}

#[cfg(test)]
mod tests {
    use super::Kinds;
    use crate::source::lang::matcher::Matcher;

    #[test]
    fn matches_with_same_key_are_counted_across_pieces() {
        let matcher = Matcher::new(["eos"]);
        let mut kinds = Kinds::default();
        kinds.add(
            b"root://h.org//store/user/jane/a/1\nroot://h.org//store/user/jane/a/2 root://h.org//store/user/jane/b\n",
            &matcher,
        );
        kinds.add(b"/eos/user/j/jane/x\nroot://h.org//store/user/jane/c\n", &matcher);
        let seen: Vec<(u64, &[u32])> = kinds.kinds.iter().map(|kind| (kind.count, kind.lines.as_slice())).collect();
        assert_eq!(seen, [(4, [1, 2, 4].as_slice()), (1, [3].as_slice())]);
    }

    #[test]
    fn matches_in_comments_are_skipped() {
        let matcher = Matcher::new(["eos"]);
        let mut kinds = Kinds::default();
        kinds.add(b"  # a: /eos/user/j/jane/old\n  a: /eos/user/j/jane/new # not /eos/user/j/jane/x\n", &matcher);
        let seen: Vec<(u64, &[u32])> = kinds.kinds.iter().map(|kind| (kind.count, kind.lines.as_slice())).collect();
        assert_eq!(seen, [(1, [2].as_slice())]);
    }
}
