//! Documents of one analysis merged.

use carnet::diff::document::{MergeError, compare, complete, merge};
use carnet::model::contract::Contract;
use carnet::model::digest::Digest;
use carnet::model::document::{Document, Status};
use carnet::model::matrix::{self, Matrix, Planned};
use carnet::report::{Format, Options};

use crate::report::render;
use crate::support::document_fixture::{cell, document};

/// The fixture with these cells alone, as the job of one facility leaves it.
fn part(ids: &[&str]) -> Document {
    let mut part = document();
    part.cells.retain(|cell| ids.contains(&cell.id.as_str()));
    part.reference = part.cells.iter().find(|cell| cell.environment.is_some()).map(|cell| cell.id.clone());
    let used: Vec<&Digest> = part.cells.iter().filter_map(|cell| cell.environment.as_ref()).collect();
    part.environments.retain(|digest, _| used.contains(&digest));
    part.diffs.clear();
    part
}

#[test]
fn parts_make_the_whole() {
    let parts = vec![
        part(&["laptop", "unl-coffea-casa/notebook"]),
        part(&["desy-naf", "old-cluster"]),
        part(&["fnal-lpc", "swan"]),
    ];
    let merged = merge(parts, None).expect("one analysis");
    let json = |document: &Document| render(document, Format::Json, &Options::default());
    assert_eq!(json(&merged), json(&document()));
}

#[test]
fn one_document_stays_as_it_is() {
    let merged = merge(vec![document()], None).expect("one document");
    assert_eq!(
        render(&merged, Format::Json, &Options::default()),
        render(&document(), Format::Json, &Options::default())
    );
}

#[test]
fn a_cell_that_ran_wins_over_one_that_did_not_and_else_the_later_one() {
    let status = |first: Status, second: Status| {
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
    assert_eq!(status(Status::Failed, Status::Error), "first");
    assert_eq!(status(Status::Error, Status::Passed), "second");
    assert_eq!(status(Status::Passed, Status::Failed), "second");
    assert_eq!(status(Status::Skipped, Status::Error), "second");
}

#[test]
fn the_reference_can_be_chosen_and_differences_follow() {
    let merged = merge(vec![part(&["laptop"]), part(&["desy-naf"])], Some("desy-naf")).expect("one analysis");
    assert_eq!(merged.reference.as_deref(), Some("desy-naf"));
    assert_eq!(merged.diffs.iter().map(|diff| diff.cell.as_str()).collect::<Vec<_>>(), ["laptop"]);
    assert_eq!(merged.diffs[0].diff.columns, ["desy-naf", "laptop"]);
    let error = merge(vec![part(&["laptop"]), part(&["swan"])], Some("swan")).expect_err("swan has no environment");
    assert_eq!(error, MergeError::Reference("swan".to_owned()));
}

#[test]
fn different_analyses_do_not_merge() {
    let mut other = document();
    other.analysis.name = "dijet".to_owned();
    let error = merge(vec![document(), other], None).expect_err("another analysis");
    assert_eq!(error.to_string(), "documents of different analyses: `dimuon` and `dijet`");
    let mut other = document();
    other.analysis.tree.digest = Digest::of(b"another tree");
    other.analysis.commit = Some("another".to_owned());
    let error = merge(vec![document(), other], None).expect_err("another tree");
    assert!(error.to_string().starts_with("documents of different states of `dimuon`"), "{error}");
    assert_eq!(merge(Vec::new(), None).expect_err("nothing"), MergeError::Nothing);
}

#[test]
fn documents_of_one_commit_merge_and_say_that_files_beside_it_differ() {
    let (first, mut second) = (part(&["laptop"]), part(&["desy-naf"]));
    second.analysis.tree.digest = Digest::of(b"another tree");
    let merged = merge(vec![first, second], None).expect("one commit");
    assert!(merged.cells[0].not_enforced.iter().all(|lack| !lack.starts_with("tree: ")));
    assert!(merged.cells[1].not_enforced.iter().any(|lack| lack.starts_with("tree: files beside")));
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
fn a_cell_that_never_came_back_is_an_error() {
    let whole = part(&["swan", "laptop"]);
    let plan = plan(&whole, &["laptop", "lost", "swan"]);
    let complete = complete(Some(whole.clone()), &plan).expect("one analysis");
    let ids: Vec<&str> = complete.cells.iter().map(|cell| cell.id.as_str()).collect();
    assert_eq!(ids, ["laptop", "lost", "swan"]);
    assert_eq!(
        (complete.cells[1].status, complete.cells[1].reason.as_deref()),
        (Status::Error, Some("no result came back"))
    );
    assert_eq!(complete.environments, whole.environments);
}

#[test]
fn of_nothing_that_came_back_every_cell_is_an_error() {
    let whole = part(&["laptop"]);
    let complete = complete(None, &plan(&whole, &["laptop", "swan"])).expect("the plan says what there is");
    assert!(complete.cells.len() == 2 && complete.cells.iter().all(|cell| cell.status == Status::Error));
    assert_eq!(complete.analysis, whole.analysis);
}

#[test]
fn wall_time_spans_from_the_first_start_to_the_last_end() {
    let (first, mut second) = (part(&["laptop"]), part(&["desy-naf"]));
    second.timing.started = "2026-11-22T09:59:30Z".to_owned();
    let merged = merge(vec![first, second], None).expect("one analysis");
    assert_eq!(merged.timing.started, "2026-11-22T09:59:30Z");
    assert!((merged.timing.seconds - 51.3).abs() < 1e-6, "{}", merged.timing.seconds);
}

#[test]
fn without_a_reference_the_first_cell_that_passed_is_it() {
    let mut document = document();
    document.reference = None;
    compare(&mut document);
    let passed = document.cells.iter().find(|cell| cell.status == Status::Passed).expect("one passed");
    assert_eq!(document.reference.as_deref(), Some(passed.id.as_str()));
    let failed = document.cells.iter().position(|cell| cell.status == Status::Failed).expect("one failed");
    let failed = document.cells.remove(failed);
    document.cells.insert(0, failed);
    document.reference = None;
    compare(&mut document);
    assert_eq!(document.cells[0].status, Status::Failed);
    assert_ne!(document.reference.as_deref(), Some(document.cells[0].id.as_str()));
}
