//! Formats of reports on the command line.

use clap::ValueEnum as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::PrintError;
use crate::model::canonical;
use crate::report::Format;

/// Some of the formats, for commands that don't have all.
pub(super) fn one_of(formats: &[Format]) -> impl TypedValueParser<Value = Format> + use<> {
    PossibleValuesParser::new(formats.iter().filter_map(Format::to_possible_value))
        .try_map(|name| Format::from_str(&name, false))
}

/// A value as its JSON form.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, PrintError> {
    canonical::to_string(value).map_err(|error| PrintError(error.into()))
}
