//! Splits a script into commands and words.

mod expansion;
mod frame;
mod heredoc;

use std::mem::take;
use std::ops::Range;

use super::batch;
use super::command::{self, Context, Line};
use super::part::{Heredoc, Part};
use crate::source::lang::fact::Host;
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Role};
use crate::source::lang::view_builder::ViewBuilder;
use frame::{Closer, Frame};

/// Maximum nesting depth of `$(…)`. Deeper ones are literal text.
const MAX_DEPTH: usize = 64;
/// Maximum length in bytes of `${…}` and `((…))`.
const MAX_EXPANSION_LEN: usize = 2048;

/// A heredoc with the language of its command.
#[derive(Debug)]
struct Pending {
    heredoc: Heredoc,
    language: Option<Language>,
    target: Option<String>,
    role: Role,
}

/// The state of the lexer.
#[derive(Debug)]
pub(super) struct Lexer<'s, 'a> {
    builder: &'s mut ViewBuilder<'a>,
    text: &'a str,
    at: usize,
    end: usize,
    host: Host,
    frames: Vec<Frame>,
    pending: Vec<Pending>,
    is_csh: bool,
}

impl<'s, 'a> Lexer<'s, 'a> {
    pub(super) fn new(builder: &'s mut ViewBuilder<'a>, range: Range<usize>, host: Host, is_csh: bool) -> Self {
        let text = builder.text;
        let frames = vec![Frame::new(Closer::File, range.start)];
        Self { builder, text, at: range.start, end: range.end, host, frames, pending: Vec::new(), is_csh }
    }

    pub(super) fn run(mut self) {
        while self.at < self.end {
            if self.frame().is_double {
                self.inside_quotes();
            } else {
                self.outside_quotes();
            }
        }
        while !self.frames.is_empty() {
            self.end_word();
            self.end_command(false);
            if self.frames.len() == 1 {
                break;
            }
            self.pop();
        }
    }

    fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the outermost frame is never popped")
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        let at = self.at + ahead;
        if at < self.end { self.text.as_bytes().get(at).copied() } else { None }
    }

    fn word(&mut self) -> &mut Part {
        let at = self.at;
        self.frame().word.get_or_insert_with(|| Part::at(at))
    }

    /// Appends literal characters up to an offset.
    fn take(&mut self, end: usize, is_quoted: bool) {
        let start = self.at;
        let mut end = end.min(self.end);
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let text = self.text.get(start..end).unwrap_or("");
        self.word().literal(text, start, is_quoted);
        self.at = end;
    }

    fn inside_quotes(&mut self) {
        match self.peek(0) {
            Some(b'"') => {
                self.frame().is_double = false;
                self.at += 1;
            }
            Some(b'\\') => self.escape(true),
            Some(b'$') => self.dollar(true),
            Some(b'`') => self.backtick(true),
            _ => {
                let rest = &self.text.as_bytes()[self.at..self.end];
                let length =
                    rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'$' | b'`')).unwrap_or(rest.len());
                self.take(self.at + length, true);
            }
        }
    }

    fn escape(&mut self, is_quoted: bool) {
        match self.peek(1) {
            Some(b'\n') => self.at += 2,
            Some(b'\r') if self.peek(2) == Some(b'\n') => self.at += 3,
            Some(_) => {
                self.word();
                self.at += 1;
                self.take(self.at + 1, is_quoted);
            }
            None => self.take(self.at + 1, is_quoted),
        }
    }

    fn outside_quotes(&mut self) {
        let Some(byte) = self.peek(0) else { return };
        match byte {
            b' ' | b'\t' | b'\r' => {
                self.end_word();
                self.at += 1;
            }
            b'\n' => self.newline(),
            b'\\' => self.escape(false),
            b'\'' => self.single(),
            b'"' => {
                let at = self.at;
                self.word().quote(at);
                self.frame().is_double = true;
                self.at += 1;
            }
            b'$' => self.dollar(false),
            b'`' => self.backtick(false),
            b'#' if self.frame().word.is_none() => self.comment(),
            b';' | b'&' | b'|' => self.separator(byte),
            b'<' | b'>' => self.angle(byte),
            b'(' => self.open(),
            b')' => self.close(),
            _ => {
                let rest = &self.text.as_bytes()[self.at..self.end];
                let length = rest.iter().position(|byte| b" \t\r\n\\'\"$`;&|<>()".contains(byte)).unwrap_or(rest.len());
                self.take(self.at + length.max(1), false);
            }
        }
    }

    fn single(&mut self) {
        let at = self.at;
        match memchr::memchr(b'\'', &self.text.as_bytes()[at + 1..self.end]) {
            Some(length) => {
                self.word().quote(at);
                self.at += 1;
                self.take(at + 1 + length, true);
                self.at += 1;
            }
            None => self.take(at + 1, false),
        }
    }

    fn comment(&mut self) {
        let length = memchr::memchr(b'\n', &self.text.as_bytes()[self.at..self.end]);
        let end = length.map_or(self.end, |length| self.at + length);
        let is_first = self.frames.len() == 1 && self.frame().line.words.is_empty();
        if !is_first || !batch::directive(self.builder, self.at..end) {
            self.builder.push(self.at + 1..end, Kind::Comment);
        }
        self.at = end;
    }

    /// Ends a nested list of commands and continues the word around it.
    fn pop(&mut self) {
        let Some(done) = self.frames.pop() else { return };
        if self.frames.is_empty() {
            self.frames.push(done);
            return;
        }
        if self.frame().word.is_some() {
            self.hole(done.start);
        }
    }

    fn newline(&mut self) {
        self.end_word();
        if self.frame().closer == Closer::Array {
            self.at += 1;
            return;
        }
        self.end_command(false);
        self.at += 1;
        if self.pending.is_empty() {
            return;
        }
        for pending in take(&mut self.pending) {
            self.body(pending);
        }
    }

    fn separator(&mut self, byte: u8) {
        self.end_word();
        let is_double = self.peek(1) == Some(byte);
        if self.frame().line.is_test() && byte != b';' && is_double {
            self.at += 2;
            return;
        }
        match byte {
            b'&' if self.peek(1) == Some(b'>') => {
                self.frame().redirect = Some(true);
                self.at += 2;
                return;
            }
            b';' if self.frame().cases > 0 && (is_double || self.peek(1) == Some(b'&')) => {
                self.end_command(false);
                self.frame().in_patterns = true;
                self.at += 2;
                return;
            }
            b'|' if self.frame().in_patterns => {
                self.at += 1;
                return;
            }
            _ => {}
        }
        self.end_command(byte == b'|' && !is_double);
        self.frame().follows = is_double && byte != b';';
        self.at += if is_double || (byte == b'|' && self.peek(1) == Some(b'&')) { 2 } else { 1 };
    }

    fn angle(&mut self, byte: u8) {
        if self.frame().line.is_test() {
            self.at += 1;
            return;
        }
        let is_number =
            self.frame().word.as_ref().is_some_and(|word| word.text.bytes().all(|byte| byte.is_ascii_digit()));
        if is_number {
            self.frame().word = None;
        }
        self.end_word();
        match (byte, self.peek(1)) {
            (_, Some(b'(')) if self.frames.len() < MAX_DEPTH => {
                let start = self.at;
                self.word();
                self.at += 2;
                self.frames.push(Frame::new(Closer::Paren, start));
            }
            (b'<', Some(b'<')) if self.peek(2) == Some(b'<') => self.at += 3,
            (b'<', Some(b'<')) => self.heredoc(),
            (b'>', Some(b'&')) if self.peek(2).is_some_and(|byte| byte.is_ascii_digit() || byte == b'-') => {
                self.at += 3;
            }
            (_, Some(b'>' | b'|' | b'&')) => {
                self.frame().redirect = Some(byte == b'>');
                self.at += 2;
            }
            _ => {
                self.frame().redirect = Some(byte == b'>');
                self.at += 1;
            }
        }
    }

    fn open(&mut self) {
        let start = self.at;
        let is_csh = self.is_csh;
        let frame = self.frame();
        let starts_array = frame.word.as_ref().is_some_and(|word| word.equals.is_some() && word.text.ends_with('='));
        let is_name =
            frame.word.is_some() && frame.line.words.is_empty() || frame.word.is_none() && frame.line.words.len() == 1;
        if is_csh || self.frame().line.is_test() || self.frame().in_patterns {
            self.end_word();
            self.at += 1;
        } else if starts_array && self.frames.len() < MAX_DEPTH {
            self.at += 1;
            self.frames.push(Frame::new(Closer::Array, start));
        } else if is_name && self.peek(1) == Some(b')') {
            let frame = self.frame();
            frame.word = None;
            frame.line = Line::default();
            self.at += 2;
        } else if self.frame().word.is_none() && self.frame().line.words.is_empty() {
            if self.peek(1) == Some(b'(') && self.skip_arithmetic(start) {
                return;
            }
            if self.frames.len() < MAX_DEPTH {
                self.frames.push(Frame::new(Closer::Paren, start));
            }
            self.at += 1;
        } else {
            self.take(start + 1, false);
        }
    }

    fn close(&mut self) {
        self.end_word();
        let closer = self.frame().closer;
        if self.frame().in_patterns {
            let frame = self.frame();
            frame.in_patterns = false;
            let line = take(&mut frame.line);
            command::patterns(self.builder, line);
        } else if self.is_csh {
            let frame = self.frame();
            if frame.line.words.first().is_some_and(|word| word.text == "if") {
                let line = take(&mut frame.line);
                frame.follows = true;
                command::patterns(self.builder, line);
            }
        } else if closer == Closer::Paren {
            self.end_command(false);
            self.at += 1;
            return self.pop();
        } else if closer == Closer::Array {
            let line = take(&mut self.frame().line);
            self.at += 1;
            self.pop();
            let name = self.frame().word.as_ref().map(|word| word.text.trim_end_matches(['=', '(', '+']).to_owned());
            let name = name.as_deref().and_then(|name| name.split(['=', '+']).next());
            return command::elements(self.builder, line, name);
        }
        self.at += 1;
    }

    fn end_word(&mut self) {
        let at = self.at;
        let text = self.text;
        let is_csh = self.is_csh;
        let frame = self.frame();
        let Some(mut word) = frame.word.take() else { return };
        word.close(text, at);
        if let Some(is_output) = frame.redirect.take() {
            frame.line.redirects.push((is_output, word));
            return;
        }
        if frame.in_patterns && word.text == "esac" {
            frame.in_patterns = false;
            frame.cases = frame.cases.saturating_sub(1);
            frame.depth = frame.depth.saturating_sub(1);
            return;
        }
        let is_first = frame.line.words.is_empty() && !word.is_quoted && frame.closer != Closer::Array;
        if is_first && !frame.in_patterns && frame.read_keyword(&word.text, is_csh) {
            return;
        }
        let is_in = word.text == "in" && frame.line.words.first().is_some_and(|first| first.text == "case");
        if is_in {
            frame.cases += 1;
            frame.depth += 1;
            frame.in_patterns = true;
            let line = take(&mut frame.line);
            return command::patterns(self.builder, line);
        }
        if frame.line.words.is_empty() && !frame.in_patterns && frame.closer != Closer::Array && word.is_assignment() {
            frame.line.assignments.push(word);
        } else {
            frame.line.words.push(word);
        }
    }

    fn end_command(&mut self, is_piped: bool) {
        let (host, is_csh) = (self.host, self.is_csh);
        let frame = self.frame();
        frame.redirect = None;
        if frame.in_patterns || frame.closer == Closer::Array {
            return;
        }
        let mut line = take(&mut frame.line);
        if line.is_empty() {
            // The command after `&&` may be on a later line.
            return;
        }
        let is_conditional = take(&mut frame.follows) || frame.depth > 0;
        let is_nested = self.frames.len() > 1 || is_piped;
        for heredoc in take(&mut line.heredocs) {
            // `RUN <<EOF` in a Dockerfile has no command: the body is the script.
            let is_script = host == Host::Build && line.words.is_empty();
            let language = if is_script { Some(Language::Shell) } else { line.heredoc_language() };
            let target = line.target().map(str::to_owned);
            let is_shown = target.is_none() && !is_nested && language.is_none();
            let role = if is_shown { Role::Shown } else { Role::Plain };
            self.pending.push(Pending { heredoc, language, target, role });
        }
        let context = Context { host, is_conditional, is_piped, is_nested, is_csh };
        command::finish(self.builder, line, &context);
    }
}
