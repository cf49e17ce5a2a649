//! Reads a TOML table key by key, so that one wrong value doesn't hide the next.

use std::ops::Range;

use serde::de::{DeserializeOwned, IntoDeserializer as _};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, nearest};

/// A table being read. What isn't asked for by [`Fields::finish`] is an unknown key.
pub(super) struct Fields<'i, 'p> {
    table: DeTable<'i>,
    span: Range<usize>,
    asked: Vec<&'static str>,
    problems: &'p mut Vec<Problem>,
}

impl<'i, 'p> Fields<'i, 'p> {
    /// Reads this value as a table; anything else is a problem and reads as an empty one.
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
        Self { table, span, asked: Vec::new(), problems }
    }

    /// Where the table stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Where problems go.
    pub(super) fn problems(&mut self) -> &mut Vec<Problem> {
        self.problems
    }

    /// The raw value of a key.
    pub(super) fn value(&mut self, key: &'static str) -> Option<Spanned<DeValue<'i>>> {
        self.asked.push(key);
        self.table.remove(key)
    }

    /// The value of a key as `T`; a value of another type is a problem and reads as none.
    pub(super) fn get<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<Spanned<T>> {
        let value = self.value(key)?;
        read(value, self.problems)
    }

    /// The elements of an array of tables, or of one table.
    pub(super) fn list(&mut self, key: &'static str) -> Vec<Spanned<DeValue<'i>>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let span = value.span();
        match value.into_inner() {
            DeValue::Array(array) => array.into_iter().collect(),
            other => vec![Spanned::new(span, other)],
        }
    }

    /// Every key that is left, with its value, in the order of the keys.
    pub(super) fn rest(&mut self) -> Vec<(Spanned<String>, Spanned<DeValue<'i>>)> {
        let table = std::mem::take(&mut self.table);
        table.into_iter().map(|(key, value)| (Spanned::new(key.span(), key.into_inner().into_owned()), value)).collect()
    }

    /// Refuses every key that nobody asked for; gives back the keys that are known.
    pub(super) fn finish(self) -> Vec<&'static str> {
        for (key, _) in self.table {
            let name = key.get_ref();
            let near = nearest(name, &self.asked);
            let help = match near {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known here: {}", self.asked.join(", ")),
            };
            self.problems.push(Problem {
                span: key.span(),
                message: format!("unknown key `{name}`"),
                help: Some(help),
            });
        }
        self.asked
    }
}

/// A value as `T`; a value of another type is a problem and reads as none.
pub(super) fn read<T: DeserializeOwned>(
    value: Spanned<DeValue<'_>>,
    problems: &mut Vec<Problem>,
) -> Option<Spanned<T>> {
    let span = value.span();
    match T::deserialize(value.into_deserializer()) {
        Ok(inner) => Some(Spanned::new(span, inner)),
        Err(error) => {
            let place = error.span().filter(|place| !place.is_empty()).unwrap_or(span);
            problems.push(Problem { span: place, message: error.message().to_owned(), help: None });
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
