//! Aligned columns of plain text with colors on top.

use anstyle::{AnsiColor, Style};

use super::Options;
use crate::model::text::{width, without_commands};

/// Meaning of a piece of text, which determines its color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Trouble,
}

impl Ink {
    fn style(self) -> Style {
        let color = |color: AnsiColor| color.on_default();
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => color(AnsiColor::Green),
            Self::Bad => color(AnsiColor::Red),
            Self::Trouble => color(AnsiColor::Yellow),
        }
    }
}

/// Clean text with its meaning.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) ink: Ink,
}

impl Piece {
    pub(super) fn new(text: impl Into<String>, ink: Ink) -> Self {
        Self { text: text.into(), ink }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Ink::Plain)
    }
}

/// Lines of output without trailing spaces.
#[derive(Debug)]
pub(super) struct Page {
    options: Options,
    text: String,
}

impl Page {
    pub(super) fn new(options: Options) -> Self {
        Self { options, text: String::new() }
    }

    /// Writes the pieces on one line after `indent` spaces.
    pub(super) fn line(&mut self, indent: usize, pieces: &[Piece]) {
        let last = pieces.iter().rposition(|piece| !piece.text.trim().is_empty());
        let Some(last) = last else {
            self.text.push('\n');
            return;
        };
        self.text.push_str(&" ".repeat(indent));
        for (index, piece) in pieces[..=last].iter().enumerate() {
            let text = if index == last { piece.text.trim_end() } else { &piece.text };
            self.piece(text, piece.ink);
        }
        self.text.push('\n');
    }

    fn piece(&mut self, text: &str, ink: Ink) {
        if !self.options.color || ink == Ink::Plain {
            self.text.push_str(text);
            return;
        }
        let style = ink.style();
        for part in [&style.render().to_string(), text, &style.render_reset().to_string()] {
            self.text.push_str(part);
        }
    }

    /// Writes one line of text.
    pub(super) fn write(&mut self, indent: usize, text: impl Into<String>, ink: Ink) {
        self.line(indent, &[Piece::new(text, ink)]);
    }

    /// Writes the text in lines of at most the width, broken between words. Lines after the first are indented by `hang` more.
    pub(super) fn wrapped(&mut self, indent: usize, hang: usize, text: &str, ink: Ink) {
        let mut inset = indent;
        let mut line = String::new();
        for word in text.split_whitespace() {
            let fits = inset + width(&line) + 1 + width(word) <= self.options.width;
            if !line.is_empty() && !fits {
                self.write(inset, std::mem::take(&mut line), ink);
                inset = indent + hang;
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.write(inset, line, ink);
    }

    /// Writes an empty line unless the page is empty or ends with one.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Returns the page without commands of CI systems.
    pub(super) fn finish(self) -> String {
        without_commands(&self.text).into_owned()
    }
}

/// Returns the widths of the columns.
pub(super) fn widths<'a>(rows: impl IntoIterator<Item = &'a [Piece]>) -> Vec<usize> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (index, piece) in row.iter().enumerate() {
            let needed = width(&piece.text);
            match widths.get_mut(index) {
                Some(known) => *known = needed.max(*known),
                None => widths.push(needed),
            }
        }
    }
    widths
}

/// Returns the row padded to the widths, with two spaces between columns.
pub(super) fn padded(row: &[Piece], widths: &[usize]) -> Vec<Piece> {
    let mut out = Vec::new();
    for (index, piece) in row.iter().enumerate() {
        let room = widths.get(index).copied().unwrap_or(0);
        let gap = room.saturating_sub(width(&piece.text)) + 2;
        out.push(piece.clone());
        out.push(Piece::plain(" ".repeat(gap)));
    }
    out
}
