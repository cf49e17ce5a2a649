//! Text that a program builds line by line: `file.write("…")`, `text += "…"`, lists of lines.

use ruff_python_ast::Expr;
use ruff_text_size::Ranged as _;

use super::literal::{self, bytes};
use super::reader::{Context, Reader};
use crate::source::lang::embedded;
use crate::source::lang::embedded::StringValue;
use crate::source::lang::fact::{Dialect, Setting, Word};
use crate::source::lang::language::Language;
use crate::source::lang::span::Role;

/// Maximum number of texts in construction.
const MAX_TEXTS: usize = 64;

/// Maximum length in bytes of a text.
const MAX_LEN: usize = 1 << 18;

/// Maximum number of elements of a list that is read as lines.
const MAX_LINES: usize = 400;

impl<'a> Reader<'a> {
    /// Appends a value written to a file.
    pub(super) fn write(&mut self, file: &'a str, text: &'a Expr) {
        let source = self.text;
        if let Some(string_value) = self.written_to(file).filter(|string_value| string_value.text.len() < MAX_LEN) {
            literal::append_value(source, text, string_value);
        }
    }

    /// Appends a line written to a file.
    pub(super) fn write_line(&mut self, file: &'a str, text: &'a Expr) {
        self.write(file, text);
        let at = bytes(text.range()).end;
        if let Some(string_value) = self.written_to(file) {
            string_value.push_break(at);
        }
    }

    fn written_to(&mut self, file: &'a str) -> Option<&mut StringValue> {
        let at = self.written.iter().rposition(|(name, _)| *name == file);
        if at.is_none() && self.written.len() >= MAX_TEXTS {
            return None;
        }
        let at = at.unwrap_or_else(|| {
            self.written.push((file, StringValue::default()));
            self.written.len() - 1
        });
        self.written.get_mut(at).map(|(_, string_value)| string_value)
    }

    /// Appends a value assigned or added to a variable.
    pub(super) fn append(&mut self, target: &'a Expr, value: &'a Expr) {
        if let (Some(name), true) = (self.dotted(target), literal::is_string(value)) {
            self.write(name, value);
        }
    }

    /// Reads the Python 2 statement `print >>file, "…"`.
    pub(super) fn print_to(&mut self, file: &'a Expr, values: &'a [Expr]) {
        let name = self.dotted(file);
        let is_shown = name.is_none_or(|name| name.ends_with("stderr") || name.ends_with("stdout"));
        let role = if is_shown { Role::Shown } else { Role::Plain };
        for value in values {
            self.expression(value, Context::PLAIN.with_role(role));
        }
        if let (Some(name), [line], false) = (name, values, is_shown) {
            self.write_line(name, line);
        }
    }

    /// Reads a list of lines or of batch system options.
    pub(super) fn lines(&mut self, elements: &'a [Expr], name: Option<&str>) {
        if !(1..=MAX_LINES).contains(&elements.len()) || !elements.iter().all(literal::is_string) {
            return;
        }
        if name.is_some_and(|name| name.contains("job_extra") || name.contains("directive")) {
            elements.iter().for_each(|element| self.directive(element));
        }
        let mut string_value = StringValue::default();
        for element in elements {
            literal::append_value(self.text, element, &mut string_value);
            string_value.push_break(bytes(element.range()).end);
        }
        self.embed_value(string_value);
    }

    /// Reads an option of a job script header: `--partition=long`, `+JobFlavour = "workday"`.
    fn directive(&mut self, element: &'a Expr) {
        let Some(Word { text, range }) = literal::word(self.text, element) else { return };
        let Some((key, value)) = text.split_once(['=', ' ']) else { return };
        if key.starts_with('-') {
            // The key has the form of the header.
            let mut string_value = StringValue::default();
            string_value.push_straight("#SBATCH ", range.start);
            literal::append_value(self.text, element, &mut string_value);
            return self.shell_cooked(&string_value);
        }
        let (key, value) = (key.trim(), value.trim());
        let start = range.end.saturating_sub(value.len()).max(range.start);
        let value = Word { text: value.to_owned(), range: self.text.floor_char_boundary(start)..range.end };
        self.facts.settings.push(Setting { dialect: Dialect::HtCondor, key: key.to_owned(), value, range });
    }

    /// Ends the texts started since there were `from` texts, and records embedded languages.
    pub(super) fn close_written(&mut self, from: usize) {
        for (_, string_value) in self.written.split_off(from.min(self.written.len())) {
            if string_value.parts.len() > 1 {
                self.embed_value(string_value);
            }
        }
    }

    fn embed_value(&mut self, string_value: StringValue) {
        if let Some(language) = embedded::language(&string_value.text).filter(|language| *language != Language::Python)
        {
            self.embedded.push((language, string_value));
        }
    }
}
