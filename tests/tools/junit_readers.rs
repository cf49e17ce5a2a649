//! Other readers of the JUnit reports: libxml2 with the schema of Jenkins, junitparser, and the keys with which GitLab and the action
//! of EnricoMi identify a test.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use carnet::model::cell::Outcome;
use carnet::model::document::{Document, Status};
use carnet::model::text::clean;
use carnet::report::{Format, Options};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::document_fixture::{assemble, case, cell, document, passed, step};
use crate::support::engine::tool;
use crate::support::{CommandOutput, repository, scan_fixture};

/// Runs `junit_readers.py` on these reports.
fn read(reports: &[String]) -> CommandOutput {
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(tool("venv/bin/python"));
    command.arg(repository().join("tests/tools/junit_readers.py")).arg(repository().join("tests/data/junit-10.xsd"));
    for (number, text) in reports.iter().enumerate() {
        let path = dir.path().join(format!("{number}.xml"));
        fs::write(&path, text).expect("a file");
        command.arg(path);
    }
    CommandOutput::run(&mut command)
}

/// The suites of these reports, which must be valid.
#[track_caller]
fn suites(reports: &[String]) -> Vec<Value> {
    serde_json::from_str(&read(reports).assert_code(0).stdout).expect("JSON")
}

/// The cases of suites.
fn cases(suites: &[Value]) -> Vec<&Value> {
    suites.iter().flat_map(|suite| suite["cases"].as_array().expect("cases")).collect()
}

/// The report of a document.
fn xml(document: &Document) -> String {
    carnet::report::render(document, Format::Junit, &Options::default()).expect("a report")
}

/// The report of a scan.
fn scan_xml() -> String {
    carnet::report::render_scan(Format::Junit, &scan_fixture::scan(), &Options::default()).expect("a report")
}

/// Texts that XML can't contain, or that have a meaning in XML.
fn hostile() -> Vec<String> {
    let all: String = (0..0x300).filter_map(char::from_u32).collect();
    let planes = "\u{fffd}\u{fffe}\u{ffff}\u{10000}\u{1fffe}\u{10ffff}\u{feff}";
    let signs =
        ["]]>", "]]]]>>", "<![CDATA[", "</failure>", "&amp;&#0;&#x1b;", "<!DOCTYPE x [<!ENTITY y 'z'>]>&y;", "\r\n\r"];
    let escapes = ["\x1b[31mred\x1b[0m", "\x1b]8;;http://x\x07y\x1b]8;;\x07", "\x08\x08\0", "\x7f\u{85}\u{2028}"];
    let single = signs.iter().chain(&escapes).map(|text| format!("a{text}z"));
    single.chain([all, planes.to_owned(), signs.concat(), escapes.concat()]).collect()
}

fn jenkins_and_junitparser_read_reports_with_same_counts() {
    let found = suites(&[xml(&document()), scan_xml()]);
    let counts = |name: &str| {
        let suite = found.iter().find(|suite| suite["name"] == name).unwrap_or_else(|| panic!("no suite {name}"));
        let cases = suite["cases"].as_array().expect("cases");
        let of = |kind: &str| cases.iter().filter(|case| case["result"][0] == kind).count();
        let counted = [cases.len(), of("Failure"), of("Error"), of("Skipped")];
        assert_eq!(suite["counts"], Value::from(counted.map(|count| count as u64).to_vec()), "{name}");
        counted
    };
    assert_eq!(counts("laptop"), [14, 0, 0, 0]);
    assert_eq!(counts("desy-naf"), [15, 3, 0, 1]);
    assert_eq!(counts("fnal-lpc"), [1, 0, 1, 0]);
    assert_eq!(counts("home-path"), [9, 6, 0, 3]);
}

fn hostile_output_is_read_unchanged() {
    let texts = hostile();
    let failed = |(number, text): (usize, &String)| {
        let mut failed = case(&format!("t{number}"), Outcome::Failed, "assertion failed", text);
        failed.class.clone_from(text);
        failed.file = Some(text.clone());
        failed
    };
    let failures = texts.iter().enumerate().map(failed).collect();
    let found = suites(&[xml(&assemble(vec![cell("laptop", Status::Failed, vec![step(failures)])], Vec::new()))]);
    let read: Vec<&str> = cases(&found).iter().map(|case| case["text"][0].as_str().expect("a text")).collect();
    let expected: Vec<String> = texts.iter().map(|text| format!("assertion failed\n{}", clean(text))).collect();
    assert_eq!(read, expected);
}

fn schema_rejects_invalid_reports() {
    let valid = xml(&document());
    for (from, to) in [("<testcase ", "<testcas "), ("skipped=\"", "skippd=\""), ("</testsuites>", "")] {
        let invalid = valid.replace(from, to);
        assert_ne!(invalid, valid);
        read(&[invalid]).assert_code(1);
    }
}

/// The key of a test in GitLab. It does not include the suite, and GitLab drops all but one test with the same key.
fn gitlab_key(case: &Value) -> String {
    let text = |key: &str| case[key].as_str().expect("a text").to_owned();
    hex::encode(Sha256::digest(format!("job_{}_{}", text("class"), text("name"))))
}

fn tests_of_different_facilities_have_different_keys() {
    let facility = |id: &str| cell(id, Status::Passed, vec![step(passed(3))]);
    let cells = vec![facility("lxplus-el9"), facility("lxplus"), facility("swan/notebook"), facility("swan/worker")];
    let number = cells.len();
    let found = suites(&[xml(&assemble(cells, Vec::new())), scan_xml()]);
    let all = cases(&found);
    let gitlab: BTreeSet<String> = all.iter().map(|case| gitlab_key(case)).collect();
    assert_eq!(gitlab.len(), all.len(), "GitLab drops tests");
    let enricomi: BTreeSet<(String, String)> =
        all.iter().map(|case| (case["class"].to_string(), case["name"].to_string())).collect();
    assert_eq!(enricomi.len(), all.len(), "the action of EnricoMi merges tests");
    let names: BTreeSet<Option<&str>> = cases(&found[..number]).iter().map(|case| case["name"].as_str()).collect();
    assert_eq!(names.len(), 3, "tests of the facilities have the same names");
}

crate::support::harness::register!(
    [Tool("venv/bin/python")]:
    hostile_output_is_read_unchanged,
    jenkins_and_junitparser_read_reports_with_same_counts,
    schema_rejects_invalid_reports,
    tests_of_different_facilities_have_different_keys,
);
