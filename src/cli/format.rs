//! Report formats on the command line.

use clap::ValueEnum as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::report::Format;

/// Returns a parser that accepts the names of these formats and lists them in the help.
pub(super) fn format_parser(formats: &[Format]) -> impl TypedValueParser<Value = Format> + use<> {
    PossibleValuesParser::new(formats.iter().filter_map(Format::to_possible_value))
        .try_map(|name| Format::from_str(&name, false))
}

/// Returns a parser that accepts every format.
pub(super) fn any_format_parser() -> impl TypedValueParser<Value = Format> + use<> {
    format_parser(Format::value_variants())
}
