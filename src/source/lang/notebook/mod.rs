//! Jupyter notebooks, formats 3 and 4.
//!
//! Each code cell is parsed separately, so a syntax error affects one cell only. Outputs and Markdown are skipped without a
//! copy.

mod book;
mod scanner;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use book::{Book, Cell};

use super::fact::{Facts, Host};
use super::language::Language;
use super::python::Mode;
use super::span::{Kind, Role, Span};
use super::{Map, View, embedded, python, read_text};

/// Reads a notebook. After invalid JSON, the cells before it are read and [`View::problem`] is set.
///
/// The text of the view consists of the sources of the code cells, each followed by a line break. If the metadata name a
/// Python 2 kernel, its version is added at the end as a comment, and [`Facts::python2`] refers to it.
pub fn read(bytes: &[u8]) -> View<'static> {
    let book = Book::read(bytes);
    let kernel = book.language(bytes);
    let mut text = String::new();
    let mut map = Vec::new();
    let mut ranges = Vec::with_capacity(book.cells.len());
    for cell in &book.cells {
        let start = text.len();
        for piece in &cell.source {
            scanner::decode(bytes, piece.clone(), &mut text, &mut map);
        }
        ranges.push(start..text.len());
        text.push('\n');
    }
    let mut view = View { problem: book.problem.map(str::to_owned), ..View::default() };
    for (cell, range) in book.cells.iter().zip(ranges) {
        read_cell(&mut view, &text, range, cell_language(bytes, cell, kernel));
    }
    if let Some(version) = book.python2(bytes) {
        let start = text.len();
        scanner::decode(bytes, version, &mut text, &mut map);
        let range = start..text.len();
        view.facts.python2 = Some(range.clone());
        view.spans.push(Span { range, kind: Kind::Comment, role: Role::Plain, is_head: true, name: None, call: None });
    }
    view.facts.syntax.sort_by_key(|syntax| syntax.since);
    view.text = Cow::Owned(text);
    view.map = Map(map);
    view
}

fn cell_language(bytes: &[u8], cell: &Cell, kernel: Option<Language>) -> Option<Language> {
    match &cell.language {
        Some(name) => book::language_of(&bytes[name.clone()]),
        None => kernel,
    }
}

/// Reads a cell and adds its spans and facts to the view.
fn read_cell(view: &mut View<'_>, text: &str, range: Range<usize>, language: Option<Language>) {
    let source = &text[range.clone()];
    let (body, language) = match magic(source) {
        Some((body, magic)) => (body, magic.language(language)),
        None => (0, language),
    };
    let Some(language) = language else { return };
    let source = &source[body..];
    let inner = match language {
        Language::Python => python::read(Cow::Borrowed(source), Mode::Cell),
        // `%%writefile x.ipynb`.
        Language::Notebook => return,
        other => read_text(other, source),
    };
    add(view, inner, range.start + body, language);
}

fn add(view: &mut View<'_>, inner: View<'_>, base: usize, language: Language) {
    let View { mut facts, spans, problem, .. } = inner;
    embedded::relocate(&mut facts, |range| range.start + base..range.end + base);
    if language == Language::Shell {
        facts.commands.iter_mut().for_each(|command| command.host = Host::Program);
    }
    let Facts { shebang, .. } = &mut facts;
    *shebang = None;
    embedded::merge(&mut view.facts, facts);
    view.spans
        .extend(spans.into_iter().map(|span| Span { range: span.range.start + base..span.range.end + base, ..span }));
    if view.problem.is_none() {
        view.problem = problem;
    }
}

/// A cell magic: `%%bash`.
struct Magic<'a> {
    name: &'a str,
    rest: &'a str,
}

impl Magic<'_> {
    /// Returns the language of the cell body. `None` if it is not supported.
    fn language(&self, kernel: Option<Language>) -> Option<Language> {
        match self.name {
            "bash" | "sh" | "zsh" | "ksh" | "!" | "sx" | "system" => Some(Language::Shell),
            "script" | "background" => {
                let program = self.rest.split_ascii_whitespace().next().unwrap_or_default();
                if program.ends_with("sh") { Some(Language::Shell) } else { None }
            }
            "cpp" | "cling" | "c++" | "jit" => Some(Language::Cpp),
            "writefile" | "file" => {
                let path = self.rest.split_ascii_whitespace().rfind(|word| !word.starts_with('-'))?;
                Some(Language::of(path, b""))
            }
            "html" | "HTML" | "javascript" | "js" | "latex" | "markdown" | "svg" | "SVG" | "cython" | "R" | "perl"
            | "ruby" | "sql" | "julia" => None,
            "python" | "python2" | "python3" | "pypy" => Some(Language::Python),
            _ => kernel,
        }
    }
}

/// Returns the magic of a cell and the offset of its body.
fn magic(source: &str) -> Option<(usize, Magic<'_>)> {
    let trimmed = source.trim_start();
    let rest = trimmed.strip_prefix("%%")?;
    let line = rest.split('\n').next().unwrap_or_default();
    let (name, arguments) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let body = source.len() - rest.len() + line.len();
    Some((body, Magic { name: name.trim(), rest: arguments.trim() }))
}
