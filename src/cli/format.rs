//! Formats of reports on the command line.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::PrintError;
use crate::model::canonical;
use crate::report::Format;

/// Some of the formats, for commands that don't have all.
pub(super) fn one_of(formats: &[Format]) -> impl TypedValueParser<Value = Format> + use<> {
    let value = |format: &Format| PossibleValue::new(format.name()).help(format.description());
    PossibleValuesParser::new(formats.iter().map(value)).try_map(|name| name.parse::<Format>())
}

/// A value as its JSON form.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, PrintError> {
    canonical::to_string(value).map_err(|error| PrintError(error.into()))
}
