//! Code Quality reports for GitLab and annotations for GitHub.

use std::collections::BTreeSet;

use carnet::model::finding::{Finding, Severity};
use carnet::report::Format;
use insta::assert_snapshot;
use serde_json::Value;

use super::render;
use crate::support::scan_fixture::{finding, scan, with};

fn many(number: u32, severity: Severity) -> impl Iterator<Item = Finding> {
    (1..=number).map(move |line| finding("site-path", severity, "a.py", line, "x = '/nfs'", "/nfs"))
}

#[test]
fn gitlab_issues_are_complete_with_unique_fingerprints() {
    let mut scan = scan();
    let twin = scan.findings[1].clone();
    scan.findings.extend([twin.clone(), twin]);
    let text = render(&scan, Format::Gitlab);
    let issues: Vec<Value> = serde_json::from_str(&text).expect("an array");
    assert_eq!(issues.len(), scan.findings.len() - 3, "suppressed findings are omitted");
    let keys: BTreeSet<&str> = issues.iter().filter_map(|issue| issue["fingerprint"].as_str()).collect();
    assert_eq!(keys.len(), issues.len());
    for issue in &issues {
        assert!(issue["location"]["lines"]["begin"].as_u64().is_some_and(|line| line > 0), "{issue}");
        assert!(issue["location"]["path"].as_str().is_some_and(|path| !path.starts_with("./")), "{issue}");
        let severity = issue["severity"].as_str().expect("a severity");
        assert!(matches!(severity, "info" | "minor" | "major" | "critical" | "blocker"), "{issue}");
        assert!(issue["description"].is_string() && issue["check_name"].is_string());
    }
    assert_eq!(issues[0]["severity"], "critical");
    assert_eq!(render(&with(Vec::new()), Format::Gitlab), "[]\n");
}

#[test]
fn github_annotations_of_the_fixture() {
    assert_snapshot!(render(&scan(), Format::Github), @"
    ::error file=src/plot.py,line=12,endLine=12,col=13,endColumn=36,title=carnet%3A site-path::`/eos/user/j/jane/h.root` exists at only one facility. Breaks at fnal-lpc, lxplus; works at desy-naf. Help: read the file through an XRootD door.
    ::error file=src/run.py,line=20,endLine=20,col=13,endColumn=44,title=carnet%3A home-path::`/nfs/dust/cms/user/jane/20.root` exists at only one facility. Breaks at fnal-lpc, lxplus; works at desy-naf. Help: read the file through an XRootD door.
    ::error file=src/run.py,line=21,endLine=21,col=13,endColumn=44,title=carnet%3A home-path::`/nfs/dust/cms/user/jane/21.root` exists at only one facility. Breaks at fnal-lpc, lxplus; works at desy-naf. Help: read the file through an XRootD door.
    ::error file=src/run.py,line=22,endLine=22,col=13,endColumn=44,title=carnet%3A home-path::`/nfs/dust/cms/user/jane/22.root` exists at only one facility. Breaks at fnal-lpc, lxplus; works at desy-naf. Help: read the file through an XRootD door.
    ::error file=src/run.py,line=23,endLine=23,col=13,endColumn=44,title=carnet%3A home-path::`/nfs/dust/cms/user/jane/23.root` exists at only one facility. Breaks at fnal-lpc, lxplus; works at desy-naf. Help: read the file through an XRootD door.
    ::error file=src/größe 1.py,line=24,endLine=24,col=13,endColumn=44,title=carnet%3A home-path::`/nfs/dust/cms/user/jane/24.root` exists at only one facility. Breaks at fnal-lpc, lxplus; works at desy-naf. Help: read the file through an XRootD door.
    ::error file=src/größe 1.py,line=25,endLine=25,col=13,endColumn=44,title=carnet%3A home-path::`/nfs/dust/cms/user/jane/25.root` exists at only one facility. Breaks at fnal-lpc, lxplus; works at desy-naf. Help: read the file through an XRootD door.
    ::warning file=data/files.json,line=3,title=carnet%3A site-path::`root://dcache-cms-xrootd.desy.de` is an XRootD door that other sites can't reach (3 occurrences). Help: read the file through an XRootD door.
    ::warning file=.gitlab-ci.yml,line=3,endLine=3,col=10,endColumn=39,title=carnet%3A moving-tag::The tag `latest` is mutable.
    ::notice title=carnet%3A no-lock::Dependencies are declared without a lock file. Help: read the file through an XRootD door.
    ");
}

#[test]
fn github_annotations_are_limited_by_severity() {
    let findings = many(30, Severity::Warning).chain(many(10, Severity::Error)).chain(many(11, Severity::Note));
    let text = render(&with(findings.collect()), Format::Github);
    let count = |command: &str| text.lines().filter(|line| line.starts_with(command)).count();
    assert_eq!((count("::error "), count("::warning "), count("::notice ")), (10, 10, 10));
    assert!(text.starts_with("::error "), "errors are first");
    let omitted: Vec<&str> = text.lines().filter(|line| !line.starts_with("::error ")).skip(9).step_by(10).collect();
    assert_snapshot!(omitted.join("\n"), @"
    ::warning title=carnet::21 more warnings: see the other reports of the scan
    ::notice title=carnet::2 more notes: see the other reports of the scan
    ");
}
