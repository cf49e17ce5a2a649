//! Report formats on the command line.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::report::Format;

/// Returns a parser that accepts the names of these formats and lists them in the help.
pub(super) fn format_parser(formats: &[Format]) -> impl TypedValueParser<Value = Format> + use<> {
    let value = |format: &Format| PossibleValue::new(format.name()).help(format.description());
    PossibleValuesParser::new(formats.iter().map(value)).try_map(|name| name.parse::<Format>())
}
