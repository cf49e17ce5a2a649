//! `carnet schema`.

use clap::ValueEnum;
use schemars::{Schema, schema_for};

use super::{Outcome, print};
use crate::exit;
use crate::model::canonical;

/// Print the JSON Schema of a format.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Which format.
    #[arg(value_enum, default_value_t)]
    format: Format,
}

/// Formats that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// carnet.toml.
    #[default]
    Config,
    /// The document, carnet.json.
    Document,
    /// A snapshot of an environment.
    Environment,
    /// The result of one cell.
    Cell,
    /// What a cell is told to do.
    Plan,
    /// The cells of a check, before any runs.
    Matrix,
    /// A static audit.
    Scan,
    /// Findings of an audit that are known.
    Baseline,
}

impl Format {
    /// The schema.
    pub fn schema(self) -> Schema {
        match self {
            Self::Config => schema_for!(crate::config::raw::File),
            Self::Document => schema_for!(crate::model::document::Document),
            Self::Environment => schema_for!(crate::model::environment::Environment),
            Self::Cell => schema_for!(crate::model::cell::CellResult),
            Self::Plan => schema_for!(crate::model::plan::CellPlan),
            Self::Matrix => schema_for!(crate::model::matrix::Matrix),
            Self::Scan => schema_for!(crate::model::scan::Scan),
            Self::Baseline => schema_for!(crate::scan::suppress::baseline::Baseline),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let text = canonical::to_string(&arguments.format.schema()).map_err(|error| super::PrintError(error.into()))?;
    print(&text)?;
    Ok(exit::GOOD)
}
