//! JSON, with the comments and loose commas that people put in it.
//!
//! A pass over the tokens with a stack of keys: no tree, so that no nesting is too deep.

use std::ops::Range;

use super::fact::{Dialect, Word};
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, join};

/// Over this many bytes it is data: nobody writes that by hand.
const LARGE: usize = 1 << 20;
/// How deep paths of keys go; deeper values have the path of this depth.
const DEPTH: usize = 32;

/// Reads a part of a text as JSON.
pub(super) fn read(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    if range.len() > LARGE {
        return;
    }
    let bytes = sheet.text.as_bytes();
    let mut at = range.start;
    let mut depth = 0_usize;
    // Whether the open brackets are lists.
    let mut lists: Vec<bool> = Vec::new();
    let mut keys: Vec<String> = Vec::new();
    while at < range.end {
        match bytes[at] {
            byte @ (b'{' | b'[') => {
                depth += 1;
                lists.push(byte == b'[');
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                lists.pop();
                keys.truncate(depth);
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                let length = memchr::memchr(b'\n', &bytes[at..range.end]).unwrap_or(range.end - at);
                sheet.push(at + 2..at + length, Kind::Comment);
                at += length;
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let length = memchr::memmem::find(&bytes[at..range.end], b"*/").unwrap_or(range.end - at);
                sheet.push((at + 2).min(range.end)..at + length, Kind::Comment);
                at += length + 1;
            }
            b'"' => {
                let end = string(bytes, at + 1, range.end);
                let inside = at + 1..end;
                at = end + 1;
                let is_key =
                    bytes[at.min(range.end)..range.end].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                if is_key {
                    key(sheet, inside, depth, &mut keys);
                } else {
                    value(sheet, inside, &keys);
                }
                continue;
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => {
                let rest = &bytes[at..range.end];
                let length = rest.iter().position(|byte| b",]} \t\r\n".contains(byte)).unwrap_or(rest.len()).max(1);
                // Tables of numbers set nothing.
                if lists.last() != Some(&true) {
                    scalar(sheet, at..at + length, &keys);
                }
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

/// Where a string ends that began before `from`.
fn string(bytes: &[u8], from: usize, end: usize) -> usize {
    let mut at = from;
    while at < end {
        match bytes[at] {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    end
}

fn key(sheet: &mut ViewBuilder<'_>, range: Range<usize>, depth: usize, keys: &mut Vec<String>) {
    let name = sheet.slice(&range);
    keys.truncate(depth.saturating_sub(1));
    if depth <= DEPTH {
        // Lists have no key of their own: they pass on that of their parent.
        while keys.len() + 1 < depth {
            let parent = keys.last().cloned().unwrap_or_default();
            keys.push(parent);
        }
        keys.push(join(keys.last().map_or("", String::as_str), name));
    }
    sheet.push(range, Kind::Key);
}

fn value(sheet: &mut ViewBuilder<'_>, range: Range<usize>, keys: &[String]) {
    sheet.add(range.clone(), Kind::Value, Role::Plain, keys.last().map(String::as_str));
    scalar(sheet, range, keys);
}

fn scalar(sheet: &mut ViewBuilder<'_>, range: Range<usize>, keys: &[String]) {
    let Some(path) = keys.last() else { return };
    let word = Word { text: sheet.slice(&range).to_owned(), range: range.clone() };
    sheet.set(Dialect::Config, path, word, range.start);
}
