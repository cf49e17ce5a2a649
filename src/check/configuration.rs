//! Validates the names in a `carnet.toml` that refer to the rules and the catalogue of facilities.

use std::path::Path;

use crate::config::{Config, ConfigError};
use crate::facility::Catalogue;
use crate::scan::rules;

/// Parses the text of a `carnet.toml`.
///
/// # Errors
/// As [`Config::parse`], and if the text names an unknown rule or an unknown facility of the catalogue.
pub fn parse(text: &str, file: &Path) -> Result<Config, ConfigError> {
    let config = Config::parse(text, file)?;
    let facilities: Vec<&str> = Catalogue::builtin().facilities.iter().map(|facility| facility.id.as_str()).collect();
    let rules: Vec<&str> = rules::all().map(|rule| rule.id).collect();
    match config.scan.unknown_names(&facilities, &rules) {
        problems if problems.is_empty() => Ok(config),
        problems => Err(ConfigError::with(file, text, problems)),
    }
}
