//! SARIF 2.1.0 reports, and the limits of GitHub.

use carnet::model::finding::{Location, Severity};
use carnet::report::Options;
use carnet::report::{Format, render_scan};
use insta::assert_snapshot;
use serde_json::Value;

use super::render;
use crate::report::assert_file_snapshot;
use crate::support::scan_fixture::{finding, scan, with};

fn parsed(scan: &carnet::model::scan::Scan) -> Value {
    serde_json::from_str(&render(scan, Format::Sarif)).expect("JSON")
}

#[test]
fn sarif_report_is_one_run_with_every_rule() {
    let log = parsed(&scan());
    assert_file_snapshot("scan-sarif", &serde_json::to_string_pretty(&log).expect("JSON"));
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), 4);
    for result in run["results"].as_array().expect("results") {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(result["locations"].as_array().is_some_and(|locations| locations.len() == 1));
    }
}

#[test]
fn sarif_report_contains_suppressed_results_only_with_all() {
    let count = |text: &str| text.matches("\"justification\"").count();
    assert_eq!(count(&render(&scan(), Format::Sarif)), 0);
    let options = Options { all: true, ..Options::default() };
    let all = render_scan(Format::Sarif, &scan(), &options).expect("JSON");
    assert_eq!(count(&all), 3);
    assert_eq!((all.matches("\"inSource\"").count(), all.matches("\"external\"").count()), (1, 2));
}

#[test]
fn sarif_paths_are_uri_references() {
    for (path, uri) in [
        ("a b/c#d%e?.py", "a%20b/c%23d%25e%3F.py"),
        ("größe.py", "gr%C3%B6%C3%9Fe.py"),
        ("c:x\n\\y.py", "c%3Ax%0A%5Cy.py"),
    ] {
        let log = parsed(&with(vec![finding("site-path", Severity::Error, path, 1, "x", "x")]));
        let location = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!((&location["uri"], &location["uriBaseId"]), (&Value::from(uri), &Value::from("%SRCROOT%")));
    }
}

#[test]
fn sarif_report_limits_results_and_related_locations() {
    let mut many = finding("site-path", Severity::Error, "a.json", 1, "x", "x");
    many.span = None;
    many.locations = (1..=5000).map(|line| Location { path: "a.json".into(), line }).collect();
    let log = parsed(&with(vec![many]));
    assert_eq!(log["runs"][0]["results"][0]["relatedLocations"].as_array().map(Vec::len), Some(999));
    let findings = (1..=25_010).map(|line| finding("site-path", Severity::Note, "a.py", line, "x", "x"));
    let log = parsed(&with(findings.collect()));
    assert_eq!(log["runs"][0]["results"].as_array().map(Vec::len), Some(25_000));
    let note = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert_snapshot!(note.as_str().expect("a text"), @"10 results omitted because of the size limit. Run carnet scan --format json for all of them.");
}

#[test]
fn invalid_span_is_replaced_by_a_valid_one() {
    let mut odd = finding("site-path", Severity::Error, "a.py", 5, "x", "x");
    let span = odd.span.as_mut().expect("a span");
    (span.line, span.column, span.end_line, span.end_column) = (0, 0, 0, 0);
    let log = parsed(&with(vec![odd]));
    let region = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    for key in ["startLine", "startColumn", "endLine", "endColumn"] {
        assert_eq!(region[key], 1, "{key}");
    }
}

/// Fails if GitHub would reject the report. The requirements beyond the schema are the rules GH1001 and later of the SARIF
/// Multitool, and the table of limits in the documentation of code scanning.
fn assert_github_accepts(scan: &carnet::model::scan::Scan) {
    let log = parsed(scan);
    let runs = log["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 1, "GitHub rejects several runs of one tool and category");
    let category = runs[0]["automationDetails"]["id"].as_str().expect("a category");
    assert!(category.ends_with('/'), "{category}");
    let rules = runs[0]["tool"]["driver"]["rules"].as_array().expect("rules");
    for rule in rules {
        assert!(rule["properties"]["tags"].as_array().is_some_and(|tags| tags.len() <= 10), "{rule}");
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[text]["text"].as_str().is_some_and(|text| !text.trim().is_empty()), "{text} of {rule}");
        }
    }
    let mut keys = std::collections::BTreeSet::new();
    for result in runs[0]["results"].as_array().expect("results") {
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.trim().is_empty()), "{result}");
        let locations = result["locations"].as_array().expect("locations");
        let related = result["relatedLocations"].as_array().map_or(0, Vec::len);
        assert!(locations.len() == 1 && related < 1000, "{result}");
        let location = &locations[0]["physicalLocation"];
        let uri = location["artifactLocation"]["uri"].as_str().expect("a path");
        assert!(!uri.is_empty() && !uri.starts_with('/') && !uri.contains("://"), "{uri}");
        assert!(location["region"]["startLine"].as_u64().is_some_and(|line| line > 0), "{result}");
        let key = result["partialFingerprints"]["primaryLocationLineHash"].as_str().expect("a key");
        keys.insert(key.to_owned());
    }
    assert!(!keys.contains(":1"), "an empty key would merge several alerts");
}

#[test]
fn github_accepts_every_report() {
    assert_github_accepts(&scan());
    assert_github_accepts(&with(Vec::new()));
    for text in ["", " ", "\0", "../up", "/etc/passwd", "https://example.org/x", "a:b"] {
        assert_github_accepts(&with(vec![finding("a-rule", Severity::Error, text, 0, text, text)]));
    }
}
