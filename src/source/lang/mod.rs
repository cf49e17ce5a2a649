//! Files as a reader of their language sees them: which bytes are a string, a comment, a command, a setting.
//!
//! A rule never greps: it asks what a text *is*. [`read`] makes a [`View`] of a file: its text, the spans of strings,
//! values and comments in it, and the facts that a parser of the language can tell ([`fact::Facts`]).

mod apptainer;
mod cmake;
mod cpp;
mod docker;
pub(crate) mod embedded;
pub mod fact;
mod function_name;
mod htcondor;
mod ini;
mod json;
pub mod language;
mod make;
pub mod matcher;
pub mod notebook;
mod plain;
pub mod python;
pub(super) mod shell;
pub mod span;
#[cfg(test)]
mod tests;
mod toml;
mod view_builder;
mod yaml;

use std::borrow::Cow;
use std::ops::Range;

use fact::{Facts, Host};
use language::Language;
use span::Span;
use view_builder::ViewBuilder;

/// A file as text, with what its language says of it.
#[derive(Debug, Clone, Default)]
pub struct View<'a> {
    /// The text that spans, facts and matches refer to. For most files the file itself, byte by byte, where a byte that is
    /// no UTF-8 is `?`; for a notebook the source of its code cells.
    pub text: Cow<'a, str>,
    /// Where the text lies in the file.
    pub map: Map,
    /// Spans, sorted by start; they don't overlap. What lies in none is code (or, in prose, prose).
    pub spans: Vec<Span>,
    /// What a parser found.
    pub facts: Facts,
    /// Why the file could not be read as its language: the rest is then text.
    pub problem: Option<String>,
}

/// Where the text of a view lies in its file: `(offset in the text, offset in the file)`, sorted; between two entries
/// both run on byte by byte. Empty when they are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map(pub Vec<(usize, usize)>);

impl Map {
    /// The place in the file of a place in the text.
    pub fn in_file(&self, offset: usize) -> usize {
        let next = self.0.partition_point(|(text, _)| *text <= offset);
        match next.checked_sub(1).map(|at| self.0[at]) {
            Some((text, file)) => file + (offset - text),
            None => offset,
        }
    }
}

impl View<'_> {
    /// The span that holds a place of the text.
    pub fn span_at(&self, offset: usize) -> Option<&Span> {
        let next = self.spans.partition_point(|span| span.range.start <= offset);
        let span = &self.spans[next.checked_sub(1)?];
        (offset < span.range.end).then_some(span)
    }
}

/// Reads a file as its language. Never fails: what can't be parsed is plain text, with the reason.
///
/// A byte that is no UTF-8 is read as `?`, so that places in the text are places in the file.
pub fn read(language: Language, bytes: &[u8]) -> View<'_> {
    match repair(bytes) {
        Cow::Borrowed(text) => read_text(language, text),
        Cow::Owned(text) => {
            let View { map, spans, facts, problem, text: read } = read_text(language, &text);
            let text = read.into_owned();
            View { text: Cow::Owned(text), map, spans, facts, problem }
        }
    }
}

/// Reads text as a language: a file, or a part of one that another reader found (a heredoc, a string given to a shell).
pub fn read_text(language: Language, text: &str) -> View<'_> {
    match language {
        Language::Python => python::read(Cow::Borrowed(text), python::Mode::File),
        Language::Notebook => notebook::read(text.as_bytes()),
        _ => {
            let mut sheet = ViewBuilder::new(text);
            let range = sheet.all();
            read_language(&mut sheet, language, range, Host::Script);
            sheet.finish()
        }
    }
}

/// Reads a part of a sheet as a language.
fn read_language(sheet: &mut ViewBuilder<'_>, language: Language, range: Range<usize>, host: Host) {
    match language {
        Language::Shell => shell::read(sheet, range, host),
        Language::Yaml => yaml::read(sheet, range),
        Language::Json => json::read(sheet, range),
        Language::Ini => ini::read(sheet, range),
        Language::Toml => toml::read(sheet, range),
        Language::Make => make::read(sheet, range),
        Language::Cmake => cmake::read(sheet, range),
        Language::Cpp => cpp::read(sheet, range),
        Language::Docker => docker::read(sheet, range),
        Language::Apptainer => apptainer::read(sheet, range),
        Language::Submit => htcondor::read(sheet, range),
        Language::Requirements => plain::requirements(sheet, range),
        Language::Prose | Language::Generated => plain::prose(sheet, range),
        // In a heredoc, or as a string given to an interpreter.
        Language::Python | Language::Notebook => {
            let view = read_text(language, sheet.slice(&range));
            sheet.absorb(view, range);
        }
        Language::Data | Language::Ignore => {}
    }
}

/// Text of the same length: each byte that is no UTF-8 becomes a `?`.
fn repair(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    Cow::Owned(text)
}
