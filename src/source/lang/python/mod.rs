//! Python files and cells of notebooks.
//!
//! Strings, comments and facts come from Ruff's parser, which never fails: what it can't parse it skips. All use of it
//! stands below this module. Text that nests so deeply that a walk of its tree would not fit on a stack is read by
//! tokens alone: its strings and comments are told, its facts are not.

mod annotation;
mod call;
mod callee;
mod command;
mod escape;
mod expression;
mod image;
mod legacy;
mod literal;
mod names;
mod newer_syntax;
mod parse;
mod pattern;
mod reader;
mod reference;
mod snakefile;
mod statement;
mod template;
#[cfg(test)]
mod tests;
mod token;

use std::borrow::Cow;

use super::View;
use super::fact::Facts;
use super::span::Span;

/// What a text of Python is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A file.
    File,
    /// A cell of a notebook: lines may be commands of IPython.
    Cell,
}

/// Reads Python. Never fails.
pub fn read(text: Cow<'_, str>, mode: Mode) -> View<'_> {
    let (spans, facts, problem) = examine(&text, mode);
    View { text, spans, facts, problem, ..View::default() }
}

fn examine(text: &str, mode: Mode) -> (Vec<Span>, Facts, Option<String>) {
    let masked = match mode {
        Mode::File => escape::Masked { text: snakefile::mask(text), commands: Vec::new() },
        Mode::Cell => escape::mask(text),
    };
    match parse::parse(&masked.text) {
        Ok(parsed) => {
            let (spans, mut facts) = reader::read(text, &parsed, &masked.commands);
            facts.names = if mode == Mode::File { names::find(&masked.text, &parsed) } else { None };
            let problem = parsed.errors().first().map(|error| error.error.to_string());
            (spans, facts, problem)
        }
        Err(reason) => (token::spans(text), Facts::default(), Some(reason.to_owned())),
    }
}
