//! Flow collections: `[a, b]`, `{a: b}`.

use std::ops::Range;

use crate::source::lang::span::Kind;
use crate::source::lang::view_builder::{join, trim};

/// Maximum nesting depth of brackets with separate key paths.
const MAX_DEPTH: usize = 64;

/// A key, a value or a comment in a flow collection.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
    /// Key path.
    pub(super) path: String,
}

/// Returns the end of a quoted string whose content starts at `from`.
pub(super) fn string_end(bytes: &[u8], from: usize, limit: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    while at < limit {
        match bytes[at] {
            b'\\' if quote == b'"' => at += 1,
            byte if byte == quote => {
                if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') && at + 1 < limit {
                    at += 1;
                } else {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns the tokens of a flow collection and the offset after it. `None` if it is not closed.
pub(super) fn tokens(text: &str, start: usize, limit: usize, path: &str) -> (Vec<Token>, Option<usize>) {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut depth = 0_usize;
    // Key paths of the open brackets, and the last key in each.
    let mut paths: Vec<String> = vec![path.to_owned()];
    let mut key: Option<String> = None;
    let mut at = start;
    while at < limit {
        let byte = bytes[at];
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth < MAX_DEPTH {
                    let parent = paths.last().map_or("", String::as_str);
                    paths.push(key.take().unwrap_or_else(|| parent.to_owned()));
                }
                at += 1;
            }
            b']' | b'}' => {
                if depth < MAX_DEPTH {
                    paths.pop();
                }
                depth = depth.saturating_sub(1);
                key = None;
                at += 1;
                if depth == 0 {
                    return (found, Some(at));
                }
            }
            b',' => {
                key = None;
                at += 1;
            }
            b'#' if at == 0 || bytes[at - 1].is_ascii_whitespace() => {
                let end = memchr::memchr(b'\n', &bytes[at..limit]).map_or(limit, |found| at + found);
                found.push(Token { kind: Kind::Comment, range: at + 1..end, path: String::new() });
                at = end;
            }
            b' ' | b'\t' | b'\r' | b'\n' | b':' => at += 1,
            _ => {
                let (inside, end) = scalar(text, at, limit);
                let is_key = bytes[end..limit].iter().find(|byte| **byte != b' ') == Some(&b':');
                let parent = paths.last().map_or("", String::as_str);
                if is_key {
                    key = Some(join(parent, text.get(inside.clone()).unwrap_or("")));
                    found.push(Token { kind: Kind::Key, range: inside, path: String::new() });
                } else {
                    let path = key.as_deref().unwrap_or(parent).to_owned();
                    found.push(Token { kind: Kind::Value, range: inside, path });
                }
                at = end.max(at + 1);
            }
        }
    }
    (found, None)
}

/// Returns a scalar without its quotes, and its end.
fn scalar(text: &str, start: usize, limit: usize) -> (Range<usize>, usize) {
    let bytes = text.as_bytes();
    let quote = bytes[start];
    if matches!(quote, b'"' | b'\'') {
        let end = string_end(bytes, start + 1, limit, quote).unwrap_or(limit);
        return (start + 1..end, (end + 1).min(limit));
    }
    let mut at = start;
    while at < limit {
        match bytes[at] {
            b',' | b']' | b'}' | b'[' | b'{' | b'\n' => break,
            b':' if matches!(bytes.get(at + 1), None | Some(b' ' | b'\n' | b'\r' | b'\t')) => break,
            b'#' if bytes[at - 1] == b' ' => break,
            _ => at += 1,
        }
    }
    (trim(text, start..at), at)
}
