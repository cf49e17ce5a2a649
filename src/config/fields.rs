//! Reads a TOML table key by key, so an invalid value does not hide the next one.

use std::ops::Range;

use serde::de::{DeserializeOwned, IntoDeserializer as _};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, nearest};

/// A table being read. Keys that were not read before [`Fields::finish`] are unknown.
pub(super) struct Fields<'i, 'p> {
    table: DeTable<'i>,
    span: Range<usize>,
    expected: Vec<&'static str>,
    problems: &'p mut Vec<Problem>,
}

impl<'i, 'p> Fields<'i, 'p> {
    /// Reads a value as a table; any other value is a problem and is treated as an empty table.
    pub(super) fn new(value: Spanned<DeValue<'i>>, problems: &'p mut Vec<Problem>) -> Self {
        let span = value.span();
        let table = match value.into_inner() {
            DeValue::Table(table) => table,
            other => {
                let message = format!("expected a table, found {}", kind(&other));
                problems.push(Problem { span: span.clone(), message, help: None });
                DeTable::new()
            }
        };
        Self { table, span, expected: Vec::new(), problems }
    }

    /// Returns the position of the table.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the list of problems.
    pub(super) fn problems(&mut self) -> &mut Vec<Problem> {
        self.problems
    }

    /// Returns the raw value of a key.
    pub(super) fn value(&mut self, key: &'static str) -> Option<Spanned<DeValue<'i>>> {
        self.expected.push(key);
        self.table.remove(key)
    }

    /// Returns the value of a key as `T`; a value of another type is a problem and is treated as missing.
    pub(super) fn get<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<Spanned<T>> {
        let value = self.value(key)?;
        read(value, self.problems)
    }

    /// Returns the elements of an array, or a single value as one element.
    pub(super) fn list(&mut self, key: &'static str) -> Vec<Spanned<DeValue<'i>>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let span = value.span();
        match value.into_inner() {
            DeValue::Array(array) => array.into_iter().collect(),
            other => vec![Spanned::new(span, other)],
        }
    }

    /// Returns every remaining key with its value, sorted by key.
    pub(super) fn rest(&mut self) -> Vec<(Spanned<String>, Spanned<DeValue<'i>>)> {
        let table = std::mem::take(&mut self.table);
        table.into_iter().map(|(key, value)| (Spanned::new(key.span(), key.into_inner().into_owned()), value)).collect()
    }

    /// Reports every unread key as unknown.
    pub(super) fn finish(self) {
        for (key, _) in self.table {
            let name = key.get_ref();
            let help = match nearest(name, &self.expected) {
                Some(known) => format!("did you mean `{known}`?"),
                None if self.expected.is_empty() => "remove it; the table must be empty".to_owned(),
                None => format!("expected one of: {}", self.expected.join(", ")),
            };
            self.problems.push(Problem {
                span: key.span(),
                message: format!("unknown key `{name}`"),
                help: Some(help),
            });
        }
    }
}

/// Reads a value as `T`; a value of another type is a problem and is treated as missing.
pub(super) fn read<T: DeserializeOwned>(
    value: Spanned<DeValue<'_>>,
    problems: &mut Vec<Problem>,
) -> Option<Spanned<T>> {
    let span = value.span();
    match T::deserialize(value.into_deserializer()) {
        Ok(inner) => Some(Spanned::new(span, inner)),
        Err(error) => {
            let span = error.span().filter(|inner| !inner.is_empty()).unwrap_or(span);
            problems.push(Problem { span, message: error.message().to_owned(), help: None });
            None
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
