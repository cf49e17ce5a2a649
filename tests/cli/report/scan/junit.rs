//! JUnit reports, read by an independent parser.

use carnet::report::Format;
use junit_parser::TestStatus;

use super::render;
use crate::report::assert_file_snapshot;
use crate::support::scan_fixture::{scan, with};

#[test]
fn junit_report_of_the_scan_fixture() {
    assert_file_snapshot("scan-junit", &render(&scan(), Format::Junit).replace("><", ">\n<"));
}

#[test]
fn errors_fail_and_suppressed_findings_are_skipped() {
    let suites = junit_parser::from_reader(render(&scan(), Format::Junit).as_bytes()).expect("JUnit");
    let counts: Vec<(&str, u64, u64, u64)> =
        suites.suites.iter().map(|suite| (suite.name.as_str(), suite.tests, suite.failures, suite.skipped)).collect();
    assert_eq!(counts, [("home-path", 9, 6, 3), ("moving-tag", 1, 0, 0), ("no-lock", 1, 0, 0), ("site-path", 2, 1, 0)]);
    assert_eq!((suites.tests, suites.failures, suites.errors), (13, 7, 0));
    for case in suites.suites.iter().flat_map(|suite| &suite.cases) {
        assert!(!matches!(case.status, TestStatus::Error(_)));
        let key = case.classname.as_deref().expect("a class");
        assert!(key.starts_with("carnet-scan.") && key.matches('.').count() == 1, "{key}");
    }
}

#[test]
fn rule_without_findings_passes() {
    let suites = junit_parser::from_reader(render(&with(Vec::new()), Format::Junit).as_bytes()).expect("JUnit");
    assert_eq!((suites.suites.len(), suites.tests, suites.failures), (4, 4, 0));
}
