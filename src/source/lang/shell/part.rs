//! Words of a command in construction.

use std::ops::Range;

use crate::source::lang::fact::Word;
use crate::source::lang::span::Role;

/// A heredoc whose body is not read yet.
#[derive(Debug)]
pub(super) struct Heredoc {
    pub(super) delimiter: String,
    /// Whether leading tabs are removed from its lines (`<<-`).
    pub(super) strips_tabs: bool,
}

/// Returns the name of a program without its directory.
pub(super) fn program_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A literal part of a word.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) is_head: bool,
    pub(super) role: Role,
}

/// A word.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Text without quotes. Variables are not expanded.
    pub(super) text: String,
    pub(super) range: Range<usize>,
    pub(super) pieces: Vec<Piece>,
    /// Whether a part of it is quoted.
    pub(super) is_quoted: bool,
    /// Whether it contains a command substitution.
    pub(super) has_command: bool,
    /// Offset after the first `=`, and the length of the key in `text`.
    pub(super) equals: Option<(usize, usize)>,
    piece: usize,
    is_head: bool,
    has_slash: bool,
}

impl Part {
    pub(super) fn at(start: usize) -> Self {
        Self { range: start..start, piece: start, is_head: true, ..Self::default() }
    }

    /// Appends literal characters.
    pub(super) fn literal(&mut self, text: &str, start: usize, is_quoted: bool) {
        if self.equals.is_none()
            && !is_quoted
            && !self.is_quoted
            && let Some(found) = text.find('=')
            // `numpy==1.26` is not an assignment.
            && text.as_bytes().get(found + 1) != Some(&b'=')
        {
            let key = self.text.len() + found;
            self.text.push_str(text);
            if self.text[..key].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+[]".contains(&byte)) && key > 0
            {
                self.equals = Some((start + found + 1, key));
            }
        } else {
            self.text.push_str(text);
        }
        match text.rfind([' ', '=', ':', ',', ';', '(', '\n', '\t']) {
            Some(at) => self.has_slash = text[at..].contains('/'),
            None => self.has_slash |= text.contains('/'),
        }
    }

    /// Records an opening quote.
    pub(super) fn quote(&mut self, at: usize) {
        self.is_quoted = true;
        if self.piece == at {
            self.piece = at + 1;
        }
    }

    /// Appends a variable or a command substitution. `next` is the byte after it, and `skip` the length of a quote between.
    pub(super) fn placeholder(&mut self, written: &str, range: Range<usize>, (skip, next): (usize, Option<u8>)) {
        self.text.push_str(written);
        if next == Some(b'/') && !self.has_slash {
            self.cut(range.start);
            self.piece = range.end + skip;
            self.is_head = false;
            self.has_slash = true;
        }
    }

    /// Appends a part with separate spans: a command substitution or a default.
    pub(super) fn hole(&mut self, written: &str, range: Range<usize>, (skip, next): (usize, Option<u8>)) {
        self.text.push_str(written);
        self.cut(range.start);
        self.piece = range.end + skip;
        self.is_head = next != Some(b'/') || self.has_slash;
    }

    fn cut(&mut self, end: usize) {
        if self.piece < end {
            self.pieces.push(Piece { range: self.piece..end, is_head: self.is_head, role: Role::Plain });
        }
    }

    /// Ends the word. `text` is the whole text.
    pub(super) fn close(&mut self, text: &str, end: usize) {
        self.range.end = end;
        let bytes = text.as_bytes();
        let last = end.checked_sub(1).and_then(|at| bytes.get(at)).copied();
        let end = if self.is_quoted && matches!(last, Some(b'"' | b'\'')) { end - 1 } else { end };
        self.cut(end);
        if let Some((at, _)) = self.equals {
            self.split(text, at);
        }
    }

    /// Splits the piece that contains an offset. A quote at the offset is dropped.
    fn split(&mut self, text: &str, at: usize) {
        let Some(index) = self.pieces.iter().position(|piece| piece.range.start < at && at <= piece.range.end) else {
            return;
        };
        let end = self.pieces[index].range.end;
        let skip = usize::from(matches!(text.as_bytes().get(at), Some(b'"' | b'\'')));
        self.pieces[index].range.end = at;
        let rest = (at + skip).min(end)..end;
        if !rest.is_empty() {
            self.pieces.insert(index + 1, Piece { range: rest, is_head: true, role: Role::Plain });
        }
    }

    /// Returns key and value of `key=value`.
    pub(super) fn assignment(&self, text: &str) -> Option<(&str, Word)> {
        let (at, key) = self.equals?;
        let mut range = at.min(self.range.end)..self.range.end;
        let bytes = text.as_bytes();
        if let (Some(first @ (b'"' | b'\'')), true) = (bytes.get(range.start), range.len() >= 2)
            && bytes.get(range.end - 1) == Some(first)
        {
            range = range.start + 1..range.end - 1;
        }
        Some((self.text[..key].trim_end_matches('+'), Word { text: self.text[key + 1..].to_owned(), range }))
    }

    /// Reports whether it assigns a variable.
    pub(super) fn is_assignment(&self) -> bool {
        self.equals.is_some_and(|(_, key)| {
            let name = self.text[..key].trim_end_matches('+');
            let name = name.split('[').next().unwrap_or("");
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
    }

    /// Returns the content if the whole word is in one pair of quotes without a command substitution.
    pub(super) fn quoted(&self) -> Option<Range<usize>> {
        match self.pieces.as_slice() {
            [piece] if self.is_quoted && !self.has_command && piece.range.start == self.range.start + 1 => {
                Some(piece.range.clone())
            }
            _ => None,
        }
    }

    pub(super) fn word(&self) -> Word {
        Word { text: self.text.clone(), range: self.range.clone() }
    }
}
