//! `carnet schema`.

use clap::ValueEnum;
use schemars::{Schema, schema_for};

use super::error::Outcome;
use super::output::{json, print_exact};
use crate::exit;

/// Print the JSON Schema of a file format
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// File format
    #[arg(value_enum, default_value_t)]
    format: Format,
}

/// A file format with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Configuration (carnet.toml)
    #[default]
    Config,
    /// Document of a check (carnet.json)
    Document,
    /// Snapshot of an environment
    Environment,
    /// Result of one cell
    Cell,
    /// Plan of one cell
    Plan,
    /// Cells of a check (`carnet plan --format json`)
    Matrix,
    /// Result of a scan
    Scan,
    /// Baseline of a scan
    Baseline,
}

impl Format {
    /// Returns the schema.
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
    print_exact(&json(&arguments.format.schema())?)?;
    Ok(exit::GOOD)
}
