//! Parsers of the languages of a repository: strings, comments, commands and settings with their byte ranges.
//!
//! [`read`] returns a [`View`] of a file: its text, the spans of strings, values and comments, and facts about the program
//! ([`fact::Facts`]). Rules check spans and facts and do not search the raw text.

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

/// A parsed file: its text, spans and facts.
#[derive(Debug, Clone, Default)]
pub struct View<'a> {
    /// The text that spans, facts and matches refer to. For a notebook, the source of its code cells. For other files, the
    /// content with each invalid UTF-8 byte replaced by `?`.
    pub text: Cow<'a, str>,
    /// File offsets of the text.
    pub map: Map,
    /// Spans sorted by start, without overlap. Text outside all spans is code.
    pub spans: Vec<Span>,
    /// Facts found by the parser.
    pub facts: Facts,
    /// The first syntax error. `None` if the file was parsed completely.
    pub problem: Option<String>,
}

/// Maps offsets in the text of a view to offsets in its file: sorted pairs `(offset in the text, offset in the file)`.
///
/// Between two entries, both offsets advance equally. Empty if text and file are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map(pub Vec<(usize, usize)>);

impl Map {
    /// Returns the file offset of an offset in the text.
    pub fn in_file(&self, offset: usize) -> usize {
        let next = self.0.partition_point(|(text, _)| *text <= offset);
        match next.checked_sub(1).map(|at| self.0[at]) {
            Some((text, file)) => file + (offset - text),
            None => offset,
        }
    }
}

impl View<'_> {
    /// Returns the span that contains an offset of the text.
    pub fn span_at(&self, offset: usize) -> Option<&Span> {
        let next = self.spans.partition_point(|span| span.range.start <= offset);
        let span = &self.spans[next.checked_sub(1)?];
        (offset < span.range.end).then_some(span)
    }
}

/// Parses a file. A syntax error is reported in [`View::problem`], and the rest of the file is read as far as possible.
///
/// Each invalid UTF-8 byte becomes `?`, so offsets in the text are offsets in the file.
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

/// Parses text: a file, or embedded text such as a heredoc or a string passed to a shell.
pub fn read_text(language: Language, text: &str) -> View<'_> {
    match language {
        Language::Python => python::read(Cow::Borrowed(text), python::Mode::File),
        Language::Notebook => notebook::read(text.as_bytes()),
        _ => {
            let mut builder = ViewBuilder::new(text);
            let range = builder.all();
            read_language(&mut builder, language, range, Host::Script);
            builder.finish()
        }
    }
}

/// Parses a part of the text as a language.
fn read_language(builder: &mut ViewBuilder<'_>, language: Language, range: Range<usize>, host: Host) {
    match language {
        Language::Shell => shell::read(builder, range, host),
        Language::Yaml => yaml::read(builder, range),
        Language::Json => json::read(builder, range),
        Language::Ini => ini::read(builder, range),
        Language::Toml => toml::read(builder, range),
        Language::Make => make::read(builder, range),
        Language::Cmake => cmake::read(builder, range),
        Language::Cpp => cpp::read(builder, range),
        Language::Docker => docker::read(builder, range),
        Language::Apptainer => apptainer::read(builder, range),
        Language::HtCondor => htcondor::read(builder, range),
        Language::Requirements => plain::requirements(builder, range),
        Language::Prose | Language::Generated => plain::prose(builder, range),
        // In a heredoc or a string passed to an interpreter.
        Language::Python | Language::Notebook => {
            let view = read_text(language, builder.slice(&range));
            builder.absorb(view, range);
        }
        Language::Data | Language::Ignore => {}
    }
}

/// Returns text of the same length with each invalid UTF-8 byte replaced by `?`.
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
