//! The data of the script of the page: names of tests and differences of environments, each text once.
//!
//! Differences between two environments follow from their differences from the reference: an environment without a row equals
//! the reference. The page therefore does not contain the environments, which are large.

use std::collections::HashMap;

use serde::Serialize;

use super::super::summary;
use super::environment::EnvironmentView;
use crate::model::cell::{Outcome, TestCase};
use crate::model::diff::{Diff, Value};
use crate::model::document::{Cell, Document};
use crate::model::text::one_line;

/// Maximum size of the names of tests in bytes.
const MAX_NAMES: usize = 4 << 20;
/// Maximum size of the values of environments in bytes.
const MAX_VALUES: usize = 6 << 20;
/// Maximum number of differences of all environments.
const MAX_ROWS: usize = 400_000;
/// Maximum width of a value in columns.
const MAX_VALUE: usize = 300;

/// The content of the page's data element.
#[derive(Debug, Default, Serialize)]
pub(super) struct Data {
    /// Cells in the order of the document.
    cells: Vec<CellData>,
    /// Environments in the order of the page. The reference has no rows.
    environments: Vec<EnvironmentData>,
    /// Titles of sections, the most relevant first.
    sections: Vec<String>,
    /// Texts of rows: names, and values as `=text`, `-` if absent or `?reason` if unknown.
    values: Vec<String>,
    /// Names of tests.
    tests: Vec<String>,
    /// Whether something was omitted because of the size limits.
    is_truncated: bool,
}

#[derive(Debug, Serialize)]
struct CellData {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<usize>,
    /// Passed tests: pairs of the first index and the number of consecutive indices.
    passed: Vec<usize>,
    /// Skipped tests in the same form.
    skipped: Vec<usize>,
}

#[derive(Debug, Serialize)]
struct EnvironmentData {
    name: String,
    /// Whether it can be compared: it is the reference or was compared with it.
    known: bool,
    /// Rows of five numbers: section, name, relevance (0 is direct), value of the reference, value here.
    rows: Vec<usize>,
}

/// Distinct texts with their indices.
#[derive(Debug, Default)]
struct StringInterner {
    known: HashMap<String, usize>,
    all: Vec<String>,
    bytes: usize,
}

impl StringInterner {
    fn intern(&mut self, text: String) -> usize {
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

/// Distinct names of tests with their indices, by file, class and name.
#[derive(Debug, Default)]
struct TestNames<'a> {
    known: HashMap<(Option<&'a str>, &'a str, &'a str), usize>,
    all: Vec<String>,
    bytes: usize,
    is_truncated: bool,
}

impl<'a> TestNames<'a> {
    fn intern(&mut self, case: &'a TestCase) -> Option<usize> {
        let key = (case.file.as_deref(), case.class.as_str(), case.name.as_str());
        if let Some(at) = self.known.get(&key) {
            return Some(*at);
        }
        if self.bytes > MAX_NAMES {
            self.is_truncated = true;
            return None;
        }
        let name = summary::case_name(case);
        let at = self.all.len();
        self.bytes += name.len() + 3;
        self.all.push(name);
        self.known.insert(key, at);
        Some(at)
    }

    /// Returns the indices of the cases of an outcome as pairs of the first index and the number of consecutive indices.
    fn runs(&mut self, cell: &'a Cell, outcome: Outcome) -> Vec<usize> {
        let mut found: Vec<usize> =
            summary::cases(cell, move |other| other == outcome).filter_map(|(_, case)| self.intern(case)).collect();
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

/// Collects the data.
pub(super) fn data(document: &Document, views: &[EnvironmentView]) -> Data {
    let indices: HashMap<&str, usize> =
        views.iter().enumerate().map(|(index, view)| (view.digest.as_str(), index)).collect();
    let mut names = TestNames::default();
    let cells = document
        .cells
        .iter()
        .map(|cell| CellData {
            id: one_line(&cell.id, 120),
            environment: cell.environment.as_ref().and_then(|digest| indices.get(digest.as_str()).copied()),
            passed: names.runs(cell, Outcome::Passed),
            skipped: names.runs(cell, Outcome::Skipped),
        })
        .collect();
    let mut data = Data { cells, tests: names.all, is_truncated: names.is_truncated, ..Data::default() };
    environments(document, views, &mut data);
    data
}

fn environments(document: &Document, views: &[EnvironmentView], data: &mut Data) {
    let mut diffs: HashMap<&str, &Diff> = HashMap::new();
    let of: HashMap<&str, &Cell> = document.cells.iter().map(|cell| (cell.id.as_str(), cell)).collect();
    for entry in &document.diffs {
        if let Some(digest) = of.get(entry.cell.as_str()).and_then(|cell| cell.environment.as_ref()) {
            diffs.entry(digest.as_str()).or_insert(&entry.diff);
        }
    }
    let mut texts = StringInterner::default();
    let mut sections: Vec<(&str, &str)> = Vec::new();
    let mut total = 0;
    for view in views {
        let diff = diffs.get(view.digest.as_str()).filter(|_| !view.is_reference);
        let mut rows = Vec::new();
        for section in diff.into_iter().flat_map(|diff| &diff.sections) {
            let known = sections.iter().position(|(id, _)| *id == section.id);
            let section_at = known.unwrap_or_else(|| {
                sections.push((&section.id, &section.title));
                sections.len() - 1
            });
            for row in &section.rows {
                if texts.bytes > MAX_VALUES || total >= MAX_ROWS {
                    data.is_truncated = true;
                    continue;
                }
                total += 1;
                let value = |at: usize| row.values.get(at).map_or_else(|| "-".to_owned(), value);
                rows.extend([
                    section_at,
                    texts.intern(one_line(&row.name, 120)),
                    row.relevance as usize,
                    texts.intern(value(0)),
                    texts.intern(value(1)),
                ]);
            }
        }
        data.environments.push(EnvironmentData {
            name: view.short.clone(),
            known: view.is_reference || diff.is_some(),
            rows,
        });
    }
    data.sections = sections.iter().map(|(_, title)| one_line(title, 80)).collect();
    data.values = texts.all;
}

fn value(value: &Value) -> String {
    match value {
        Value::Is { text, origin } if origin.is_empty() => format!("={}", one_line(text, MAX_VALUE)),
        // Clean text does not contain the unit separator.
        Value::Is { text, origin } => format!("={}\u{1f}{}", one_line(text, MAX_VALUE), one_line(origin, 100)),
        Value::Absent {} => "-".to_owned(),
        Value::Unknown { reason } => format!("?{}", one_line(reason, MAX_VALUE)),
    }
}
