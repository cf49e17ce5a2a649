//! JUnit as programs read it that are not ours: libxml2 with Jenkins's schema, Python's junitparser, and the keys under
//! which GitLab and EnricoMi's action know a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use carnet::model::cell::Outcome;
use carnet::model::document::{Document, Status};
use carnet::model::text::clean;
use carnet::report::{Format, Options};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::document_fixture::{assemble, case, cell, document, passed, step};
use crate::support::engine::tool;
use crate::support::scan_fixture;

/// What the script beside this file says of the texts.
fn outside(texts: &[String]) -> Output {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = tool("venv/bin/python");
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(python);
    command.arg(top.join("tests/tools/junit_readers.py")).arg(top.join("tests/data/junit-10.xsd"));
    for (number, text) in texts.iter().enumerate() {
        let path = dir.path().join(format!("{number}.xml"));
        fs::write(&path, text).expect("a file");
        command.arg(path);
    }
    command.output().expect("python starts")
}

/// The suites that the script found.
#[track_caller]
fn suites(texts: &[String]) -> Vec<Value> {
    let output = outside(texts);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn xml(document: &Document) -> String {
    carnet::report::render(document, Format::Junit, &Options::default()).expect("writing into memory works")
}

/// A scan as JUnit.
fn scan_xml() -> String {
    carnet::report::render_scan(Format::Junit, &scan_fixture::scan(), &Options::default()).expect("it has this form")
}

/// Texts that tests print and that XML can't have, or has other uses for.
fn hostile() -> Vec<String> {
    let every: String = (0..0x300).filter_map(char::from_u32).collect();
    let planes = "\u{fffd}\u{fffe}\u{ffff}\u{10000}\u{1fffe}\u{10ffff}\u{feff}";
    let signs =
        ["]]>", "]]]]>>", "<![CDATA[", "</failure>", "&amp;&#0;&#x1b;", "<!DOCTYPE x [<!ENTITY y 'z'>]>&y;", "\r\n\r"];
    let escapes = ["\x1b[31mred\x1b[0m", "\x1b]8;;http://x\x07y\x1b]8;;\x07", "\x08\x08\0", "\x7f\u{85}\u{2028}"];
    let single = signs.iter().chain(&escapes).map(|text| format!("a{text}z"));
    single.chain([every, planes.to_owned(), signs.concat(), escapes.concat()]).collect()
}

fn jenkins_and_junitparser_take_what_is_written_and_count_as_we_do() {
    let audit = scan_xml();
    let found = suites(&[xml(&document()), audit]);
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

fn hostile_output_reaches_other_readers_whole() {
    let texts = hostile();
    let failed = |(number, text): (usize, &String)| {
        let mut failed = case(&format!("t{number}"), Outcome::Failed, "went wrong", text);
        failed.class.clone_from(text);
        failed.file = Some(text.clone());
        failed
    };
    let cases = texts.iter().enumerate().map(failed).collect();
    let found = suites(&[xml(&assemble(vec![cell("here", Status::Failed, vec![step(cases)])], Vec::new()))]);
    let there = found[0]["cases"].as_array().expect("cases");
    assert_eq!(there.len(), texts.len());
    for (case, text) in there.iter().zip(&texts) {
        let wanted = format!("went wrong\n{}", clean(text));
        assert_eq!(case["text"][0].as_str(), Some(wanted.as_str()));
    }
}

fn the_schema_refuses_what_is_wrong() {
    let right = xml(&document());
    for (there, wrong) in [("<testcase ", "<testcas "), ("skipped=\"", "skippd=\""), ("</testsuites>", "")] {
        let text = right.replace(there, wrong);
        assert!(text != right && !outside(&[text]).status.success(), "{there}");
    }
}

/// The key of a test in GitLab, where the name of a suite does not count and a second test of one key is dropped.
fn gitlab_key(case: &Value) -> String {
    let text = |key: &str| case[key].as_str().expect("a text").to_owned();
    hex::encode(Sha256::digest(format!("job_{}_{}", text("class"), text("name"))))
}

fn tests_of_one_name_at_two_facilities_stay_apart_wherever_they_are_read() {
    let facility = |id: &str| cell(id, Status::Passed, vec![step(passed(3))]);
    let cells = vec![facility("lxplus-el9"), facility("lxplus"), facility("swan/notebook"), facility("swan/worker")];
    let audit = scan_xml();
    let found = suites(&[xml(&assemble(cells, Vec::new())), audit]);
    let cases: Vec<&Value> = found.iter().flat_map(|suite| suite["cases"].as_array().expect("cases")).collect();
    let gitlab: BTreeSet<String> = cases.iter().map(|case| gitlab_key(case)).collect();
    assert_eq!(gitlab.len(), cases.len(), "GitLab would drop tests");
    let enricomi: BTreeSet<(String, String)> =
        cases.iter().map(|case| (case["class"].to_string(), case["name"].to_string())).collect();
    assert_eq!(enricomi.len(), cases.len(), "EnricoMi's action would merge tests");
    let names: BTreeSet<&str> = found[..4]
        .iter()
        .flat_map(|suite| suite["cases"].as_array().expect("cases"))
        .filter_map(|case| case["name"].as_str())
        .collect();
    assert_eq!(names.len(), 3, "the facilities do have tests of one name");
}

crate::support::harness::register!(
    [Tool("venv/bin/python")]:
    jenkins_and_junitparser_take_what_is_written_and_count_as_we_do,
    hostile_output_reaches_other_readers_whole,
    the_schema_refuses_what_is_wrong,
    tests_of_one_name_at_two_facilities_stay_apart_wherever_they_are_read,
);
