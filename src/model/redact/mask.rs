//! Searches for known values in the encodings of programs and reports.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

use super::decode::{DECODERS, Decoded};
use super::variable::{Variable, is_secret_name};

/// Minimum length in characters of a value that is masked inside of words.
const MIN_INNER_LEN: usize = 8;
/// Minimum length of a value in base64 or in hexadecimal digits.
const MIN_ENCODED_LEN: usize = 5;
/// Number of characters of a line in the output of `base64` and in PEM files.
const BASE64_LINES: [usize; 2] = [76, 64];

/// Maximum number of places at which a text is truncated.
const MAX_CUTS: usize = 64;
/// Maximum number of times that a value is escaped in the same way.
const MAX_DEPTH: usize = 2;

/// How an encoded value is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// Anywhere.
    Inner,
    /// Only as a whole word.
    Word,
    /// Anywhere, together with the neighboring characters of base64.
    Base64,
}

/// The searcher for all values.
#[derive(Clone, Default)]
pub(super) struct Masks {
    searcher: Option<AhoCorasick>,
    extents: Vec<Extent>,
    /// The values themselves, for texts that end in the middle of one.
    values: Vec<String>,
}

impl Masks {
    pub(super) fn new<'a>(variables: impl IntoIterator<Item = &'a Variable>) -> Self {
        let mut patterns = BTreeMap::new();
        let mut values = Vec::new();
        for variable in variables {
            let value = variable.value.as_str();
            add(value, &mut patterns);
            // Programs print the lines of a key one by one.
            for line in value.lines().map(str::trim).filter(|line| *line != value && line.len() >= MIN_INNER_LEN) {
                add(line, &mut patterns);
            }
            for member in members(value) {
                add(&member, &mut patterns);
                values.push(member);
            }
            values.push(value.to_owned());
        }
        let (patterns, extents): (Vec<String>, Vec<Extent>) = patterns.into_iter().unzip();
        let searcher = if patterns.is_empty() { None } else { AhoCorasick::new(&patterns).ok() };
        Self { searcher, extents, values }
    }

    /// Returns the ranges of values.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let Some(searcher) = &self.searcher else { return Vec::new() };
        let search = |bytes: &[u8], at: &dyn Fn(usize) -> usize, found: &mut Vec<Range<usize>>| {
            // One word of base64 may contain many values.
            let mut word = 0..0;
            for item in searcher.find_overlapping_iter(bytes) {
                if word.contains(&item.start()) && item.end() <= word.end {
                    continue;
                }
                let range = extent(bytes, item.range(), self.extents[item.pattern().as_usize()]);
                word = range.clone().unwrap_or(word);
                found.extend(range.map(|range| at(range.start)..at(range.end)));
            }
        };
        let mut found = Vec::new();
        search(text.as_bytes(), &|at| at, &mut found);
        for decoder in DECODERS {
            if memchr::memchr(decoder.0, text.as_bytes()).is_none() {
                continue;
            }
            let mut decoded = Decoded::new(text);
            for _ in 0..MAX_DEPTH {
                let Some(next) = decoded.decode(decoder) else { break };
                search(&next.bytes, &|at| next.positions[at], &mut found);
                decoded = next;
            }
        }
        if let Some(unwrapped) = Decoded::unwrapped(text, &BASE64_LINES) {
            search(&unwrapped.bytes, &|at| unwrapped.positions[at], &mut found);
        }
        found.extend(self.cut_off(text));
        found
    }

    /// Returns the parts of values at which a text was truncated: before `...` at its end, and next to the line that counts
    /// omitted bytes.
    fn cut_off(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let is_shortened = text.ends_with("...") || text.contains("\n[... ");
        if !is_shortened {
            return found;
        }
        let mut ends: Vec<usize> = text.match_indices("\n[... ").map(|(at, _)| at).take(MAX_CUTS).collect();
        ends.extend(text.strip_suffix("...").map(str::len));
        let starts = text.match_indices(" left out ...]\n").map(|(at, mark)| at + mark.len());
        let starts: Vec<usize> = starts.take(MAX_CUTS).collect();
        for value in self.values.iter().filter(|value| value.len() >= MIN_INNER_LEN) {
            let lengths = || (MIN_INNER_LEN / 2..value.len()).rev().filter(|length| value.is_char_boundary(*length));
            for end in &ends {
                let part = lengths().find(|length| text[..*end].ends_with(&value[..*length]));
                found.extend(part.map(|length| end - length..*end));
            }
            for start in &starts {
                let part = lengths().find(|length| {
                    let from = value.len() - length;
                    value.is_char_boundary(from) && text[*start..].starts_with(&value[from..])
                });
                found.extend(part.map(|length| *start..start + length));
            }
        }
        found
    }
}

/// Returns the strings of a JSON value whose keys mark a secret, because programs print them separately.
fn members(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut queue: Vec<Value> =
        serde_json::from_str(value).ok().filter(|_| value.starts_with(['{', '['])).into_iter().collect();
    while let Some(value) = queue.pop() {
        match value {
            Value::Array(items) => queue.extend(items),
            Value::Object(map) => {
                for (key, item) in map {
                    match item {
                        Value::String(text) if is_secret_name(&key) && text.len() >= MIN_INNER_LEN => found.push(text),
                        item => queue.push(item),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

/// Returns the range that is masked for a match; `None` if the match is a part of another word.
fn extent(bytes: &[u8], range: Range<usize>, extent: Extent) -> Option<Range<usize>> {
    let (before, after) = (&bytes[..range.start], &bytes[range.end..]);
    match extent {
        Extent::Inner => Some(range),
        Extent::Word => {
            let is_word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
            (!is_word(before.last()) && !is_word(after.first())).then_some(range)
        }
        Extent::Base64 => {
            let is_base64 = |b: &&u8| b.is_ascii_alphanumeric() || b"+/-_=".contains(*b);
            let before = before.iter().rev().take_while(is_base64).count();
            let after = after.iter().take_while(is_base64).count();
            Some(range.start - before..range.end + after)
        }
    }
}

/// Adds every encoding of a value.
fn add(value: &str, patterns: &mut BTreeMap<String, Extent>) {
    let mut insert = |pattern: String, extent: Extent| {
        let known = patterns.entry(pattern).or_insert(extent);
        *known = extent.min(*known);
    };
    let is_inner = value.chars().count() >= MIN_INNER_LEN;
    for escaped in escaped(value) {
        insert(escaped, if is_inner { Extent::Inner } else { Extent::Word });
    }
    let digits = hex::encode(value);
    if digits.len() >= MIN_ENCODED_LEN + 3 {
        insert(digits.to_ascii_uppercase(), Extent::Inner);
        insert(digits, Extent::Inner);
    }
    for text in base64(value) {
        insert(text.replace('+', "-").replace('/', "_"), Extent::Base64);
        insert(text, Extent::Base64);
    }
}

/// Returns the value, and the forms of it that [`DECODERS`] do not cover: in a query, and in quotation marks of a shell.
fn escaped(value: &str) -> [String; 4] {
    [value.to_owned(), value.replace(' ', "+"), value.replace('\'', "'\\''"), value.replace('\'', "'\"'\"'")]
}

/// Returns the characters that the value determines in base64, at the three alignments, and the lines of a long value.
fn base64(value: &str) -> Vec<String> {
    let mut all = Vec::new();
    for shift in 0..3_usize {
        let bytes: Vec<u8> = std::iter::repeat_n(0, shift).chain(value.bytes()).collect();
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        let start = (shift * 8).div_ceil(6);
        let end = bytes.len() * 8 / 6;
        let text = encoded.get(start..end).unwrap_or_default();
        if text.len() >= MIN_ENCODED_LEN {
            all.push(text.to_owned());
        }
        for line in BASE64_LINES.iter().filter(|length| shift == 0 && encoded.len() > **length) {
            let lines = encoded.as_bytes().chunks(*line).map(|chunk| String::from_utf8_lossy(chunk).into_owned());
            all.extend(lines.filter(|line| line.len() >= MIN_INNER_LEN));
        }
    }
    all
}
