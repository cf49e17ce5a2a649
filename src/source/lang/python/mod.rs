//! Python files and notebook cells.
//!
//! Strings, comments and facts come from Ruff's parser, which recovers from syntax errors. Only this module uses it.
//! Of text that is too long or too deeply nested to build a tree, only strings and comments are read, without facts.

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
use std::ops::Range;

use super::View;
use super::fact::Facts;
use super::span::Span;

/// The kind of a Python text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A file.
    File,
    /// A notebook cell. Lines may be IPython commands.
    Cell,
}

/// Parses Python. A syntax error is reported in [`View::problem`].
pub fn read(text: Cow<'_, str>, mode: Mode) -> View<'_> {
    let (spans, facts, problem) = examine(&text, mode);
    View { text, spans, facts, problem, ..View::default() }
}

/// Returns the top-level names of the modules that a Python file or notebook imports, with the ranges of the imports in the
/// text of the view. Relative imports are left out.
///
/// Imports in functions, conditions and `try` are included, and those before and after syntax errors. A name is returned once
/// for each import. Files that are too long or too deeply nested to parse have no imports.
pub fn imported_modules<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v str, &'v Range<usize>)> {
    let imports = view.facts.imports.iter();
    let modules = imports.map(|import| (import.module.split('.').next().unwrap_or_default(), &import.range));
    modules.filter(|(name, _)| !name.is_empty())
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
            let problem = parsed.errors().first().map(|error| format!("syntax error: {}", error.error));
            (spans, facts, problem)
        }
        Err(reason) => (token::spans(text), Facts::default(), Some(reason.to_owned())),
    }
}
