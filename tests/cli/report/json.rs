//! Reading and writing the canonical document.

use carnet::model::canonical;
use carnet::model::document::Document;
use carnet::report::json::{ReadError, read};
use carnet::report::{Format, Options, render_diff};
use insta::assert_snapshot;
use proptest::prelude::*;

use crate::report::{render, with_scan};
use crate::support::document_fixture::{assemble, document};

fn json(document: &Document) -> String {
    render(document, Format::Json, &Options::default())
}

#[test]
fn document_is_written_in_the_canonical_form() {
    let mut document = document();
    assert_eq!(json(&document), canonical::to_string(&document).expect("JSON"));
    document.interrupted = true;
    document.reference = None;
    assert_eq!(json(&document), canonical::to_string(&document).expect("JSON"));
    let empty = assemble(Vec::new(), Vec::new());
    assert_eq!(json(&empty), canonical::to_string(&empty).expect("JSON"));
}

#[test]
fn document_is_unchanged_after_reading_and_writing() {
    let written = json(&document());
    let document = read(written.as_bytes()).expect("a document");
    assert_eq!(json(&document), written);
}

#[test]
fn reader_reports_a_newer_format() {
    let newer = json(&document()).replace("carnet/document@1", "carnet/document@2");
    let newer = newer.replacen('{', "{\"invented\": 1,", 1);
    let error = read(newer.as_bytes()).expect_err("a newer format");
    assert_eq!(error, ReadError::Newer("carnet/document@2".to_owned()));
    assert_snapshot!(error, @"unsupported document format `carnet/document@2`; this version of carnet reads `carnet/document@1`");
}

#[test]
fn reader_reports_invalid_documents() {
    let errors = [
        "{\n  \"schema\" 1",
        "",
        "[]",
        "{}",
        r#"{"schema": 3}"#,
        r#"{"schema": "carnet/environment@1"}"#,
        "{\"schema\": \"carnet/document@1\",\n \"cells\": 7}",
    ]
    .map(|text| format!("{text:?}\n    {}\n", read(text.as_bytes()).expect_err("an invalid document")));
    assert_snapshot!(errors.concat(), @r#"
    "{\n  \"schema\" 1"
        not JSON: expected `:` at line 2, column 12
    ""
        not JSON: EOF while parsing a value at line 1, column 0
    "[]"
        not a carnet document; expected `"schema": "carnet/document@1"`, found a value that is not an object with a schema
    "{}"
        not a carnet document; expected `"schema": "carnet/document@1"`, found no schema
    "{\"schema\": 3}"
        not a carnet document; expected `"schema": "carnet/document@1"`, found a schema that is not a string
    "{\"schema\": \"carnet/environment@1\"}"
        not a carnet document; expected `"schema": "carnet/document@1"`, found `carnet/environment@1`
    "{\"schema\": \"carnet/document@1\",\n \"cells\": 7}"
        invalid carnet/document@1 document: invalid type: integer `7`, expected a sequence at line 2, column 11
    "#);
}

#[test]
fn comparison_is_written_as_json_but_not_as_junit() {
    let document = document();
    let diff = &document.diffs[0].diff;
    let json = render_diff(diff, Format::Json, &Options::default()).expect("a report");
    assert_eq!(serde_json::from_str::<carnet::model::diff::Diff>(&json).expect("JSON"), *diff);
    let error = render_diff(diff, Format::Junit, &Options::default()).expect_err("an unsupported format");
    assert_snapshot!(error, @"comparisons can't be written as junit");
}

#[test]
fn equal_documents_give_equal_bytes_in_every_format() {
    for &format in Format::ALL {
        let [first, second] = [(); 2].map(|()| render(&with_scan(document()), format, &Options::default()));
        assert_eq!(first, second, "{format}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reader_rejects_invalid_and_truncated_documents(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        length in 0_usize..4000,
    ) {
        prop_assert!(read(&bytes).is_err());
        let mut truncated = json(&document()).into_bytes();
        truncated.truncate(length);
        prop_assert!(read(&truncated).is_err());
    }
}
