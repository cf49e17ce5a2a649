//! The scan of a small analysis.

use carnet::model::finding::{Confidence, Finding, Fix, Location, Reach, Severity, Span, Suppression, Suppressor};
use carnet::model::inventory::Inventory;
use carnet::model::scan::{FileCounts, Note, RuleInfo, SCHEMA, Scan, ScanTiming, Subject};

fn rule(id: &str, severity: Severity, summary: &str) -> RuleInfo {
    RuleInfo {
        id: id.to_owned(),
        severity,
        confidence: Confidence::High,
        summary: summary.to_owned(),
        page: format!("## What it does\n\nFinds {summary}.\n\n## Limits\n\nNone.\n"),
    }
}

/// A finding about a word in a line of a file.
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
        message: format!("`{word}` is there at one place only"),
        help: Some("read it through an XRootD door".to_owned()),
        fix: None,
        facilities: Reach {
            breaks: vec!["fnal-lpc".to_owned(), "lxplus".to_owned()],
            works: vec!["desy-naf".to_owned()],
        },
        source: Some(source.to_owned()),
        fingerprint: carnet::scan::suppress::fingerprint::fingerprint(rule, path, source, line),
        suppressed: None,
        count: None,
        places: Vec::new(),
    }
}

/// Removes the location in the file from a finding, and sets its message.
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
            rule("home-path", Severity::Error, "a path in someone's home directory"),
            rule("moving-tag", Severity::Warning, "an image whose tag moves"),
            rule("no-lock", Severity::Warning, "dependencies that nothing fixes"),
            rule("site-path", Severity::Error, "a path that only some facilities have"),
        ],
        findings,
        notes: vec![Note { path: "data/huge.json".to_owned(), message: "larger than 64 MiB: not read".to_owned() }],
        inventory: Inventory::default(),
        files: FileCounts { scanned: 42, skipped: 7, bytes: 123_456 },
        timing: ScanTiming { started: "2026-11-22T10:00:00Z".to_owned(), milliseconds: 84 },
    }
}

/// A scan with findings of every kind.
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
        title: "read it through the door of EOS".to_owned(),
        start: 200,
        end: 223,
        replacement: "root://eosuser.cern.ch//eos/user/j/jane/h.root".to_owned(),
    });
    let mut many = without_span(
        finding("site-path", Severity::Warning, "data/files.json", 1, "", ""),
        "`root://dcache-cms-xrootd.desy.de` is a door that only its own site sees",
    );
    many.count = Some(3);
    many.places = (3..6).map(|line| Location { path: "data/files.json".into(), line }).collect();
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
    tag.message = "the tag `latest` moves".to_owned();
    tag.help = None;
    tag.facilities = Reach::default();
    findings.push(tag);
    findings
        .push(without_span(finding("no-lock", Severity::Note, ".", 1, "", ""), "no lock file fixes the dependencies"));
    let old = finding("home-path", Severity::Error, "docs/old.md", 5, "see /home/jane/x", "/home/jane/x");
    findings.push(suppressed(old.clone(), Suppressor::Config, "documentation"));
    findings.push(suppressed(old.clone(), Suppressor::Inline, "an example"));
    findings.push(suppressed(old, Suppressor::Baseline, "in the baseline"));
    with(findings)
}
