//! Merging documents of one analysis.

use std::collections::BTreeSet;

use carnet::diff::document::{MergeError, compare, complete, merge};
use carnet::model::contract::Contract;
use carnet::model::digest::Digest;
use carnet::model::document::{Document, Status};
use carnet::model::matrix::{self, Matrix, Planned};
use carnet::report::{Format, Options};
use insta::assert_snapshot;

use crate::report::render;
use crate::support::document_fixture::{assemble, cell, document};

/// The fixture with only these cells, like the document of one CI job.
fn part(ids: &[&str]) -> Document {
    let mut part = document();
    part.cells.retain(|cell| ids.contains(&cell.id.as_str()));
    part.reference = part.cells.iter().find(|cell| cell.environment.is_some()).map(|cell| cell.id.clone());
    let used: BTreeSet<&Digest> = part.cells.iter().filter_map(|cell| cell.environment.as_ref()).collect();
    part.environments.retain(|digest, _| used.contains(digest));
    part.diffs.clear();
    part
}

fn json(document: &Document) -> String {
    render(document, Format::Json, &Options::default())
}

#[test]
fn merged_parts_equal_the_complete_document() {
    let parts = vec![
        part(&["laptop", "unl-coffea-casa/notebook"]),
        part(&["desy-naf", "old-cluster"]),
        part(&["fnal-lpc", "swan"]),
    ];
    let merged = merge(parts, None).expect("one analysis");
    assert_eq!(json(&merged), json(&document()));
}

#[test]
fn merging_one_document_returns_it() {
    let merged = merge(vec![document()], None).expect("one document");
    assert_eq!(json(&merged), json(&document()));
}

#[test]
fn cell_that_ran_replaces_one_that_did_not_run() {
    let merged_engine = |first: Status, second: Status| {
        let of = |status, engine: &str| {
            let mut document = part(&[]);
            let mut cell = cell("here", status, Vec::new());
            cell.engine = engine.to_owned();
            document.cells = vec![cell];
            document
        };
        let merged = merge(vec![of(first, "first"), of(second, "second")], None).expect("one analysis");
        merged.cells[0].engine.clone()
    };
    assert_eq!(merged_engine(Status::Failed, Status::Error), "first");
    assert_eq!(merged_engine(Status::Error, Status::Passed), "second");
    // If both or neither ran, the later cell replaces the earlier one.
    assert_eq!(merged_engine(Status::Passed, Status::Failed), "second");
    assert_eq!(merged_engine(Status::Skipped, Status::Error), "second");
}

#[test]
fn differences_are_relative_to_the_given_reference() {
    let merged = merge(vec![part(&["laptop"]), part(&["desy-naf"])], Some("desy-naf")).expect("one analysis");
    assert_eq!(merged.reference.as_deref(), Some("desy-naf"));
    assert_eq!(merged.diffs.iter().map(|diff| diff.cell.as_str()).collect::<Vec<_>>(), ["laptop"]);
    assert_eq!(merged.diffs[0].diff.columns, ["desy-naf", "laptop"]);
    let error = merge(vec![part(&["laptop"]), part(&["swan"])], Some("swan")).expect_err("swan has no environment");
    assert_eq!(error, MergeError::Reference("swan".to_owned()));
}

#[test]
fn merge_rejects_documents_of_different_analyses() {
    let mut other = document();
    other.analysis.name = "dijet".to_owned();
    let error = merge(vec![document(), other], None).expect_err("another analysis");
    assert_snapshot!(error, @"documents of different analyses: `dimuon` and `dijet`");
    let mut other = document();
    other.analysis.tree.digest = Digest::of(b"another tree");
    other.analysis.commit = Some("another".to_owned());
    let error = merge(vec![document(), other], None).expect_err("another tree");
    assert_snapshot!(error, @"documents of different versions of `dimuon`: file tree dc9c5edb8b2d and fc35af74954b");
}

#[test]
fn merge_limits_the_number_of_cells() {
    let many = |prefix: &str| {
        let cells = (0..6_000).map(|n| cell(&format!("{prefix}-{n}"), Status::Passed, Vec::new()));
        assemble(cells.collect(), Vec::new())
    };
    let error = merge(vec![many("a"), many("b")], None).expect_err("a limit");
    assert_eq!(error.to_string(), "the documents exceed a limit: more than 10000 cells");
}

#[test]
fn merge_requires_a_document() {
    assert_eq!(merge(Vec::new(), None).expect_err("no documents"), MergeError::Nothing);
}

#[test]
fn merge_reports_different_uncommitted_files_of_one_commit() {
    let (first, mut second) = (part(&["laptop"]), part(&["desy-naf"]));
    second.analysis.tree.digest = Digest::of(b"another tree");
    let merged = merge(vec![first, second], None).expect("one commit");
    assert_eq!(merged.cells[0].not_enforced, [""; 0]);
    assert_snapshot!(merged.cells[1].not_enforced.join("\n"), @"
    network: not disabled: operation not permitted
    tree: files outside the commit differ from those of the first job (tree fc35af74954b)
    ");
}

fn plan(document: &Document, cells: &[&str]) -> Matrix {
    let planned = |id: &&str| Planned {
        id: (*id).to_owned(),
        slug: Planned::slug(id),
        facility: (*id).to_owned(),
        role: None,
        engine: None,
        image: None,
        pull: None,
        contract: Contract::default(),
        needs: Vec::new(),
    };
    Matrix {
        schema: matrix::SCHEMA.to_owned(),
        version: "0.1.0".to_owned(),
        analysis: document.analysis.clone(),
        reference: None,
        tests: Vec::new(),
        cells: cells.iter().map(planned).collect(),
    }
}

#[test]
fn planned_cell_without_a_result_is_an_error() {
    let document = part(&["swan", "laptop"]);
    let plan = plan(&document, &["laptop", "missing", "swan"]);
    let complete = complete(Some(document.clone()), &plan).expect("one analysis");
    let ids: Vec<&str> = complete.cells.iter().map(|cell| cell.id.as_str()).collect();
    assert_eq!(ids, ["laptop", "missing", "swan"]);
    assert_eq!(complete.cells[1].status, Status::Error);
    assert_snapshot!(complete.cells[1].reason.as_deref().expect("a reason"), @"no result");
    assert_eq!(complete.environments, document.environments);
}

#[test]
fn all_planned_cells_are_errors_if_there_is_no_document() {
    let document = part(&["laptop"]);
    let complete = complete(None, &plan(&document, &["laptop", "swan"])).expect("the cells of the plan");
    assert!(complete.cells.len() == 2 && complete.cells.iter().all(|cell| cell.status == Status::Error));
    assert_eq!(complete.analysis, document.analysis);
}

#[test]
fn merged_duration_is_from_the_first_start_to_the_last_end() {
    let (first, mut second) = (part(&["laptop"]), part(&["desy-naf"]));
    second.timing.started = "2026-11-22T09:59:30Z".to_owned();
    let merged = merge(vec![first, second], None).expect("one analysis");
    assert_eq!(merged.timing.started, "2026-11-22T09:59:30Z");
    assert!((merged.timing.seconds - 51.3).abs() < 1e-6, "{}", merged.timing.seconds);
}

#[test]
fn default_reference_is_the_first_cell_that_passed() {
    let mut document = document();
    document.reference = None;
    compare(&mut document);
    let passed = document.cells.iter().find(|cell| cell.status == Status::Passed).expect("a passed cell");
    assert_eq!(document.reference.as_deref(), Some(passed.id.as_str()));
    let failed = document.cells.iter().position(|cell| cell.status == Status::Failed).expect("a failed cell");
    let failed = document.cells.remove(failed);
    document.cells.insert(0, failed);
    document.reference = None;
    compare(&mut document);
    assert_eq!(document.cells[0].status, Status::Failed);
    assert_ne!(document.reference.as_deref(), Some(document.cells[0].id.as_str()));
}
