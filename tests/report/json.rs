//! The canonical document, written and read.

use carnet::model::canonical;
use carnet::model::document::Document;
use carnet::report::json::{ReadError, read};
use carnet::report::{Format, Options, render, render_diff};
use proptest::prelude::*;

use crate::fixture::{assemble, document};

fn text(document: &Document) -> String {
    crate::render(document, Format::Json, &Options::default())
}

#[test]
fn the_bytes_are_those_of_the_canonical_form() {
    let mut document = document();
    assert_eq!(text(&document), canonical::to_string(&document).expect("JSON"));
    document.interrupted = true;
    document.reference = None;
    assert_eq!(text(&document), canonical::to_string(&document).expect("JSON"));
    let empty = assemble(Vec::new(), Vec::new());
    assert_eq!(text(&empty), canonical::to_string(&empty).expect("JSON"));
}

#[test]
fn what_is_written_reads_back_to_the_same_bytes() {
    let written = text(&document());
    let back = read(written.as_bytes()).expect("a document");
    assert_eq!(text(&back), written);
}

#[test]
fn a_newer_format_is_called_newer() {
    let newer = text(&document()).replace("carnet/document@1", "carnet/document@2");
    let newer = newer.replacen('{', "{\"invented\": 1,", 1);
    let error = read(newer.as_bytes()).expect_err("is newer");
    assert_eq!(error, ReadError::Newer("carnet/document@2".to_owned()));
    assert!(error.to_string().starts_with("written by a newer carnet"), "{error}");
}

#[test]
fn other_things_are_named_with_their_place() {
    let of = |text: &str| read(text.as_bytes()).expect_err("is no document").to_string();
    assert_eq!(of("{\n  \"schema\" 1"), "not JSON: expected `:` at line 2, column 12");
    assert_eq!(of(""), "not JSON: EOF while parsing a value at line 1, column 0");
    assert!(of("[]").starts_with("not a carnet document"), "{}", of("[]"));
    assert!(of("{}").ends_with("found no schema"), "{}", of("{}"));
    assert!(of(r#"{"schema": 3}"#).ends_with("a schema that is no text"));
    let environment = of(r#"{"schema": "carnet/environment@1"}"#);
    assert!(environment.ends_with("found `carnet/environment@1`"), "{environment}");
    let broken = of("{\"schema\": \"carnet/document@1\",\n \"cells\": 7}");
    assert!(broken.contains("line 2, column 11"), "{broken}");
}

#[test]
fn a_difference_is_json_too_and_has_no_junit_form() {
    let document = document();
    let diff = &document.diffs[0].diff;
    let json = render_diff(diff, Format::Json, &Options::default()).expect("renders");
    assert_eq!(serde_json::from_str::<carnet::model::diff::Diff>(&json).expect("JSON"), *diff);
    render_diff(diff, Format::Junit, &Options::default()).expect_err("has no tests");
}

#[test]
fn equal_documents_give_equal_bytes_in_every_format() {
    for &format in Format::ALL {
        let first = render(&crate::audited(document()), format, &Options::default()).expect("renders");
        assert_eq!(
            first,
            render(&crate::audited(document()), format, &Options::default()).expect("renders"),
            "{format}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..4000) {
        let _ = read(&bytes);
        let written = text(&document());
        let mut torn = written.into_bytes();
        torn.truncate(cut);
        prop_assert!(read(&torn).is_err());
    }
}
