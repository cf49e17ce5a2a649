//! JSON by the byte: values are passed over in a loop, whatever their depth, and strings are known by where they stand.

use std::ops::Range;

/// Why a text is no JSON, or no notebook.
pub(super) type Broken = &'static str;

/// A place in a JSON text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// The start of a text.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { bytes, at }
    }

    /// The whole text.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The first byte of what comes next.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    /// A string: what stands between its quotes.
    pub(super) fn string(&mut self) -> Result<Range<usize>, Broken> {
        if !self.take(b'"') {
            return Err("a string is missing");
        }
        let start = self.at;
        self.close()?;
        Ok(start..self.at - 1)
    }

    /// Goes behind the quote that ends the string it is in.
    fn close(&mut self) -> Result<(), Broken> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(next) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = self.bytes.len();
                return Err("a string does not end");
            };
            self.at += next + 1;
            if rest[next] == b'"' {
                return Ok(());
            }
            self.at += 1;
        }
    }

    /// Passes over a value.
    pub(super) fn skip(&mut self) -> Result<(), Broken> {
        let mut depth = 0_usize;
        loop {
            match self.peek().ok_or("it ends too early")? {
                b'"' => {
                    self.at += 1;
                    self.close()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1).ok_or("a bracket closes that was not opened")?;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => self.at += 1,
                b',' | b':' => return Err("a value is missing"),
                _ => self.bare(),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// A number, a truth value, `null`.
    fn bare(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let ends =
            |byte: &u8| matches!(byte, b',' | b':' | b'}' | b']' | b'{' | b'[' | b'"') || byte.is_ascii_whitespace();
        self.at += rest.iter().position(ends).unwrap_or(rest.len()).max(1);
    }

    /// Gives each member of an object to a function, which must go behind its value.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a [u8]) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        if !self.take(b'{') {
            return self.skip();
        }
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            if !self.take(b':') {
                return Err("a colon is missing");
            }
            member(self, &self.bytes[key])?;
            if !self.take(b',') {
                return if self.take(b'}') { Ok(()) } else { Err("an object does not end") };
            }
        }
    }

    /// Gives each place of an array to a function, which must go behind its value.
    pub(super) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), Broken>) -> Result<(), Broken> {
        if !self.take(b'[') {
            return self.skip();
        }
        if self.take(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.take(b',') {
                return if self.take(b']') { Ok(()) } else { Err("an array does not end") };
            }
        }
    }
}

/// Appends the value of a string to a text, and where its parts stand to a map. A byte that is no UTF-8 becomes `?`, and so
/// does half a pair of surrogates.
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

/// The value of an escape and its length.
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

/// The four digits of `\u1234`.
fn unit(bytes: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(bytes.get(2..6)?).ok()?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
}
