//! The options of a check.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::error::CheckError;
use super::plan;
use crate::config::{Config, Facility};

/// What to check, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Top of the analysis.
    pub top: PathBuf,
    /// Configuration of the analysis.
    pub config: Config,
    /// Cells to run, by name or facility id; empty means all.
    pub only: BTreeSet<String>,
    /// Engine for cells whose facility does not name one.
    pub engine: Option<String>,
    /// Maximum number of cells that run at the same time.
    pub jobs: usize,
    /// Ignore cached setups and results.
    pub fresh: bool,
    /// Run the cell in the current environment, which is the facility's image already.
    pub in_place: bool,
    /// Scan the analysis too.
    pub scan: bool,
}

impl Options {
    /// Returns the options that check all cells of an analysis and scan it. Runs one cell per processor, at most four
    /// at a time.
    pub fn new(top: PathBuf, config: Config) -> Self {
        Self {
            top,
            config,
            only: BTreeSet::new(),
            engine: None,
            jobs: std::thread::available_parallelism().map_or(2, |n| n.get().min(4)),
            fresh: false,
            in_place: false,
            scan: true,
        }
    }

    /// Returns the facilities of the selected cells, in the order of the configuration. Without any facility in the
    /// configuration, the only cell is this machine.
    pub(super) fn selected_facilities(&self) -> Result<Vec<Facility>, CheckError> {
        let mut facilities = self.config.facilities.clone();
        if facilities.is_empty() {
            facilities.push(plan::this_machine());
        }
        for name in &self.only {
            if !facilities.iter().any(|facility| facility.cell() == *name || facility.id == *name) {
                let existing: Vec<String> = facilities.iter().map(Facility::cell).collect();
                return Err(CheckError::UnknownCell { name: name.clone(), existing: existing.join(", ") });
            }
        }
        facilities.retain(|facility| {
            self.only.is_empty() || self.only.contains(&facility.id) || self.only.contains(&facility.cell())
        });
        Ok(facilities)
    }
}
