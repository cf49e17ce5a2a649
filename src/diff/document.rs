//! Documents of one analysis merged into one, and each cell's difference from the reference.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::error::{Failure, Kind};
use crate::model::digest::Digest;
use crate::model::document::{self, Analysis, Cell, CellDiff, Document, Status, Timing};
use crate::model::environment::Environment;
use crate::model::matrix::{Matrix, Planned};

use super::{Interest, environments};

/// Why documents can't be merged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MergeError {
    /// There are none.
    #[error("no documents to merge")]
    Nothing,
    /// Two are of different analyses.
    #[error("documents of different analyses: `{first}` and `{other}`")]
    Analysis {
        /// Name in the first document.
        first: String,
        /// Name in the other.
        other: String,
    },
    /// Two are of different states of the analysis.
    #[error("documents of different states of `{name}`: the tests saw tree {first} in one and {other} in another")]
    Tree {
        /// Name of the analysis.
        name: String,
        /// Short digest of the tree in the first document.
        first: String,
        /// Short digest in the other.
        other: String,
    },
    /// The cell asked for as reference can't be one.
    #[error("`{0}` can't be the reference: no cell of that name has an environment")]
    Reference(String),
}

impl Failure for MergeError {
    fn kind(&self) -> Kind {
        match self {
            Self::Nothing => Kind::Nothing,
            Self::Analysis { .. } | Self::Tree { .. } | Self::Reference(_) => Kind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Tree { .. })
            .then(|| "merge only documents of one commit, checked out the same way".to_owned())
    }
}

/// Merges documents of one analysis in one state.
///
/// Cells keep the order in which they are first met. Of two with one name, one that ran (passed, flaky or failed)
/// wins over one that didn't (skipped, error); else the later one wins. The reference is the one asked for, else that
/// of the first document which has one; every difference is made anew.
///
/// # Errors
/// When there is nothing to merge, the analyses or their trees differ, or the reference has no environment.
pub fn merge(documents: Vec<Document>, reference: Option<&str>) -> Result<Document, MergeError> {
    let mut documents = documents.into_iter();
    let mut merged = documents.next().ok_or(MergeError::Nothing)?;
    let mut changed = reference.is_some_and(|name| merged.reference.as_deref() != Some(name));
    for other in documents {
        agree(&merged, &other)?;
        absorb(&mut merged, other);
        changed = true;
    }
    if let Some(name) = reference {
        merged.reference = Some(name.to_owned());
    }
    if changed {
        if let Some(name) = reference.filter(|name| !has_environment(&merged, name)) {
            return Err(MergeError::Reference(name.to_owned()));
        }
        compare(&mut merged);
    }
    Ok(merged)
}

fn has_environment(document: &Document, name: &str) -> bool {
    document.cells.iter().any(|cell| cell.id == name && cell.environment.is_some())
}

/// Compares every cell with the reference anew. When the one named can't be it, the first cell that passed is, since what
/// differs from a place where it works may be why it doesn't elsewhere, and else the first with an environment.
/// Environments that no cell names are dropped.
pub fn compare(document: &mut Document) {
    if !document.reference.as_deref().is_some_and(|name| has_environment(document, name)) {
        let with_environment = || document.cells.iter().filter(|cell| cell.environment.is_some());
        let first = with_environment().find(|cell| cell.status == Status::Passed).or(with_environment().next());
        document.reference = first.map(|cell| cell.id.clone());
    }
    let named: BTreeSet<&Digest> = document.cells.iter().filter_map(|cell| cell.environment.as_ref()).collect();
    document.environments.retain(|digest, _| named.contains(digest));
    let interest = Interest::in_modules(document.analysis.imports.iter().cloned());
    document.diffs = against(document.reference.as_deref(), &document.cells, &document.environments, &interest);
}

/// The difference of each cell's environment from the reference's, in the order of the cells; those without an
/// environment and the reference itself left out. Empty when there is no reference.
pub fn against(
    reference: Option<&str>,
    cells: &[Cell],
    known: &BTreeMap<Digest, Environment>,
    interest: &Interest,
) -> Vec<CellDiff> {
    let of = |cell: &Cell| known.get(cell.environment.as_ref()?);
    let Some(first) = cells.iter().find(|cell| Some(cell.id.as_str()) == reference) else { return Vec::new() };
    let Some(base) = of(first) else { return Vec::new() };
    cells
        .iter()
        .filter(|cell| cell.id != first.id)
        .filter_map(|cell| {
            let diff = environments(&[(&first.id, base), (&cell.id, of(cell)?)], interest);
            Some(CellDiff { cell: cell.id.clone(), diff })
        })
        .collect()
}

/// Adds what a matrix planned and no document brought: each such cell is an error, never silently absent. Cells come in
/// the order of the matrix, with what it doesn't know behind them. With no document at all, every cell is missing.
///
/// # Errors
/// When the documents are of another analysis than the matrix, or of another state of it.
pub fn complete(merged: Option<Document>, matrix: &Matrix) -> Result<Document, MergeError> {
    let mut document = blank(matrix);
    if let Some(merged) = merged {
        fits(&merged, matrix)?;
        document = Document { reference: matrix.reference.clone().or(merged.reference.clone()), ..merged };
    }
    let mut found = std::mem::take(&mut document.cells);
    for planned in &matrix.cells {
        let at = found.iter().position(|cell| cell.id == planned.id);
        document.cells.push(at.map_or_else(|| missing(planned), |at| found.remove(at)));
    }
    document.cells.extend(found);
    compare(&mut document);
    Ok(document)
}

/// Whether a document is of the analysis that a matrix is of, and of the same state of it.
///
/// # Errors
/// When it is not.
pub fn fits(document: &Document, matrix: &Matrix) -> Result<(), MergeError> {
    same_analysis(&matrix.analysis, &document.analysis)
}

/// Whether two documents can be merged.
///
/// # Errors
/// When they are of different analyses, or of different states of one.
pub fn agree(first: &Document, other: &Document) -> Result<(), MergeError> {
    same_analysis(&first.analysis, &other.analysis)
}

/// The document of a matrix of which nothing has come back.
fn blank(matrix: &Matrix) -> Document {
    Document {
        schema: document::SCHEMA.to_owned(),
        version: matrix.version.clone(),
        analysis: matrix.analysis.clone(),
        reference: matrix.reference.clone(),
        cells: Vec::new(),
        environments: BTreeMap::new(),
        diffs: Vec::new(),
        scan: None,
        interrupted: false,
        timing: Timing::default(),
    }
}

fn missing(planned: &Planned) -> Cell {
    let (facility, role) = (planned.facility.clone(), planned.role.clone());
    let mut cell = Cell::not_run(planned.id.clone(), facility, role, planned.contract.clone(), "no result came back");
    cell.engine = planned.engine.clone().unwrap_or_default();
    cell.hint =
        Some("its job did not start, was cancelled, or its document was not handed on: look at its log".to_owned());
    cell
}

fn same_analysis(a: &Analysis, b: &Analysis) -> Result<(), MergeError> {
    if a.name != b.name {
        return Err(MergeError::Analysis { first: a.name.clone(), other: b.name.clone() });
    }
    // Jobs of one commit may have other files beside it, as what a cache or an artifact brings.
    let one_commit = a.commit.is_some() && a.commit == b.commit;
    if a.tree.digest != b.tree.digest && !one_commit {
        let short = |digest: &Digest| digest.short().to_owned();
        let (first, other) = (short(&a.tree.digest), short(&b.tree.digest));
        return Err(MergeError::Tree { name: a.name.clone(), first, other });
    }
    Ok(())
}

fn absorb(merged: &mut Document, other: Document) {
    merged.timing = span(&merged.timing, &other.timing);
    merged.interrupted |= other.interrupted;
    merged.reference = merged.reference.take().or(other.reference);
    merged.analysis.commit = merged.analysis.commit.take().or(other.analysis.commit);
    merged.analysis.remote = merged.analysis.remote.take().or(other.analysis.remote);
    merged.environments.extend(other.environments);
    merged.scan = merged.scan.take().or(other.scan);
    let differs = merged.analysis.tree.digest != other.analysis.tree.digest;
    let tree = other.analysis.tree.digest.short().to_owned();
    for mut cell in other.cells {
        if differs {
            let note = format!("tree: files beside those of the commit differ from the first job's (tree {tree})");
            cell.not_enforced.push(note);
        }
        match merged.cells.iter_mut().find(|known| known.id == cell.id) {
            Some(known) if ran(known) && !ran(&cell) => {}
            Some(known) => *known = cell,
            None => merged.cells.push(cell),
        }
    }
}

fn ran(cell: &Cell) -> bool {
    matches!(cell.status, Status::Passed | Status::Flaky | Status::Failed)
}

/// From the earlier start to the later end; the sum of both when a start can't be read.
fn span(a: &Timing, b: &Timing) -> Timing {
    let read = |timing: &Timing| {
        let start: Timestamp = timing.started.parse().ok()?;
        let end = start.checked_add(SignedDuration::try_from_secs_f64(timing.seconds).ok()?).ok()?;
        Some((start, end))
    };
    let (Some((start_a, end_a)), Some((start_b, end_b))) = (read(a), read(b)) else {
        return Timing { started: a.started.clone(), seconds: a.seconds + b.seconds };
    };
    let (started, start) = if start_a <= start_b { (&a.started, start_a) } else { (&b.started, start_b) };
    Timing { started: started.clone(), seconds: end_a.max(end_b).duration_since(start).as_secs_f64() }
}
