//! Code Quality of GitLab and annotations of GitHub.

use std::collections::BTreeSet;

use carnet::model::finding::{Finding, Severity};
use carnet::report::Format;
use serde_json::Value;

use super::render;
use crate::report::assert_snapshot;
use crate::support::scan_fixture::{finding, scan, with};

fn many(number: u32, severity: Severity) -> impl Iterator<Item = Finding> {
    (1..=number).map(move |line| finding("site-path", severity, "a.py", line, "x = '/nfs'", "/nfs"))
}

#[test]
fn gitlab_gets_whole_entries_with_fingerprints_of_their_own() {
    let mut scan = scan();
    let twin = scan.findings[1].clone();
    scan.findings.extend([twin.clone(), twin]);
    let text = render(&scan, Format::Gitlab);
    let issues: Vec<Value> = serde_json::from_str(&text).expect("an array");
    assert_eq!(issues.len(), scan.findings.len() - 3, "suppressed ones are left out");
    let keys: BTreeSet<&str> = issues.iter().filter_map(|issue| issue["fingerprint"].as_str()).collect();
    assert_eq!(keys.len(), issues.len());
    for issue in &issues {
        assert!(issue["location"]["lines"]["begin"].as_u64().is_some_and(|line| line > 0), "{issue}");
        assert!(issue["location"]["path"].as_str().is_some_and(|path| !path.starts_with("./")), "{issue}");
        let severity = issue["severity"].as_str().expect("a severity");
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity));
        assert!(issue["description"].is_string() && issue["check_name"].is_string());
    }
    assert_eq!(issues[0]["severity"], "critical");
    assert_eq!(render(&with(Vec::new()), Format::Gitlab), "[]\n");
}

#[test]
fn github_gets_one_command_a_line() {
    assert_snapshot("scan-github", &render(&scan(), Format::Github));
}

#[test]
fn of_too_many_annotations_the_last_tells_how_many_are_left_out() {
    let findings = many(30, Severity::Warning).chain(many(10, Severity::Error)).chain(many(11, Severity::Note));
    let text = render(&with(findings.collect()), Format::Github);
    let count = |command: &str| text.lines().filter(|line| line.starts_with(command)).count();
    assert_eq!((count("::error "), count("::warning "), count("::notice ")), (10, 10, 10));
    assert!(text.contains("::21 more warnings") && text.contains("::2 more notes") && !text.contains("more errors"));
    assert!(text.starts_with("::error "), "the worst come first");
}
