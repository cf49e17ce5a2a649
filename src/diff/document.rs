//! Merges documents of one analysis and compares each cell with the reference.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::error::{Failure, Kind};
use crate::model::cell::Seconds;
use crate::model::digest::Digest;
use crate::model::document::{self, Analysis, Cell, CellDiff, Document, Status, Timing};
use crate::model::environment::Environment;
use crate::model::limit::LimitError;
use crate::model::matrix::{Matrix, Planned};

use super::{RelevantModules, environments};

/// Documents cannot be merged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MergeError {
    /// There are no documents.
    #[error("no documents to merge")]
    Nothing,
    /// Two documents belong to different analyses.
    #[error("documents of different analyses: `{first}` and `{other}`")]
    Analysis {
        /// Name in the first document.
        first: String,
        /// Name in the other document.
        other: String,
    },
    /// Two documents belong to different versions of the analysis.
    #[error("documents of different versions of `{name}`: file tree {first} and {other}")]
    Tree {
        /// Name of the analysis.
        name: String,
        /// Short digest of the tree in the first document.
        first: String,
        /// Short digest of the tree in the other document.
        other: String,
    },
    /// The merged document exceeds a limit.
    #[error("the documents exceed a limit: {0}")]
    Limit(#[from] LimitError),
    /// The requested reference cell has no environment.
    #[error("invalid reference `{0}`: no cell with this name has an environment")]
    Reference(String),
}

impl Failure for MergeError {
    fn kind(&self) -> Kind {
        match self {
            Self::Nothing => Kind::Nothing,
            Self::Analysis { .. } | Self::Tree { .. } | Self::Limit(_) | Self::Reference(_) => Kind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Tree { .. })
            .then(|| "merge only documents of the same commit without local changes".to_owned())
    }
}

/// Merges documents of one version of an analysis.
///
/// Cells keep the order of their first occurrence. Of two cells with the same name, one that ran (passed, flaky or
/// failed) takes precedence over one that did not (skipped, error); otherwise the later one does. The reference is the
/// requested one, otherwise that of the first document with a reference. All differences are computed again.
///
/// # Errors
/// If there are no documents, the analyses or their trees differ, there are too many cells, or the reference has no
/// environment.
pub fn merge(documents: Vec<Document>, reference: Option<&str>) -> Result<Document, MergeError> {
    let mut documents = documents.into_iter();
    let mut merged = documents.next().ok_or(MergeError::Nothing)?;
    let mut changed = reference.is_some_and(|name| merged.reference.as_deref() != Some(name));
    for other in documents {
        agree(&merged, &other)?;
        absorb(&mut merged, other);
        merged.check_cells()?;
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

/// Compares every cell with the reference again. If the reference has no environment, the first cell that passed is
/// used, otherwise the first with an environment. Environments that no cell refers to are removed.
pub fn compare(document: &mut Document) {
    if !document.reference.as_deref().is_some_and(|name| has_environment(document, name)) {
        let with_environment = || document.cells.iter().filter(|cell| cell.environment.is_some());
        let first = with_environment().find(|cell| cell.status == Status::Passed).or(with_environment().next());
        document.reference = first.map(|cell| cell.id.clone());
    }
    let named: BTreeSet<&Digest> = document.cells.iter().filter_map(|cell| cell.environment.as_ref()).collect();
    document.environments.retain(|digest, _| named.contains(digest));
    let relevant = RelevantModules::new(document.analysis.imports.iter().cloned());
    document.diffs = against(document.reference.as_deref(), &document.cells, &document.environments, &relevant);
}

/// Returns the differences between the environment of each cell and that of the reference, in the order of the cells,
/// except for the reference and cells without an environment. Empty if there is no reference.
pub fn against(
    reference: Option<&str>,
    cells: &[Cell],
    known: &BTreeMap<Digest, Environment>,
    relevant: &RelevantModules,
) -> Vec<CellDiff> {
    let of = |cell: &Cell| known.get(cell.environment.as_ref()?);
    let Some(first) = cells.iter().find(|cell| Some(cell.id.as_str()) == reference) else { return Vec::new() };
    let Some(base) = of(first) else { return Vec::new() };
    cells
        .iter()
        .filter(|cell| cell.id != first.id)
        .filter_map(|cell| {
            let diff = environments(&[(&first.id, base), (&cell.id, of(cell)?)], relevant);
            Some(CellDiff { cell: cell.id.clone(), diff })
        })
        .collect()
}

/// Adds the planned cells of a matrix that are missing in a document as errors. Cells are in the order of the matrix,
/// followed by cells that are not in the matrix. Without a document, every cell is missing.
///
/// # Errors
/// If the document belongs to a different analysis, or to a different version of it.
pub fn complete(merged: Option<Document>, matrix: &Matrix) -> Result<Document, MergeError> {
    let mut document = blank(matrix);
    if let Some(merged) = merged {
        fits(&merged, matrix)?;
        document = Document { reference: matrix.reference.clone().or(merged.reference.clone()), ..merged };
    }
    let mut found = std::mem::take(&mut document.cells);
    for planned in &matrix.cells {
        let index = found.iter().position(|cell| cell.id == planned.id);
        document.cells.push(index.map_or_else(|| missing(planned), |index| found.remove(index)));
    }
    document.cells.extend(found);
    compare(&mut document);
    Ok(document)
}

/// Checks that a document and a matrix belong to the same version of an analysis.
///
/// # Errors
/// If they do not.
pub fn fits(document: &Document, matrix: &Matrix) -> Result<(), MergeError> {
    same_analysis(&matrix.analysis, &document.analysis)
}

/// Checks that two documents can be merged.
///
/// # Errors
/// If they belong to different analyses, or to different versions of one.
pub fn agree(first: &Document, other: &Document) -> Result<(), MergeError> {
    same_analysis(&first.analysis, &other.analysis)
}

/// Returns the document of a matrix without any results.
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
    let mut cell = Cell::not_run(planned.id.clone(), facility, role, planned.contract.clone(), "no result");
    cell.engine = planned.engine.clone().unwrap_or_default();
    cell.hint = Some("the job did not start, was cancelled, or did not upload its document; check its log".to_owned());
    cell
}

fn same_analysis(a: &Analysis, b: &Analysis) -> Result<(), MergeError> {
    if a.name != b.name {
        return Err(MergeError::Analysis { first: a.name.clone(), other: b.name.clone() });
    }
    // Jobs of one commit may have additional files from a cache or an artifact.
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
            let note = format!("tree: files outside the commit differ from those of the first job (tree {tree})");
            cell.not_enforced.push(note);
        }
        match merged.cells.iter_mut().find(|known| known.id == cell.id) {
            Some(known) if has_run(known) && !has_run(&cell) => {}
            Some(known) => *known = cell,
            None => merged.cells.push(cell),
        }
    }
}

fn has_run(cell: &Cell) -> bool {
    matches!(cell.status, Status::Passed | Status::Flaky | Status::Failed)
}

/// Returns the time from the earlier start to the later end, or the sum of both if a start cannot be parsed.
fn span(a: &Timing, b: &Timing) -> Timing {
    let read = |timing: &Timing| {
        let start: Timestamp = timing.started.parse().ok()?;
        let end = start.checked_add(SignedDuration::try_from_secs_f64(timing.seconds).ok()?).ok()?;
        Some((start, end))
    };
    let (Some((start_a, end_a)), Some((start_b, end_b))) = (read(a), read(b)) else {
        return Timing { started: a.started.clone(), seconds: Seconds::sum(a.seconds, b.seconds) };
    };
    let (started, start) = if start_a <= start_b { (&a.started, start_a) } else { (&b.started, start_b) };
    Timing { started: started.clone(), seconds: end_a.max(end_b).duration_since(start).as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::{Timing, span};

    #[test]
    fn sum_of_times_is_finite() {
        let timing = Timing { started: String::new(), seconds: 1e308 };
        assert_eq!(span(&timing, &timing).seconds, f64::MAX);
    }
}
