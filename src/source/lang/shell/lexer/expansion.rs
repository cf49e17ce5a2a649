//! Expansions in words: `$x`, `${x:-y}`, `$(…)`, backticks.

use std::ops::Range;

use super::frame::{Closer, Frame};
use super::{Lexer, MAX_DEPTH, MAX_EXPANSION_LEN};
use crate::source::lang::fact::Host;
use crate::source::lang::shell::part::{Part, Piece};
use crate::source::lang::span::Role;

impl<'a> Lexer<'_, 'a> {
    pub(super) fn dollar(&mut self, is_quoted: bool) {
        if self.host == Host::Recipe && self.recipe_dollar() {
            return;
        }
        let start = self.at;
        match self.peek(1) {
            Some(b'(') => {
                if self.peek(2) == Some(b'(') && self.skip_arithmetic(start + 1) {
                    self.placeholder(start);
                } else if self.frames.len() < MAX_DEPTH {
                    self.word().has_command = true;
                    self.at += 2;
                    self.frames.push(Frame::new(Closer::Paren, start));
                } else {
                    self.take(start + 2, is_quoted);
                }
            }
            Some(b'{') => self.parameter(),
            Some(b'\'' | b'"') if !is_quoted => {
                self.word();
                self.at += 1;
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                let rest = &self.text.as_bytes()[start + 1..self.end];
                let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
                self.word();
                self.at = start + 1 + length.unwrap_or(rest.len());
                self.placeholder(start);
            }
            Some(byte) if byte.is_ascii_digit() || b"@*#?$!-".contains(&byte) => {
                self.word();
                self.at += 2;
                self.placeholder(start);
            }
            _ => self.take(start + 1, is_quoted),
        }
    }

    /// Reads a make variable `$(X)` in a recipe. Returns false for `$$`, which is the `$` of the shell.
    fn recipe_dollar(&mut self) -> bool {
        let start = self.at;
        if self.peek(1) == Some(b'$') {
            self.word();
            self.at += 1;
            return false;
        }
        let near = &self.text.as_bytes()[start..self.end.min(start + MAX_EXPANSION_LEN)];
        if near.starts_with(b"$(shell ") || !near.starts_with(b"$(") {
            return false;
        }
        let Some(end) = near.iter().position(|byte| matches!(byte, b')' | b'\n')).filter(|at| near[*at] == b')') else {
            return false;
        };
        self.word();
        self.at = start + end + 1;
        self.placeholder(start);
        true
    }

    /// Ends a placeholder from `start` to the current position.
    fn placeholder(&mut self, start: usize) {
        let range = start..self.at;
        let written = self.written(&range);
        let next = self.after();
        self.frame().word.get_or_insert_with(|| Part::at(start)).placeholder(written, range, next);
    }

    /// Ends a placeholder with separate spans.
    pub(super) fn hole(&mut self, start: usize) {
        let range = start..self.at;
        let written = self.written(&range);
        let next = self.after();
        self.frame().word.get_or_insert_with(|| Part::at(start)).hole(written, range, next);
    }

    /// Returns the byte after a placeholder, and the length of the quote between them: `"$BASE"/data`.
    fn after(&self) -> (usize, Option<u8>) {
        match self.peek(0) {
            Some(b'"') if self.peek(1) == Some(b'/') => (1, Some(b'/')),
            next => (0, next),
        }
    }

    fn written(&self, range: &Range<usize>) -> &'a str {
        if range.len() <= MAX_EXPANSION_LEN { self.text.get(range.clone()).unwrap_or("") } else { "$()" }
    }

    /// Reads `${…}` and its default.
    fn parameter(&mut self) {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let stop = self.end.min(start + MAX_EXPANSION_LEN);
        let mut depth = 0_usize;
        let mut end = None;
        for (at, byte) in bytes.iter().enumerate().take(stop).skip(start + 1) {
            match byte {
                b'{' => depth += 1,
                b'}' if depth == 1 => {
                    end = Some(at);
                    break;
                }
                b'}' => depth -= 1,
                b'\n' => break,
                _ => {}
            }
        }
        let Some(end) = end else { return self.take(start + 2, true) };
        self.word();
        self.at = end + 1;
        let name = bytes[start + 2..end].iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
        if let Some(length) = name {
            let after = start + 2 + length;
            let skip = match &bytes[after..end] {
                [b':', b'-' | b'=', ..] => 2,
                [b'-' | b'=', ..] => 1,
                _ => 0,
            };
            let mut range = after + skip..end;
            if let [first @ (b'"' | b'\''), .., last] = &bytes[range.clone()]
                && first == last
            {
                range = range.start + 1..range.end - 1;
            }
            if skip > 0 {
                let is_head = bytes.get(range.start) != Some(&b'$');
                let piece = Piece { range, is_head, role: Role::Default };
                self.frame().line.defaults.push((piece, start + 2..start + 2 + length));
                return self.hole(start);
            }
        }
        self.placeholder(start);
    }

    /// Skips `((…))`. Returns false if its end is too far away.
    pub(super) fn skip_arithmetic(&mut self, open: usize) -> bool {
        let stop = self.end.min(open + MAX_EXPANSION_LEN);
        let near = &self.text.as_bytes()[open..stop];
        let line = memchr::memchr(b'\n', near).unwrap_or(near.len());
        let Some(found) = memchr::memmem::find(&near[..line], b"))") else { return false };
        self.at = open + found + 2;
        true
    }

    pub(super) fn backtick(&mut self, is_quoted: bool) {
        if self.frame().closer == Closer::Backtick && !is_quoted {
            self.end_word();
            self.end_command(false);
            self.at += 1;
            self.pop();
        } else if self.frames.len() < MAX_DEPTH && !self.frames.iter().any(|frame| frame.closer == Closer::Backtick) {
            let start = self.at;
            self.word().has_command = true;
            self.at += 1;
            self.frames.push(Frame::new(Closer::Backtick, start));
        } else {
            self.take(self.at + 1, is_quoted);
        }
    }
}
