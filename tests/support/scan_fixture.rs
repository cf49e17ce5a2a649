//! The static scan of a small analysis.

use carnet::model::finding::{Confidence, Finding, Fix, Location, Reach, Severity, Span, Suppression, Suppressor};
use carnet::model::inventory::Inventory;
use carnet::model::scan::{FileCounts, Note, RuleInfo, SCHEMA, Scan, ScanTiming, Subject};

fn rule(id: &str, severity: Severity, summary: &str) -> RuleInfo {
    RuleInfo {
        id: id.to_owned(),
        severity,
        confidence: Confidence::High,
        summary: summary.to_owned(),
        page: format!("## What it does\n\nSummary: {summary}.\n\n## Limits\n\nNone.\n"),
    }
}

/// A finding about `word` in the line `source` of a file.
pub(crate) fn finding(rule: &str, severity: Severity, path: &str, line: u32, source: &str, word: &str) -> Finding {
    let before = source.find(word).map_or(0, |at| source[..at].chars().count());
    let column = u32::try_from(before + 1).expect("a short line");
    let end_column = column + u32::try_from(word.chars().count()).expect("a short word");
    Finding {
        rule: rule.to_owned(),
        severity,
        confidence: Confidence::High,
        path: path.to_owned(),
        span: Some(Span { line, column, end_line: line, end_column }),
        message: format!("`{word}` exists at only one facility"),
        help: Some("read the file through an XRootD door".to_owned()),
        fix: None,
        facilities: Reach {
            breaks: vec!["fnal-lpc".to_owned(), "lxplus".to_owned()],
            works: vec!["desy-naf".to_owned()],
        },
        source: Some(source.to_owned()),
        source_columns: None,
        fingerprint: carnet::scan::suppress::fingerprint::fingerprint(rule, path, source, line),
        suppressed: None,
        count: None,
        locations: Vec::new(),
    }
}

/// The finding with another message and without a location.
pub(crate) fn without_span(mut finding: Finding, message: &str) -> Finding {
    finding.span = None;
    finding.source = None;
    finding.message = message.to_owned();
    finding.facilities = Reach::default();
    finding
}

fn suppressed(mut finding: Finding, by: Suppressor, reason: &str) -> Finding {
    finding.suppressed = Some(Suppression { by, reason: reason.to_owned() });
    finding
}

/// A scan with these findings.
pub(crate) fn with(findings: Vec<Finding>) -> Scan {
    Scan {
        schema: SCHEMA.to_owned(),
        version: "0.1.0".to_owned(),
        analysis: Subject {
            name: "dimuon".to_owned(),
            commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
            dirty: false,
            remote: Some("https://gitlab.example.org/me/dimuon.git".to_owned()),
        },
        facilities: vec!["desy-naf".to_owned(), "fnal-lpc".to_owned(), "lxplus".to_owned()],
        rules: vec![
            rule("home-path", Severity::Error, "path in the home directory of one user"),
            rule("moving-tag", Severity::Warning, "image with a mutable tag"),
            rule("no-lock", Severity::Warning, "dependencies without a lock file"),
            rule("site-path", Severity::Error, "path that exists at some facilities only"),
        ],
        findings,
        notes: vec![Note { path: "data/huge.json".to_owned(), message: "larger than 64 MiB: not read".to_owned() }],
        inventory: Inventory::default(),
        files: FileCounts { scanned: 42, skipped: 7, bytes: 123_456 },
        timing: ScanTiming { started: "2026-11-22T10:00:00Z".to_owned(), milliseconds: 84 },
    }
}

/// A scan with every kind of finding.
pub(crate) fn scan() -> Scan {
    let mut fixed = finding(
        "site-path",
        Severity::Error,
        "src/plot.py",
        12,
        "    path = \"/eos/user/j/jane/h.root\"",
        "/eos/user/j/jane/h.root",
    );
    fixed.fix = Some(Fix {
        title: "read the file through the XRootD door of EOS".to_owned(),
        start: 200,
        end: 223,
        replacement: "root://eosuser.cern.ch//eos/user/j/jane/h.root".to_owned(),
    });
    let mut many = without_span(
        finding("site-path", Severity::Warning, "data/files.json", 1, "", ""),
        "`root://dcache-cms-xrootd.desy.de` is an XRootD door that other sites can't reach",
    );
    many.count = Some(3);
    many.locations = (3..6).map(|line| Location { path: "data/files.json".into(), line }).collect();
    let mut findings: Vec<Finding> = vec![many, fixed];
    for line in 20..26 {
        let path = if line < 24 { "src/run.py" } else { "src/größe 1.py" };
        let source = format!("x{line} = open('/nfs/dust/cms/user/jane/{line}.root')  # Größe");
        findings.push(finding(
            "home-path",
            Severity::Error,
            path,
            line,
            &source,
            &format!("/nfs/dust/cms/user/jane/{line}.root"),
        ));
    }
    let mut tag = finding(
        "moving-tag",
        Severity::Warning,
        ".gitlab-ci.yml",
        3,
        "  image: coffeateam/coffea-dask:latest",
        "coffeateam/coffea-dask:latest",
    );
    tag.message = "the tag `latest` is mutable".to_owned();
    tag.help = None;
    tag.facilities = Reach::default();
    findings.push(tag);
    findings.push(without_span(
        finding("no-lock", Severity::Note, ".", 1, "", ""),
        "dependencies are declared without a lock file",
    ));
    let old = finding("home-path", Severity::Error, "docs/old.md", 5, "see /home/jane/x", "/home/jane/x");
    findings.push(suppressed(old.clone(), Suppressor::Config, "documentation"));
    findings.push(suppressed(old.clone(), Suppressor::Inline, "an example"));
    findings.push(suppressed(old, Suppressor::Baseline, "in the baseline"));
    with(findings)
}
