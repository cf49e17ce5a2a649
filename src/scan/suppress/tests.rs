//! Suppression of findings, and findings about unused ignores.

use std::collections::BTreeMap;

use jiff::civil::date;

use super::baseline::{Baseline, Entry, SCHEMA};
use super::{Applied, Directives, Ignore, Settings, apply, inline, matcher};
use crate::model::finding::{Confidence, Finding, Location, Reach, Severity, Span, Suppressor};
use crate::scan::rules::unused_ignore;
use crate::source::lang::language::Language;

const KNOWN: [&str; 4] = ["site-path", "home-path", "no-lock", unused_ignore::ID];

fn finding(rule: &str, path: &str, line: u32) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity: Severity::Error,
        confidence: Confidence::High,
        path: path.to_owned(),
        span: (line > 0).then_some(Span { line, column: 1, end_line: line, end_column: 5 }),
        message: "it breaks".to_owned(),
        help: None,
        fix: None,
        facilities: Reach::default(),
        source: None,
        source_columns: None,
        fingerprint: format!("{rule}-{path}-{line}"),
        suppressed: None,
        count: None,
        locations: Vec::new(),
    }
}

fn settings<'a>() -> Settings<'a> {
    Settings {
        active: KNOWN.to_vec(),
        known: KNOWN.to_vec(),
        ignore: Vec::new(),
        severity: BTreeMap::new(),
        baseline: None,
        config: "carnet.toml",
        today: date(2026, 11, 22),
        partial: false,
    }
}

fn ignore(rule: &str, glob: &str, until: Option<jiff::civil::Date>) -> Ignore {
    Ignore { rule: rule.to_owned(), glob: glob.to_owned(), reason: "why".to_owned(), until, line: 7 }
}

fn comments(path: &str, text: &str) -> Directives {
    [(path.to_owned(), inline::read(Language::Python, text.as_bytes()))].into()
}

fn entry(finding: &Finding, until: Option<&str>) -> Entry {
    Entry {
        rule: finding.rule.clone(),
        path: finding.path.clone(),
        fingerprint: finding.fingerprint.clone(),
        message: String::new(),
        reason: None,
        until: until.map(str::to_owned),
    }
}

fn baseline(entries: Vec<Entry>) -> Baseline {
    Baseline { schema: SCHEMA.to_owned(), until: None, findings: entries }
}

/// Returns a sorted summary: rule and path with the suppressor, or the message of a finding about ignores.
fn summaries(applied: &Applied) -> Vec<String> {
    let summary = |finding: &Finding| match (&finding.suppressed, finding.rule == unused_ignore::ID) {
        (Some(by), _) => format!("{} {} {:?}", finding.rule, finding.path, by.by),
        (None, true) => format!("{}: {}", finding.path, finding.message),
        (None, false) => format!("{} {}", finding.rule, finding.path),
    };
    let mut summaries: Vec<String> = applied.findings.iter().map(summary).collect();
    summaries.sort();
    summaries
}

#[test]
fn comment_suppresses_its_rules_on_its_line() {
    let directives = comments("a.py", "x # carnet: ignore[site-path] known\ny\n");
    let found = vec![finding("site-path", "a.py", 1), finding("home-path", "a.py", 1), finding("site-path", "a.py", 2)];
    let applied = apply(found, &directives, &settings());
    assert_eq!(summaries(&applied), ["home-path a.py", "site-path a.py", "site-path a.py Inline"]);
    assert_eq!(applied.notes, []);
}

#[test]
fn comment_without_reason_suppresses_nothing_and_is_noted() {
    let directives = comments("a.py", "x # carnet: ignore[site-path]\ny # carnet: ignore\n");
    let applied = apply(vec![finding("site-path", "a.py", 1)], &directives, &settings());
    assert_eq!(summaries(&applied), ["site-path a.py"]);
    let notes: Vec<&str> = applied.notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!(
        notes,
        [
            "line 1: `carnet: ignore` without a reason has no effect",
            "line 2: `carnet: ignore` without a rule in brackets has no effect",
        ]
    );
}

#[test]
fn unused_and_misspelled_comments_are_findings_if_their_rule_ran() {
    let directives =
        comments("a.py", "x # carnet: ignore[site-path, home-pth] known\ny # carnet: ignore[no-lock] why\n");
    let mut settings = settings();
    settings.active.retain(|rule| *rule != "no-lock");
    let applied = apply(Vec::new(), &directives, &settings);
    assert_eq!(
        summaries(&applied),
        ["a.py: unknown rule `home-pth` in ignore", "a.py: unused ignore for `site-path`",]
    );
    assert!(applied.findings.iter().any(|f| f.help.as_deref() == Some("did you mean `home-path`?")));
    assert!(applied.findings.iter().all(|f| f.severity == Severity::Warning && f.fingerprint.len() == 32));
}

#[test]
fn configured_ignores_match_glob_and_date() {
    let mut settings = settings();
    settings.ignore = vec![
        ignore("site-path", "docs/**", None),
        ignore("home-path", "*.py", Some(date(2026, 11, 22))),
        ignore("no-lock", "**", Some(date(2026, 11, 21))),
        ignore("site-path", "nowhere/*", None),
    ];
    let found = vec![
        finding("site-path", "docs/deep/a.py", 3),
        finding("site-path", "src/a.py", 3),
        finding("home-path", "src/a.py", 3),
        finding("no-lock", ".", 0),
    ];
    assert_eq!(
        summaries(&apply(found, &Directives::new(), &settings)),
        [
            "carnet.toml: ignore for `no-lock` in `**` expired on 2026-11-21",
            "carnet.toml: unused ignore for `site-path` in `nowhere/*`",
            "home-path src/a.py Config",
            "no-lock .",
            "site-path docs/deep/a.py Config",
            "site-path src/a.py",
        ]
    );
}

#[test]
fn baseline_matches_fingerprints_until_date() {
    let (kept, over, new) =
        (finding("site-path", "a.py", 1), finding("site-path", "a.py", 2), finding("site-path", "a.py", 3));
    let gone = entry(&finding("site-path", "gone.py", 1), None);
    let known = baseline(vec![entry(&kept, None), entry(&over, Some("2026-11-21")), gone]);
    let mut settings = settings();
    settings.baseline = Some(("known.json", &known));
    let applied = apply(vec![kept, over, new], &Directives::new(), &settings);
    assert_eq!(
        summaries(&applied),
        [
            "known.json: 1 entry does not match a finding",
            "known.json: 1 entry has expired",
            "site-path a.py",
            "site-path a.py",
            "site-path a.py Baseline",
        ]
    );
}

#[test]
fn partial_scan_reports_no_unused_ignores() {
    let known = baseline(vec![entry(&finding("site-path", "gone.py", 1), None)]);
    let mut settings = settings();
    settings.baseline = Some(("known.json", &known));
    settings.ignore = vec![ignore("site-path", "docs/**", None)];
    settings.partial = true;
    assert_eq!(summaries(&apply(Vec::new(), &Directives::new(), &settings)), [""; 0]);
}

#[test]
fn finding_with_several_suppressors_marks_all_as_used() {
    let found = finding("site-path", "a.py", 1);
    let known = baseline(vec![entry(&found, None)]);
    let mut settings = settings();
    settings.baseline = Some(("known.json", &known));
    settings.ignore = vec![ignore("site-path", "a.py", None)];
    let directives = comments("a.py", "x # carnet: ignore[site-path] known\n");
    assert_eq!(summaries(&apply(vec![found], &directives, &settings)), ["site-path a.py Inline"]);
}

#[test]
fn locations_that_comments_suppress_are_split_off() {
    let mut many = finding("site-path", "a.py", 0);
    many.count = Some(3);
    many.locations = (1..=3).map(|line| Location { path: "a.py".into(), line }).collect();
    let directives = comments("a.py", "x # carnet: ignore[site-path] known\ny\nz\n");
    let applied = apply(vec![many.clone()], &directives, &settings());
    let counts: Vec<(Option<u64>, bool)> = applied.findings.iter().map(|f| (f.count, f.suppressed.is_some())).collect();
    assert_eq!(
        {
            let mut sorted = counts;
            sorted.sort();
            sorted
        },
        [(Some(1), true), (Some(2), false)]
    );
    let all = "x # carnet: ignore[site-path] b\n".repeat(3);
    let whole = apply(vec![many], &comments("a.py", &all), &settings());
    let whole: Vec<_> = whole.findings.iter().filter(|finding| finding.rule == "site-path").collect();
    assert!(whole.len() == 1 && whole[0].suppressed.as_ref().is_some_and(|s| s.by == Suppressor::Inline), "{whole:?}");
}

#[test]
fn finding_of_whole_file_is_suppressed_on_first_line() {
    let directives = comments("a.py", "#! x # carnet: ignore[no-lock] known\n");
    assert_eq!(
        summaries(&apply(vec![finding("no-lock", "a.py", 0)], &directives, &settings())),
        ["no-lock a.py Inline"]
    );
}

#[test]
fn severity_of_unused_ignore_can_be_overridden() {
    let mut settings = settings();
    settings.severity =
        [("site-path".to_owned(), Severity::Note), (unused_ignore::ID.to_owned(), Severity::Error)].into();
    let directives = comments("a.py", "x # carnet: ignore[home-path] known\n");
    let applied = apply(vec![finding("site-path", "a.py", 9)], &directives, &settings);
    let severities: Vec<Severity> = applied.findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Note]);
}

#[test]
fn unused_ignores_can_be_ignored() {
    let mut settings = settings();
    settings.ignore = vec![ignore(unused_ignore::ID, "a.py", None)];
    let directives = comments("a.py", "x # carnet: ignore[home-path] known\n");
    assert_eq!(summaries(&apply(Vec::new(), &directives, &settings)), ["unused-ignore a.py Config"]);
}

#[test]
fn updated_baseline_contains_unsuppressed_findings() {
    let mut by_comment = finding("site-path", "a.py", 1);
    by_comment.suppressed = Some(crate::model::finding::Suppression { by: Suppressor::Inline, reason: "x".to_owned() });
    let (known, new) = (finding("site-path", "a.py", 2), finding("home-path", "a.py", 3));
    let mut old = entry(&known, Some("2026-01-01"));
    old.reason = Some("legacy".to_owned());
    let gone = entry(&finding("site-path", "gone.py", 1), None);
    let base = baseline(vec![gone, old]);
    let found = [by_comment, known.clone(), new, finding(unused_ignore::ID, "a.py", 4)];
    let updated = base.updated(&found, date(2026, 11, 22));
    let kept: Vec<(&str, Option<&str>, Option<&str>)> =
        updated.findings.iter().map(|e| (e.fingerprint.as_str(), e.reason.as_deref(), e.until.as_deref())).collect();
    assert_eq!(kept, [("home-path-a.py-3", None, None), ("site-path-a.py-2", Some("legacy"), None)]);
    assert_eq!(Baseline::parse(&updated.to_text().expect("JSON")).expect("itself"), updated);
    assert_eq!(base.pruned(&[known]).findings.len(), 1);
}

#[test]
fn baseline_with_wrong_schema_or_date_is_rejected() {
    for (text, part) in [
        ("{}", "missing field"),
        ("{\"schema\": \"carnet/baseline@2\", \"findings\": []}", "carnet/baseline@2"),
        ("{\"schema\": \"carnet/baseline@1\", \"until\": \"soon\", \"findings\": []}", "invalid date `soon`"),
    ] {
        let message = Baseline::parse(text).expect_err("refused").to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn matcher_matches_paths_names_and_directories() {
    let matches = |glob: &str, path: &str| matcher(glob).expect("a glob").is_match(path);
    assert!(matches("docs", "docs/a/b.py") && matches("docs/", "x/docs/a.py") && matches("./docs/**", "docs/a.py"));
    assert!(matches("*.py", "a/b/c.py") && matches("**", ".") && matches("a/*/c.py", "a/b/c.py"));
    assert!(!matches("a/*.py", "a/b/c.py") && !matches("docs", "docs.py"));
    assert!(matcher("a[").is_none());
}
