//! JUnit reports, read by an independent parser.

use std::collections::BTreeSet;

use carnet::model::cell::{End, Outcome};
use carnet::model::document::{Document, Status};
use carnet::report::{Format, Options};
use insta::assert_snapshot;
use junit_parser::{TestCase, TestStatus, TestSuite, TestSuites};
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::report::{assert_file_snapshot, render};
use crate::support::document_fixture::{assemble, case, cell, document, passed, step};

fn xml(document: &Document) -> String {
    render(document, Format::Junit, &Options::default())
}

fn parsed(document: &Document) -> TestSuites {
    junit_parser::from_reader(xml(document).as_bytes()).expect("valid JUnit")
}

fn suite<'a>(suites: &'a TestSuites, name: &str) -> &'a TestSuite {
    suites.suites.iter().find(|suite| suite.name == name).expect("a suite of the cell")
}

#[test]
fn junit_report_of_the_fixture() {
    assert_file_snapshot("junit", &xml(&document()).replace("><", ">\n<"));
}

#[test]
fn suites_count_failures_errors_and_skipped_cells() {
    let suites = parsed(&document());
    let counts = |name: &str| {
        let suite = suite(&suites, name);
        (suite.tests, suite.failures, suite.errors, suite.skipped)
    };
    assert_eq!(counts("laptop"), (14, 0, 0, 0));
    assert_eq!(counts("unl-coffea-casa/notebook"), (14, 0, 0, 0));
    // An error in a fixture is a failure of the analysis.
    assert_eq!(counts("desy-naf"), (15, 3, 0, 1));
    assert_eq!(counts("old-cluster"), (1, 0, 0, 1));
    assert_eq!(counts("fnal-lpc"), (1, 0, 1, 0));
    assert_eq!(counts("swan"), (1, 0, 0, 1));
    assert_eq!((suites.tests, suites.failures, suites.errors), (46, 3, 1));
}

#[test]
fn class_names_start_with_the_cell() {
    for suite in &parsed(&document()).suites {
        for case in &suite.cases {
            let class = case.classname.as_deref().expect("a class");
            assert_eq!(class.split('.').next(), Some(suite.name.as_str()));
        }
    }
}

#[test]
fn class_and_name_of_a_case_are_unique() {
    let passing = || case("test_a", Outcome::Passed, "", "");
    let mut slow = step(vec![passing(), passing()]);
    slow.name = "slow".to_owned();
    let mut tests = step(vec![passing(), passing(), passing()]);
    tests.cases.push(case("test_a (2)", Outcome::Passed, "", ""));
    let document = assemble(vec![cell("here", Status::Passed, vec![tests, slow])], Vec::new());
    let suites = parsed(&document);
    let keys: BTreeSet<_> =
        suites.suites[0].cases.iter().map(|case| (case.classname.clone(), case.original_name.clone())).collect();
    assert_eq!(keys.len(), 6, "{keys:?}");
}

#[test]
fn failed_setup_is_a_failed_case_with_its_output() {
    let mut setup = step(Vec::new());
    setup.name = "setup".to_owned();
    setup.end = End::Exit { code: 1 };
    setup.output = Some(carnet::model::cell::Captured { text: "no space left".to_owned(), dropped: 0 });
    let document = assemble(vec![cell("here", Status::Failed, vec![setup])], Vec::new());
    let suites = parsed(&document);
    let TestStatus::Failure(failure) = &suites.suites[0].cases[0].status else { panic!("not a failure") };
    assert_eq!(failure.message, "exit code 1");
    assert_snapshot!(failure.text, @"
    exit code 1
    $ pytest -q tests
    no space left
    ");
}

#[test]
fn passed_step_with_unknown_cases_is_not_a_failure() {
    let mut tests = step(passed(1));
    tests.unread = Some("only 0 of 5 cases are known".to_owned());
    let document = assemble(vec![cell("here", Status::Passed, vec![tests])], Vec::new());
    let suites = parsed(&document);
    assert_eq!((suites.failures, suites.suites[0].cases.len()), (0, 2));
    assert!(xml(&document).contains("only 0 of 5 cases are known"));
}

#[test]
fn cell_without_test_cases_has_one_case() {
    let document = assemble(vec![cell("here", Status::Passed, Vec::new())], Vec::new());
    assert_eq!(parsed(&document).suites[0].cases.len(), 1);
}

/// Message and text of a failed case.
fn text_of(case: &TestCase) -> (&str, &str) {
    match &case.status {
        TestStatus::Failure(failure) => (&failure.message, &failure.text),
        other => panic!("not a failure: {other:?}"),
    }
}

/// The text of the `failure` elements. Panics if the XML is not well-formed.
fn failure_text(xml: &str) -> String {
    let mut reader = Reader::from_str(xml);
    let (mut text, mut inside) = (String::new(), false);
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Eof => return text,
            Event::Start(start) if start.name().as_ref() == b"failure" => inside = true,
            Event::End(end) if end.name().as_ref() == b"failure" => inside = false,
            Event::CData(data) if inside => text.push_str(&data.decode().expect("UTF-8")),
            Event::Text(plain) if inside => text.push_str(&plain.decode().expect("UTF-8")),
            Event::GeneralRef(_) if inside => panic!("an entity in a CDATA section"),
            _ => {}
        }
    }
}

fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_output_is_unchanged_after_writing_and_reading(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        tricky in prop::collection::vec(prop::sample::select(vec!["]]>", "<![CDATA[", "\x1b[31m", "\0", "&amp;", "<!--", "\u{fffe}", "\r\n", "\"'", "</failure>"]), 0..12),
        name in any::<String>(),
        class in "\\PC{0,20}",
    ) {
        let random = String::from_utf8_lossy(&bytes).into_owned();
        let output = format!("x{}{random}{}x", tricky.concat(), tricky.join("]]>"));
        let mut failed = case(&name, Outcome::Failed, "message", &output);
        failed.class = class;
        failed.file = Some(random);
        let document = assemble(vec![cell("here", Status::Failed, vec![step(vec![failed])])], Vec::new());
        let xml = xml(&document);
        prop_assert!(xml.chars().all(is_xml_char));
        let expected = format!("message\n{}", carnet::model::text::clean(&output));
        prop_assert_eq!(failure_text(&xml), expected.clone());
        let suites = junit_parser::from_reader(xml.as_bytes()).expect("JUnit");
        let (message, text) = text_of(&suites.suites[0].cases[0]);
        prop_assert_eq!(message, "message");
        // The parser inserts a newline between two CDATA sections.
        prop_assert_eq!(text, expected.replace("]]>", "]]\n>"));
    }
}

#[test]
fn long_output_keeps_its_start_and_end() {
    let output = format!("first{}last", "é".repeat(100_000));
    let document = assemble(
        vec![cell("here", Status::Failed, vec![step(vec![case("t", Outcome::Failed, "m", &output)])])],
        Vec::new(),
    );
    let suites = parsed(&document);
    let (_, text) = text_of(&suites.suites[0].cases[0]);
    assert!(text.len() < 66_000, "{} bytes", text.len());
    let lines: Vec<&str> = text.lines().map(|line| line.trim_matches('é')).collect();
    assert_snapshot!(lines.join("\n"), @"
    m
    first
    [... 134476 bytes left out ...]
    last
    ");
}

#[test]
fn invalid_start_time_is_omitted() {
    let mut document = assemble(vec![cell("here", Status::Passed, vec![step(passed(1))])], Vec::new());
    let timestamp = |document: &Document| parsed(document).suites[0].timestamp.clone();
    assert_eq!(timestamp(&document).as_deref(), Some("2026-11-22T10:00:00"));
    document.timing.started = "yesterday".to_owned();
    assert_eq!(timestamp(&document), None);
}
