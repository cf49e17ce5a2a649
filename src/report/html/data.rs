//! What the page's script knows: names of tests and differences of environments, each text once.
//!
//! A difference between any two environments follows from their differences from the reference: where one has no row it is as
//! the reference is. So the environments themselves, which are large, aren't in the page.

use std::collections::HashMap;

use serde::Serialize;

use super::super::summary;
use super::environment::EnvironmentView;
use crate::model::cell::{Outcome, TestCase};
use crate::model::diff::{Diff, Value};
use crate::model::document::{Cell, Document};
use crate::model::text::one_line;

/// Bytes of names of tests.
const MAX_NAMES: usize = 4 << 20;
/// Bytes of values of environments.
const MAX_VALUES: usize = 6 << 20;
/// Rows of differences of all environments.
const MAX_ROWS: usize = 400_000;
/// Columns of a value.
const MAX_VALUE: usize = 300;

/// The content of the page's data element.
#[derive(Debug, Default, Serialize)]
pub(super) struct Data {
    /// Cells in the order of the document.
    cells: Vec<CellData>,
    /// Environments in the order of the page; the reference's has no rows.
    environments: Vec<EnvironmentData>,
    /// Titles of sections, in the order of what matters.
    sections: Vec<String>,
    /// Texts of rows: names as they are; values as `=text`, `-` for absent, `?reason` for unknown.
    values: Vec<String>,
    /// Names of tests.
    tests: Vec<String>,
    /// Something was left out for size.
    cut: bool,
}

#[derive(Debug, Serialize)]
struct CellData {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<usize>,
    /// Tests that passed: pairs of the first index and how many follow each other.
    passed: Vec<usize>,
    /// Tests that were skipped.
    skipped: Vec<usize>,
}

#[derive(Debug, Serialize)]
struct EnvironmentData {
    name: String,
    /// Whether it can be compared: it is the reference's or has a difference from it.
    known: bool,
    /// Section, name, weight (0 is direct), value of the reference, value here, over and over.
    rows: Vec<usize>,
}

/// Texts with their indices.
#[derive(Debug, Default)]
struct Texts {
    known: HashMap<String, usize>,
    all: Vec<String>,
    bytes: usize,
}

impl Texts {
    fn index(&mut self, text: String) -> usize {
        if let Some(at) = self.known.get(&text) {
            return *at;
        }
        let at = self.all.len();
        self.bytes += text.len() + 3;
        self.all.push(text.clone());
        self.known.insert(text, at);
        at
    }
}

/// Names of tests with their indices, found by what they are made of.
#[derive(Debug, Default)]
struct Names<'a> {
    known: HashMap<(Option<&'a str>, &'a str, &'a str), usize>,
    all: Vec<String>,
    bytes: usize,
    cut: bool,
}

impl<'a> Names<'a> {
    fn index(&mut self, case: &'a TestCase) -> Option<usize> {
        let key = (case.file.as_deref(), case.class.as_str(), case.name.as_str());
        if let Some(at) = self.known.get(&key) {
            return Some(*at);
        }
        if self.bytes > MAX_NAMES {
            self.cut = true;
            return None;
        }
        let name = summary::case_name(case);
        let at = self.all.len();
        self.bytes += name.len() + 3;
        self.all.push(name);
        self.known.insert(key, at);
        Some(at)
    }

    /// Runs of indices of the cases of an outcome.
    fn runs(&mut self, cell: &'a Cell, wanted: Outcome) -> Vec<usize> {
        let mut found: Vec<usize> =
            summary::cases(cell, move |outcome| outcome == wanted).filter_map(|(_, case)| self.index(case)).collect();
        found.sort_unstable();
        found.dedup();
        let mut runs: Vec<usize> = Vec::new();
        for at in found {
            match runs.as_mut_slice() {
                [.., start, length] if *start + *length == at => *length += 1,
                _ => runs.extend([at, 1]),
            }
        }
        runs
    }
}

/// Collects it.
pub(super) fn data(document: &Document, places: &[EnvironmentView]) -> Data {
    let at: HashMap<&str, usize> = places.iter().enumerate().map(|(at, place)| (place.digest.as_str(), at)).collect();
    let mut names = Names::default();
    let cells = document
        .cells
        .iter()
        .map(|cell| CellData {
            id: one_line(&cell.id, 120),
            environment: cell.environment.as_ref().and_then(|digest| at.get(digest.as_str()).copied()),
            passed: names.runs(cell, Outcome::Passed),
            skipped: names.runs(cell, Outcome::Skipped),
        })
        .collect();
    let mut data = Data { cells, tests: names.all, cut: names.cut, ..Data::default() };
    environments(document, places, &mut data);
    data
}

fn environments(document: &Document, places: &[EnvironmentView], data: &mut Data) {
    let mut diffs: HashMap<&str, &Diff> = HashMap::new();
    let of: HashMap<&str, &Cell> = document.cells.iter().map(|cell| (cell.id.as_str(), cell)).collect();
    for entry in &document.diffs {
        if let Some(digest) = of.get(entry.cell.as_str()).and_then(|cell| cell.environment.as_ref()) {
            diffs.entry(digest.as_str()).or_insert(&entry.diff);
        }
    }
    let mut texts = Texts::default();
    let mut sections: Vec<(&str, &str)> = Vec::new();
    let mut total = 0;
    for place in places {
        let diff = diffs.get(place.digest.as_str()).filter(|_| !place.is_reference);
        let mut rows = Vec::new();
        for section in diff.into_iter().flat_map(|diff| &diff.sections) {
            let known = sections.iter().position(|(id, _)| *id == section.id);
            let section_at = known.unwrap_or_else(|| {
                sections.push((&section.id, &section.title));
                sections.len() - 1
            });
            for row in &section.rows {
                if texts.bytes > MAX_VALUES || total >= MAX_ROWS {
                    data.cut = true;
                    continue;
                }
                total += 1;
                let value = |at: usize| row.values.get(at).map_or_else(|| "-".to_owned(), value);
                rows.extend([
                    section_at,
                    texts.index(one_line(&row.name, 120)),
                    row.weight as usize,
                    texts.index(value(0)),
                    texts.index(value(1)),
                ]);
            }
        }
        data.environments.push(EnvironmentData {
            name: place.short.clone(),
            known: place.is_reference || diff.is_some(),
            rows,
        });
    }
    data.sections = sections.iter().map(|(_, title)| one_line(title, 80)).collect();
    data.values = texts.all;
}

fn value(value: &Value) -> String {
    match value {
        Value::Is { text, origin } if origin.is_empty() => format!("={}", one_line(text, MAX_VALUE)),
        // A unit separator, which no clean text has.
        Value::Is { text, origin } => format!("={}\u{1f}{}", one_line(text, MAX_VALUE), one_line(origin, 100)),
        Value::Absent {} => "-".to_owned(),
        Value::Unknown { reason } => format!("?{}", one_line(reason, MAX_VALUE)),
    }
}
