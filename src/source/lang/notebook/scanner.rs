//! A pull parser for JSON that returns the byte ranges of strings and skips other values without recursion.

use std::ops::Range;

use crate::source::lang::json::token::{Syntax, Token, Tokens};

/// The reason why a text is not valid JSON or not a notebook.
pub(super) type Problem = &'static str;

/// A position in a JSON text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanner<'a>(Tokens<'a>);

impl<'a> Scanner<'a> {
    /// Starts at the beginning of a text, after a byte order mark.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self(Tokens::new(bytes, start, Syntax::Strict))
    }

    /// Returns the whole text.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.0.bytes()
    }

    /// Returns the first byte of the next token.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.0.peek()
    }

    /// Consumes a punctuation byte if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.0.next();
        }
        is_next
    }

    /// Consumes a string and returns the range between its quotes.
    pub(super) fn string(&mut self) -> Result<Range<usize>, Problem> {
        if self.peek() != Some(b'"') {
            return Err("expected a string");
        }
        match self.0.next() {
            Some(Token::String { range, is_closed: true }) => Ok(range),
            _ => Err("unterminated string"),
        }
    }

    /// Skips a value.
    pub(super) fn skip(&mut self) -> Result<(), Problem> {
        let mut depth = 0_usize;
        loop {
            match self.0.next().ok_or("unexpected end of file")? {
                Token::String { is_closed: false, .. } => return Err("unterminated string"),
                Token::Open { .. } => depth += 1,
                Token::Close => depth = depth.checked_sub(1).ok_or("unmatched closing bracket")?,
                Token::Comma | Token::Colon if depth == 0 => return Err("expected a value"),
                Token::Comma | Token::Colon | Token::String { .. } | Token::Literal(_) | Token::Comment(_) => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Calls `member` with the key of each member of an object. The function must consume the value.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a [u8]) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        if !self.take(b'{') {
            return self.skip();
        }
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            if !self.take(b':') {
                return Err("expected `:`");
            }
            member(self, &self.bytes()[key])?;
            if !self.take(b',') {
                return if self.take(b'}') { Ok(()) } else { Err("unterminated object") };
            }
        }
    }

    /// Calls `element` at each element of an array. The function must consume the element.
    pub(super) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), Problem>) -> Result<(), Problem> {
        if !self.take(b'[') {
            return self.skip();
        }
        if self.take(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.take(b',') {
                return if self.take(b']') { Ok(()) } else { Err("unterminated array") };
            }
        }
    }
}

/// Appends the value of a string to `text`, and the positions of its parts to `map`.
///
/// Invalid UTF-8 becomes one `?` per byte, and an unpaired surrogate becomes `?`.
pub(super) fn decode(bytes: &[u8], string: Range<usize>, text: &mut String, map: &mut Vec<(usize, usize)>) {
    let mut at = string.start;
    while at < string.end {
        let rest = &bytes[at..string.end];
        let length = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        if length > 0 {
            map.push((text.len(), at));
            push_run(&rest[..length], text);
            at += length;
        }
        if at < string.end {
            map.push((text.len(), at));
            let (value, length) = escape(&bytes[at..string.end]);
            text.push(value);
            at += length;
        }
    }
    map.push((text.len(), string.end));
}

fn push_run(run: &[u8], text: &mut String) {
    for chunk in run.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
}

/// Returns the value of an escape sequence and its length in bytes.
fn escape(bytes: &[u8]) -> (char, usize) {
    let value = match bytes.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return unicode(bytes),
        Some(byte) if byte.is_ascii() => char::from(*byte),
        _ => return ('?', 1),
    };
    (value, 2)
}

fn unicode(bytes: &[u8]) -> (char, usize) {
    let Some(first) = unit(bytes) else { return ('?', 2) };
    if let Some(value) = char::from_u32(first) {
        return (value, 6);
    }
    let second = bytes.get(6..).filter(|rest| rest.starts_with(b"\\u")).and_then(unit);
    match second {
        Some(second @ 0xdc00..=0xdfff) if first < 0xdc00 => {
            let value = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            (char::from_u32(value).unwrap_or('?'), 12)
        }
        _ => ('?', 6),
    }
}

/// Parses the four digits of `\u1234`.
fn unit(bytes: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(bytes.get(2..6)?).ok()?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
}
