//! Removes credentials from text.
//!
//! A [`Redactor`] cuts credentials that their form reveals (in URLs, query parameters, headers, tokens and private keys), and
//! masks the known values of secret variables in the encodings that programs and reports use. [`Redact`] applies it to every
//! text of a document.

mod decode;
mod form;
mod mask;
mod next;
mod text;
mod url;
mod variable;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use decode::{Decoded, SEQUENCES};
use mask::Masks;

pub use text::Redact;
pub use variable::{Variable, is_secret_name};

/// Replacement for a credential.
pub const REDACTED: &str = "[redacted]";

/// Maximum number of passes over a text after the first.
const MAX_PASSES: usize = 8;
/// Texts of which each credential contains at least one, in lower case.
const TRIGGERS: &[&[&str]] = &[url::TRIGGERS, form::TRIGGERS];

static CANDIDATES: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(TRIGGERS.concat()).ok());

/// Replaces credentials by [`REDACTED`].
#[derive(Clone, Default)]
pub struct Redactor {
    masks: Masks,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor { .. }")
    }
}

impl Redactor {
    /// Creates a redactor that also masks the values of these variables.
    pub fn new<'a>(variables: impl IntoIterator<Item = &'a Variable>) -> Self {
        Self { masks: Masks::new(variables) }
    }

    /// Returns the text without credentials. A second application does not change it.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.apply(text).map_or(Cow::Borrowed(text), |redacted| Cow::Owned(redacted.text))
    }

    /// Returns the text without credentials, with the positions of the rest. `None` if the text has no credentials.
    pub fn apply(&self, text: &str) -> Option<Redacted> {
        let mut redacted = Redacted { text: String::new(), passes: vec![self.find(text)] };
        if redacted.passes[0].is_empty() {
            return None;
        }
        redacted.text = replaced(text, &redacted.passes[0]);
        // The text around a replacement may only now have the form of a credential.
        for _ in 0..MAX_PASSES {
            let found = self.find(&redacted.text);
            if found.is_empty() {
                break;
            }
            redacted.text = replaced(&redacted.text, &found);
            redacted.passes.push(found);
        }
        Some(redacted)
    }

    /// Reports whether the text contains credentials.
    pub fn finds(&self, text: &str) -> bool {
        !self.find(text).is_empty()
    }

    /// Returns the byte ranges of credentials, in order and without overlaps.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = self.find_in(text);
        // A terminal shows `hun` and `ter2` with a color between them as one word.
        if memchr::memchr(SEQUENCES.0, text.as_bytes()).is_some()
            && let Some(plain) = Decoded::new(text).decode(SEQUENCES)
            && let Ok(shown) = str::from_utf8(&plain.bytes)
        {
            let ranges = self.find_in(shown).into_iter().filter(|range| !range.is_empty());
            found.extend(ranges.map(|range| plain.positions[range.start]..plain.positions[range.end - 1] + 1));
        }
        merged(text, found)
    }

    fn find_in(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = self.masks.find(text);
        if CANDIDATES.as_ref().is_none_or(|candidates| candidates.is_match(text)) {
            found.extend(url::find(text));
            found.extend(form::find(text));
        }
        found
    }
}

/// A text without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text.
    pub text: String,
    /// The ranges that each pass replaced.
    passes: Vec<Vec<Range<usize>>>,
}

impl Redacted {
    /// Returns the position in this text of a byte position in the original text. A position in a credential becomes the
    /// start of its replacement, or the end if `end` is true.
    pub fn position(&self, at: usize, end: bool) -> usize {
        self.passes.iter().fold(at, |at, found| position(found, at, end))
    }
}

fn replaced(text: &str, found: &[Range<usize>]) -> String {
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for range in found {
        out.push_str(&text[done..range.start]);
        out.push_str(REDACTED);
        done = range.end;
    }
    out.push_str(&text[done..]);
    out
}

/// Sorts ranges, merges those that overlap or touch, and splits them at line ends, so that the number of lines stays the same.
/// Drops those that are replacements of an earlier pass.
fn merged(text: &str, mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        let range = text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end);
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    let lines = merged.into_iter().flat_map(|range| {
        let mut start = range.start;
        text[range].split_inclusive(['\n', '\r']).map(move |line| {
            let line_start = start;
            start += line.len();
            line_start..line_start + line.trim_end_matches(['\n', '\r']).len()
        })
    });
    lines.filter(|line| !line.is_empty() && text[line.clone()] != *REDACTED).collect()
}

/// Returns the position after one pass. See [`Redacted::position`].
fn position(found: &[Range<usize>], at: usize, end: bool) -> usize {
    let (mut added, mut removed) = (0, 0);
    for range in found.iter().take_while(|range| range.start < at) {
        if range.end > at {
            return range.start + added - removed + if end { REDACTED.len() } else { 0 };
        }
        added += REDACTED.len();
        removed += range.len();
    }
    at + added - removed
}

/// Reports whether a text stands for a value and is not the value itself: `$TOKEN`, `${{ secrets.X }}`, `{token}`, `<token>`, `%s`,
/// `***`, `…`.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    let enclosed = |start: char, end: char| text.starts_with(start) && text.ends_with(end);
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    text.is_empty()
        || text == REDACTED
        || text.chars().all(|c| matches!(c, '*' | '.' | '…' | '•'))
        || text.starts_with("${")
        || text.starts_with("$(")
        || text.strip_prefix('$').is_some_and(is_name)
        || enclosed('{', '}')
        || enclosed('<', '>')
        || matches!(text, "%s" | "%d" | "%v" | "xxx" | "XXX" | "&lt;token&gt;")
        || (enclosed('%', '%') && text.len() > 2)
}

#[cfg(test)]
mod tests;
