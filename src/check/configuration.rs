//! A carnet.toml, with the names in it that only the rules and the catalogue know.

use std::path::Path;

use crate::config::{Config, ConfigError};
use crate::facility::Catalogue;
use crate::scan::rules;

/// Parses the text of a `carnet.toml`.
///
/// # Errors
/// As [`Config::parse`], and when it names a rule or a facility of the catalogue that there is none of.
pub fn parse(text: &str, file: &Path) -> Result<Config, ConfigError> {
    let config = Config::parse(text, file)?;
    let facilities: Vec<&str> = Catalogue::builtin().facilities.iter().map(|one| one.id.as_str()).collect();
    let rules: Vec<&str> = rules::all().map(|rule| rule.id).collect();
    match config.scan.unknown_names(&facilities, &rules) {
        problems if problems.is_empty() => Ok(config),
        problems => Err(ConfigError::with(file, text, problems)),
    }
}
