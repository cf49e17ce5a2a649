//! Files written by earlier versions stay readable: a frozen format may gain keys, but never change or lose one.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::cell::CellResult;
use super::document::Document;
use super::environment::Environment;
use super::matrix::Matrix;
use super::plan::CellPlan;
use super::scan::Scan;
use super::{canonical, digest::Digest};

const VERSIONS: [&str; 1] = ["0.1.0"];

fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn read(version: &str, format: &str) -> String {
    let path = path(&format!("tests/data/golden/{version}/{format}.json"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Adds every path at which `written` has a value that differs from `read` or is missing there.
fn lost(path: &str, written: &Value, read: &Value, paths: &mut Vec<String>) {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => {
            for (key, value) in written {
                let path = format!("{path}/{key}");
                match read.get(key) {
                    Some(other) => lost(&path, value, other, paths),
                    None => paths.push(path),
                }
            }
        }
        (Value::Array(written), Value::Array(read)) if written.len() == read.len() => {
            for (index, (value, other)) in written.iter().zip(read).enumerate() {
                lost(&format!("{path}/{index}"), value, other, paths);
            }
        }
        _ if written == read => {}
        _ => paths.push(path.to_owned()),
    }
}

#[track_caller]
fn round_trip<T: Serialize + DeserializeOwned>(format: &str) {
    let schema = fs::read_to_string(path(&format!("docs/schema/{format}.json"))).expect("a schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for version in VERSIONS {
        let text = read(version, format);
        let written: Value = serde_json::from_str(&text).expect("JSON");
        let parsed: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{format} of {version}: {error}"));
        let read: Value = serde_json::from_str(&canonical::to_string(&parsed).expect("JSON")).expect("JSON");
        let mut paths = Vec::new();
        lost("", &written, &read, &mut paths);
        assert!(paths.is_empty(), "{format} of {version}: lost or changed: {paths:#?}");
        let errors: Vec<String> = validator.iter_errors(&written).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{format} of {version}: rejected by the schema: {errors:#?}");
    }
}

#[test]
fn documents_of_earlier_versions_are_read() {
    round_trip::<Document>("document");
}

#[test]
fn cell_results_of_earlier_versions_are_read() {
    round_trip::<CellResult>("cell");
}

#[test]
fn plans_of_earlier_versions_are_read() {
    round_trip::<CellPlan>("plan");
}

#[test]
fn matrices_of_earlier_versions_are_read() {
    round_trip::<Matrix>("matrix");
}

#[test]
fn scans_of_earlier_versions_are_read() {
    round_trip::<Scan>("scan");
}

#[test]
fn environments_of_earlier_versions_are_read() {
    round_trip::<Environment>("environment");
}

#[test]
fn digests_of_environments_do_not_change() {
    for version in VERSIONS {
        let document: Document = serde_json::from_str(&read(version, "document")).expect("a document");
        for (digest, environment) in &document.environments {
            let computed: Digest = environment.digest().expect("JSON");
            assert_eq!(&computed, digest, "{version}");
        }
    }
}
