//! The matrix of facilities and roles with the engine of each cell, or a list of facilities if no cell has a role.

use super::cell::short;
use super::inert::anchor;
use super::mark::{MARKS, Mark};
use crate::model::document::{Cell, Document};
use crate::model::text::one_line;

/// An overview of the cells.
#[derive(Debug)]
pub(super) struct Board {
    /// Columns: roles, with an empty one for cells without a role. Empty if no cell has a role.
    pub(super) roles: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// Marks with the number of cells: `2 failed`.
    pub(super) tally: Vec<(Mark, String)>,
    pub(super) total: usize,
}

/// A facility.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) facility: String,
    /// Cells by role, or one column without roles.
    pub(super) columns: Vec<Column>,
}

/// Cells of a facility in one role.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) role: String,
    pub(super) chips: Vec<Chip>,
}

/// A cell in the matrix.
#[derive(Debug)]
pub(super) struct Chip {
    pub(super) index: usize,
    pub(super) anchor: String,
    pub(super) mark: Mark,
    pub(super) result: String,
    /// Engine, if the cells have different ones.
    pub(super) engine: Option<String>,
}

impl Board {
    pub(super) fn of(document: &Document) -> Self {
        let mut facilities: Vec<&str> = Vec::new();
        let mut roles: Vec<Option<&str>> = Vec::new();
        for cell in &document.cells {
            if !facilities.contains(&cell.facility.as_str()) {
                facilities.push(&cell.facility);
            }
            if !roles.contains(&cell.role.as_deref()) {
                roles.push(cell.role.as_deref());
            }
        }
        let flat = roles.iter().all(Option::is_none);
        let engines = engines(document);
        let chip = |(index, cell): (usize, &Cell)| Chip {
            index,
            anchor: anchor("cell", &cell.id),
            mark: Mark::of(cell),
            result: short(cell),
            engine: (engines > 1 && !cell.engine.is_empty()).then(|| one_line(&cell.engine, 20)),
        };
        let of = |facility: &str, role: Option<&str>| -> Vec<Chip> {
            let here = |cell: &Cell| cell.facility == facility && (flat || cell.role.as_deref() == role);
            document.cells.iter().enumerate().filter(|(_, cell)| here(cell)).map(chip).collect()
        };
        let name = |role: Option<&str>| role.map(|role| one_line(role, 40)).unwrap_or_default();
        let row = |facility: &&str| Row {
            facility: one_line(facility, 80),
            columns: roles.iter().map(|role| Column { role: name(*role), chips: of(facility, *role) }).collect(),
        };
        let rows = facilities.iter().map(row).collect();
        let count = |mark: &Mark| document.cells.iter().filter(|cell| Mark::of(cell) == *mark).count();
        Self {
            rows,
            roles: if flat { Vec::new() } else { roles.iter().map(|role| name(*role)).collect() },
            tally: MARKS
                .iter()
                .map(|mark| (*mark, count(mark)))
                .filter(|(_, number)| *number > 0)
                .map(|(mark, number)| (mark, mark.count(number)))
                .collect(),
            total: document.cells.len(),
        }
    }
}

fn engines(document: &Document) -> usize {
    let mut engines: Vec<&str> = document.cells.iter().map(|cell| cell.engine.as_str()).collect();
    engines.retain(|engine| !engine.is_empty());
    engines.sort_unstable();
    engines.dedup();
    engines.len()
}
