//! Finds strings and comments without parsing, in one pass.

use std::ops::Range;

use crate::source::lang::span::{Kind, Role, Span};

/// Returns the spans of a text.
pub(super) fn spans(text: &str) -> Vec<Span> {
    let bytes = text.as_bytes();
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(next) = memchr::memchr3(b'#', b'"', b'\'', bytes.get(at..).unwrap_or_default()) {
        let start = at + next;
        let (kind, content, end) = match bytes[start] {
            b'#' => {
                let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length);
                (Kind::Comment, start + 1..end, end)
            }
            quote => {
                let (content, end) = string(bytes, start, quote);
                (Kind::Text, content, end)
            }
        };
        let before = text[..start].trim_end_matches(|c: char| c == ' ' || c.is_ascii_alphabetic());
        let is_head = !(before.ends_with('+') || before.ends_with('/'));
        spans.push(Span { range: content, kind, role: Role::Plain, is_head, name: None, call: None });
        at = end;
    }
    spans
}

/// Returns the content of the string that starts at a quote, and the end of the string.
pub(super) fn string(bytes: &[u8], start: usize, quote: u8) -> (Range<usize>, usize) {
    let is_triple = bytes[start..].starts_with(&[quote; 3]);
    let width = if is_triple { 3 } else { 1 };
    let open = start + width;
    let mut at = open;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'\n' if !is_triple => return (open..at, at),
            byte if byte == quote && (!is_triple || bytes[at..].starts_with(&[quote; 3])) => {
                return (open..at, at + width);
            }
            _ => {}
        }
        at += 1;
    }
    (open..bytes.len(), bytes.len())
}
