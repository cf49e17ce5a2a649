//! Tokens of JSON.

use std::ops::Range;

/// The accepted variant of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::lang) enum Syntax {
    /// JSON as programs write it. Any other text is a literal.
    Strict,
    /// JSON as users write it, with comments. Bytes that can't start a token are skipped.
    WithComments,
}

/// A token of JSON. Ranges are bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source::lang) enum Token {
    /// `{`, or `[` if `is_array`.
    Open { is_array: bool },
    /// `}` or `]`.
    Close,
    /// `,`.
    Comma,
    /// `:`.
    Colon,
    /// A string without its quotes.
    String { range: Range<usize>, is_closed: bool },
    /// A number, `true`, `false` or `null`.
    Literal(Range<usize>),
    /// A comment without its delimiters.
    Comment(Range<usize>),
}

/// An iterator over the tokens of a text. It keeps no stack, so the nesting depth is not limited.
#[derive(Debug, Clone, Copy)]
pub(in crate::source::lang) struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
    syntax: Syntax,
}

impl<'a> Tokens<'a> {
    /// Reads the tokens of `bytes` from the offset `start`.
    pub(in crate::source::lang) fn new(bytes: &'a [u8], start: usize, syntax: Syntax) -> Self {
        Self { bytes, at: start, syntax }
    }

    /// Returns the text.
    pub(in crate::source::lang) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the first byte of the next token.
    pub(in crate::source::lang) fn peek(&mut self) -> Option<u8> {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn single(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn string(&mut self) -> Token {
        self.at += 1;
        let start = self.at;
        while let Some(next) = memchr::memchr2(b'"', b'\\', self.rest()) {
            let end = self.at + next;
            self.at = end + 1;
            if self.bytes[end] == b'"' {
                return Token::String { range: start..end, is_closed: true };
            }
            // The escaped byte.
            self.at += 1;
        }
        self.at = self.bytes.len();
        Token::String { range: start..self.bytes.len(), is_closed: false }
    }

    fn literal(&mut self) -> Token {
        let ends = |byte: &u8| match self.syntax {
            Syntax::Strict => {
                matches!(byte, b',' | b':' | b'}' | b']' | b'{' | b'[' | b'"') || byte.is_ascii_whitespace()
            }
            Syntax::WithComments => b",]} \t\r\n".contains(byte),
        };
        let rest = self.rest();
        let start = self.at;
        self.at += rest.iter().position(ends).unwrap_or(rest.len()).max(1);
        Token::Literal(start..self.at)
    }

    fn line_comment(&mut self) -> Token {
        let start = self.at;
        let rest = self.rest();
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        Token::Comment(start + 2..self.at)
    }

    fn block_comment(&mut self) -> Token {
        let start = self.at;
        let rest = self.rest();
        let length = memchr::memmem::find(rest, b"*/").unwrap_or(rest.len());
        self.at += length + 2;
        Token::Comment((start + 2).min(self.bytes.len())..start + length)
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let byte = self.peek()?;
            return Some(match byte {
                b'{' | b'[' => self.single(Token::Open { is_array: byte == b'[' }),
                b'}' | b']' => self.single(Token::Close),
                b',' => self.single(Token::Comma),
                b':' => self.single(Token::Colon),
                b'"' => self.string(),
                _ if self.syntax == Syntax::Strict => self.literal(),
                b'/' if self.rest().starts_with(b"//") => self.line_comment(),
                b'/' if self.rest().starts_with(b"/*") => self.block_comment(),
                b'-' => self.literal(),
                _ if byte.is_ascii_alphanumeric() => self.literal(),
                _ => {
                    self.at += 1;
                    continue;
                }
            });
        }
    }
}
