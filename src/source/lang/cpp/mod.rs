//! C, C++ and ROOT macros: comments, strings with their calls and variables, and included files.
//!
//! One pass over the tokens. Templates and macros are not resolved.

mod meaning;

use std::ops::Range;

use super::fact::{Call, Usage, Word};
use super::span::{Kind, Span};
use super::view_builder::{ViewBuilder, short};

/// Maximum nesting depth of brackets. Deeper strings have no call.
const MAX_DEPTH: usize = 256;

/// The previous token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The start of the text, an operator or a number.
    Other,
    Name,
    Text,
    Plus,
    Assign,
    Equal,
    Comma,
    Open,
    /// `*`, `&` or `>`, which may belong to a type before a name.
    Mark,
}

/// An open bracket.
#[derive(Debug)]
struct Frame<'a> {
    /// The function or type before the bracket.
    call: Option<&'a str>,
    /// The variable that it initializes.
    variable: Option<&'a str>,
    /// Offset of the name. `None` for a list inside a call.
    name_start: Option<usize>,
    /// The variable that the enclosing statement assigns.
    assigned: Option<&'a str>,
    is_block: bool,
    is_shown: bool,
    arguments: Vec<Option<Word>>,
    literal: Option<Word>,
    /// Whether the argument so far is one string.
    is_pure: bool,
    has_text: bool,
}

/// The state of the reader.
#[derive(Debug)]
struct Reader<'s, 'a> {
    builder: &'s mut ViewBuilder<'a>,
    text: &'a str,
    at: usize,
    end: usize,
    before: Before,
    last: Option<&'a str>,
    last_at: usize,
    kind_at: usize,
    /// The name directly before the last name.
    kind: Option<&'a str>,
    assigned: Option<&'a str>,
    is_shown: bool,
    frames: Vec<Frame<'a>>,
    untracked_depth: usize,
}

/// Reads a part of a text as C++.
pub(super) fn read(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let text = builder.text;
    let mut reader = Reader {
        builder,
        text,
        at: range.start,
        end: range.end,
        before: Before::Other,
        last: None,
        last_at: 0,
        kind_at: 0,
        kind: None,
        assigned: None,
        is_shown: false,
        frames: Vec::new(),
        untracked_depth: 0,
    };
    while reader.at < reader.end {
        reader.token();
    }
}

impl<'a> Reader<'_, 'a> {
    fn peek(&self, ahead: usize) -> u8 {
        let at = self.at + ahead;
        if at < self.end { self.text.as_bytes()[at] } else { 0 }
    }

    fn find(&self, what: &[u8], from: usize) -> Option<usize> {
        let from = from.min(self.end);
        memchr::memmem::find(&self.text.as_bytes()[from..self.end], what).map(|at| from + at)
    }

    fn token(&mut self) {
        let byte = self.peek(0);
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b'\\' => self.at += 1,
            b'/' if self.peek(1) == b'/' => self.line_comment(),
            b'/' if self.peek(1) == b'*' => {
                let stop = self.find(b"*/", self.at + 2).unwrap_or(self.end);
                self.builder.push(self.at + 2..stop, Kind::Comment);
                self.at = (stop + 2).min(self.end);
            }
            b'#' if self.is_line_start() => self.directive(),
            b'"' => self.string(),
            b'\'' => self.character(),
            b'0'..=b'9' => self.number(),
            b'(' | b'[' | b'{' => self.open(byte),
            b')' | b']' | b'}' => self.close(byte),
            b';' => {
                self.at += 1;
                self.reset();
            }
            b',' => self.comma(),
            _ if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => self.name(),
            _ => self.operator(byte),
        }
    }

    fn is_line_start(&self) -> bool {
        let bytes = self.text.as_bytes();
        let before = bytes[..self.at].iter().rev().take(64).find(|byte| !matches!(byte, b' ' | b'\t'));
        before.is_none_or(|byte| *byte == b'\n')
    }

    fn line_comment(&mut self) {
        let start = self.at + 2;
        let mut stop = start;
        loop {
            stop = self.find(b"\n", stop).unwrap_or(self.end);
            let bytes = self.text.as_bytes();
            if stop < self.end && stop > start && bytes[stop - 1] == b'\\' {
                stop += 1;
            } else {
                break;
            }
        }
        self.builder.push(start..stop, Kind::Comment);
        self.at = stop;
    }

    /// Reads `#include "x"` and `#define X "…"`. Other preprocessor lines are read as code.
    fn directive(&mut self) {
        self.reset();
        let stop = self.find(b"\n", self.at).unwrap_or(self.end);
        let line = self.text.get(self.at..stop).unwrap_or("");
        let word = line[1..].trim_start();
        if let Some(rest) = word.strip_prefix("include") {
            let rest_at = self.at + line.len() - rest.len();
            let mut quotes = rest.match_indices('"');
            if let (Some((from, _)), Some((to, _))) = (quotes.next(), quotes.next()) {
                let path_range = rest_at + from + 1..rest_at + to;
                self.builder.push(path_range.clone(), Kind::Word);
                self.builder.refer(&rest[from + 1..to], path_range, Usage::Code);
                self.at = rest_at + to + 1;
            } else {
                // A comment may follow `<x>`.
                self.at = rest.find('>').map_or(stop, |at| rest_at + at + 1);
            }
        } else if let Some(rest) = word.strip_prefix("define ") {
            let rest = rest.trim_start();
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            self.assigned = Some(&rest[..length]);
            self.at += line.len() - rest.len() + length;
        } else if word.starts_with("error") || word.starts_with("warning") || word.starts_with("pragma") {
            self.at = stop;
        } else {
            self.at += 1;
        }
    }

    fn reset(&mut self) {
        self.before = Before::Other;
        self.last = None;
        self.kind = None;
        self.assigned = self.frames.last().and_then(|frame| if frame.is_block { None } else { frame.assigned });
        self.is_shown = false;
        // A call contains no statement: its bracket is not closed.
        while self
            .frames
            .last()
            .is_some_and(|frame| !frame.is_block && frame.call.is_some() && frame.call != Some("for"))
        {
            self.frames.pop();
        }
    }

    fn name(&mut self) {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = start;
        loop {
            while at < self.end && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_' || bytes[at] >= 0x80) {
                at += 1;
            }
            let length = match bytes.get(at..self.end.min(at + 3)).unwrap_or(&[]) {
                [b'.', next, ..] if next.is_ascii_alphabetic() || *next == b'_' => 1,
                [b':', b':', next] | [b'-', b'>', next] if next.is_ascii_alphabetic() || *next == b'_' => 2,
                _ => break,
            };
            at += length;
        }
        let name = self.text.get(start..at).unwrap_or("");
        self.at = at;
        if at < self.end
            && matches!(bytes[at], b'"' | b'\'')
            && matches!(name, "R" | "u8R" | "LR" | "uR" | "UR" | "L" | "u8" | "u" | "U")
        {
            if name.ends_with('R') && bytes[at] == b'"' {
                self.raw();
            }
            return;
        }
        self.kind = match self.before {
            Before::Name | Before::Mark => self.last.filter(|name| !is_keyword(name)),
            _ => None,
        };
        self.kind_at = self.last_at;
        self.is_shown |= meaning::is_stream(name) || name == "throw";
        self.last = Some(name);
        self.last_at = start;
        self.before = Before::Name;
        self.impure();
    }

    fn impure(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.is_pure = false;
        }
    }

    fn operator(&mut self, byte: u8) {
        let next = self.peek(1);
        self.impure();
        self.before = match (byte, next) {
            (b'=' | b'!', b'=') => Before::Equal,
            (b'=', _) => {
                self.assigned = self.last;
                Before::Assign
            }
            (b'+', b'=') => {
                self.assigned = self.last;
                self.at += 2;
                self.before = Before::Assign;
                return;
            }
            (b'+', _) => Before::Plus,
            // `path / "data"` joins paths.
            (b'/', _) => Before::Plus,
            (b'<' | b'>' | b'&' | b'|', _) if next == byte => Before::Other,
            (b'*' | b'&' | b'>', _) => Before::Mark,
            _ => Before::Other,
        };
        let is_double = matches!(
            (byte, next),
            (b'=' | b'!' | b'<' | b'>', b'=')
                | (b'<', b'<')
                | (b'&', b'&')
                | (b'|', b'|')
                | (b':', b':')
                | (b'-', b'>')
        );
        self.at += if is_double { 2 } else { 1 };
    }

    fn number(&mut self) {
        let bytes = &self.text.as_bytes()[self.at..self.end];
        let length =
            bytes.iter().position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'_' | b'\''));
        self.at += length.unwrap_or(bytes.len()).max(1);
        self.before = Before::Other;
        self.impure();
    }

    /// Reads a character literal: short and on one line. Any other quote is skipped.
    fn character(&mut self) {
        let bytes = &self.text.as_bytes()[self.at + 1..self.end.min(self.at + 14)];
        let mut at = 0;
        while at < bytes.len() && bytes[at] != b'\'' && bytes[at] != b'\n' {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        let is_closed = bytes.get(at) == Some(&b'\'');
        self.at += if is_closed { at + 2 } else { 1 };
        self.before = Before::Other;
        self.impure();
    }

    fn string(&mut self) {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut at = start;
        while at < self.end && bytes[at] != b'"' && bytes[at] != b'\n' {
            at += match bytes[at] {
                b'\\' if bytes.get(at + 1) == Some(&b'\r') => 3,
                b'\\' => 2,
                _ => 1,
            };
        }
        let stop = at.min(self.end);
        self.at = (stop + 1).min(self.end);
        self.literal(start..stop);
    }

    /// Reads `R"delimiter(…)delimiter"` from the quote.
    fn raw(&mut self) {
        let start = self.at + 1;
        let bytes = &self.text.as_bytes()[start..self.end.min(start + 17)];
        let Some(length) = bytes.iter().position(|byte| *byte == b'(') else { return };
        let mut closer = Vec::with_capacity(length + 2);
        closer.push(b')');
        closer.extend_from_slice(&bytes[..length]);
        closer.push(b'"');
        let from = start + length + 1;
        let stop = self.find(&closer, from).unwrap_or(self.end);
        self.at = (stop + closer.len()).min(self.end);
        self.literal(from..stop);
    }

    fn literal(&mut self, range: Range<usize>) {
        let is_compared = self.before == Before::Equal || self.is_equal_next();
        let is_head = !matches!(self.before, Before::Plus | Before::Text);
        let frame = self.frames.last();
        let call = frame.and_then(|frame| frame.call);
        let variable = frame.and_then(|frame| frame.variable).or(self.assigned);
        let is_shown = self.is_shown || frame.is_some_and(|frame| frame.is_shown);
        let role = meaning::role(call, is_compared, is_shown);
        let is_command = is_head && call.is_some_and(meaning::is_shell);
        if let Some(frame) = self.frames.last_mut() {
            frame.has_text = true;
            let text = self.text.get(range.clone()).unwrap_or("");
            match &mut frame.literal {
                Some(word) if self.before == Before::Text && frame.is_pure => {
                    word.text.push_str(text);
                    word.range.end = range.end;
                }
                None if matches!(self.before, Before::Open | Before::Comma) => {
                    frame.literal = Some(Word { text: text.to_owned(), range: range.clone() });
                    frame.is_pure = true;
                }
                _ => frame.is_pure = false,
            }
        }
        let is_read = is_command && self.builder.embed(super::Language::Shell, range.clone(), super::Host::Program);
        if !is_read && !range.is_empty() {
            let (name, call) = (variable.map(short), call.map(short));
            self.builder.spans.push(Span { range, kind: Kind::Text, role, is_head, name, call });
        }
        self.before = Before::Text;
    }

    fn is_equal_next(&self) -> bool {
        let rest = &self.text.as_bytes()[self.at..self.end.min(self.at + 16)];
        let rest = rest.trim_ascii_start();
        rest.starts_with(b"==") || rest.starts_with(b"!=")
    }

    fn comma(&mut self) {
        self.at += 1;
        self.before = Before::Comma;
        self.last = None;
        if let Some(frame) = self.frames.last_mut() {
            frame.next();
        }
    }

    fn open(&mut self, byte: u8) {
        self.at += 1;
        if self.frames.len() >= MAX_DEPTH {
            self.untracked_depth += 1;
            return;
        }
        let is_call = byte == b'(' && matches!(self.before, Before::Name | Before::Mark);
        let is_block = byte == b'{' && !matches!(self.before, Before::Assign | Before::Comma | Before::Open);
        let (call, variable, name_start) = match (is_call, self.kind, self.last) {
            (true, Some(kind), name) if self.before == Before::Name => (Some(kind), name, Some(self.kind_at)),
            (true, _, Some(name)) => (Some(name), None, Some(self.last_at)),
            _ => (None, None, None),
        };
        self.impure();
        // A list in a call belongs to the call.
        let outer = self.frames.last().filter(|_| !is_call && !is_block);
        let call = call.or_else(|| outer.and_then(|frame| frame.call));
        let variable = variable.or_else(|| outer.and_then(|frame| frame.variable));
        let is_shown =
            !is_block && (self.is_shown || self.frames.last().is_some_and(|frame| frame.is_shown && !frame.is_block));
        let frame = Frame {
            call,
            variable,
            name_start,
            assigned: self.assigned,
            is_block,
            is_shown,
            arguments: Vec::new(),
            literal: None,
            is_pure: false,
            has_text: false,
        };
        if is_block {
            self.reset();
        }
        self.frames.push(frame);
        self.before = if is_block { Before::Other } else { Before::Open };
        if byte == b'(' {
            self.kind = None;
        }
    }

    fn close(&mut self, byte: u8) {
        self.at += 1;
        self.before = Before::Other;
        if self.untracked_depth > 0 {
            self.untracked_depth -= 1;
            return;
        }
        // A closing brace also closes open brackets.
        if byte == b'}' {
            let block = self.frames.iter().rposition(|frame| frame.is_block);
            let is_list = self.frames.last().is_some_and(|frame| !frame.is_block);
            if let Some(block) = block.filter(|_| !is_list) {
                self.frames.truncate(block);
                return self.reset();
            }
        }
        let Some(mut frame) = self.frames.pop() else { return };
        frame.next();
        self.assigned = frame.assigned;
        let (Some(name), Some(start), true) = (frame.call, frame.name_start, byte == b')' && frame.has_text) else {
            return;
        };
        meaning::references(self.builder, name, &frame.arguments);
        self.builder.facts.calls.push(Call {
            name: short(name),
            range: start..start + name.len(),
            full_range: start..self.at,
            arguments: frame.arguments,
            keywords: Vec::new(),
            is_conditional: false,
            runs_at_import: false,
        });
    }
}

impl Frame<'_> {
    /// Ends an argument.
    fn next(&mut self) {
        let literal = self.literal.take();
        if self.call.is_some() && self.arguments.len() < 64 {
            self.arguments.push(literal.filter(|_| self.is_pure));
        }
        self.is_pure = false;
    }
}

fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "return"
            | "new"
            | "else"
            | "throw"
            | "delete"
            | "case"
            | "const"
            | "static"
            | "auto"
            | "constexpr"
            | "inline"
            | "do"
            | "if"
            | "while"
            | "for"
            | "switch"
            | "using"
            | "typedef"
            | "extern"
            | "co_return"
            | "not"
            | "and"
            | "or"
    )
}
