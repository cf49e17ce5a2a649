//! Reports of a scan for a terminal.

use carnet::model::finding::Severity;
use carnet::report::Options;
use carnet::report::{Format, render_scan};
use insta::assert_snapshot;

use super::render;
use crate::support::scan_fixture::{finding, scan, with};

#[test]
fn scan_report_shows_lines_facilities_and_help() {
    assert_snapshot!(render(&scan(), Format::Human), @r#"
    error[site-path]: `/eos/user/j/jane/h.root` exists at only one facility
      --> src/plot.py:12:13
       |
    12 |     path = "/eos/user/j/jane/h.root"
       |             ^^^^^^^^^^^^^^^^^^^^^^^
       |
       = note: breaks at fnal-lpc, lxplus; works at desy-naf
       = help: read the file through an XRootD door

    error[home-path]: `/nfs/dust/cms/user/jane/20.root` exists at only one facility
      --> src/run.py:20:13
       |
    20 | x20 = open('/nfs/dust/cms/user/jane/20.root')  # Größe
       |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
      ::: src/run.py:21:13
       |
    21 | x21 = open('/nfs/dust/cms/user/jane/21.root')  # Größe
       |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
      ::: src/run.py:22:13
       |
    22 | x22 = open('/nfs/dust/cms/user/jane/22.root')  # Größe
       |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = note: breaks at fnal-lpc, lxplus; works at desy-naf
       = help: read the file through an XRootD door
       = note: and 3 more findings in 2 files: src/größe 1.py (2), src/run.py

    warning[site-path]: `root://dcache-cms-xrootd.desy.de` is an XRootD door that other sites can't reach (3 occurrences)
    --> data/files.json:3
     = help: read the file through an XRootD door

    warning[moving-tag]: the tag `latest` is mutable
     --> .gitlab-ci.yml:3:10
      |
    3 |   image: coffeateam/coffea-dask:latest
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    note[no-lock]: dependencies are declared without a lock file
    --> the repository
     = help: read the file through an XRootD door

    note: data/huge.json: larger than 64 MiB: not read
    7 errors, 2 warnings, 1 note in 5 files
    3 suppressed: 1 by comments, 1 by carnet.toml, 1 by the baseline
    1 safe fix available: run carnet scan --fix to print a patch
    42 files scanned in 0.08 s
    "#);
}

#[test]
fn color_adds_only_escape_sequences_to_a_scan_report() {
    let colored = render_scan(Format::Human, &scan(), &Options { color: true, ..Options::default() }).expect("text");
    let plain = render(&scan(), Format::Human);
    assert_ne!(colored, plain);
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
    let heading = colored.lines().next().expect("a line");
    assert_snapshot!(heading.replace('\u{1b}', "[ESC]"), @"[ESC][1m[ESC][91merror[site-path][ESC][0m[ESC][1m: `/eos/user/j/jane/h.root` exists at only one facility[ESC][0m");
}

#[test]
fn scan_report_without_findings() {
    let mut scan = with(Vec::new());
    scan.notes.clear();
    assert_eq!(render(&scan, Format::Human), "no findings\n42 files scanned in 0.08 s\n");
}

#[test]
fn similar_findings_are_one_block() {
    let findings = (1..=500).map(|line| {
        let source = format!("open('/nfs/dust/{line}')");
        finding(
            "site-path",
            Severity::Error,
            &format!("src/{}.py", line % 7),
            line,
            &source,
            &format!("/nfs/dust/{line}"),
        )
    });
    let text = render(&with(findings.collect()), Format::Human);
    assert_snapshot!(text, @"
    error[site-path]: `/nfs/dust/1` exists at only one facility
     --> src/1.py:1:7
      |
    1 | open('/nfs/dust/1')
      |       ^^^^^^^^^^^
      |
     ::: src/2.py:2:7
      |
    2 | open('/nfs/dust/2')
      |       ^^^^^^^^^^^
      |
     ::: src/3.py:3:7
      |
    3 | open('/nfs/dust/3')
      |       ^^^^^^^^^^^
      |
      = note: breaks at fnal-lpc, lxplus; works at desy-naf
      = help: read the file through an XRootD door
      = note: and 497 more findings in 7 files: src/0.py (71), src/1.py (71), src/2.py (71), src/3.py (71), ...

    note: data/huge.json: larger than 64 MiB: not read
    500 errors in 7 files
    by rule: site-path 500
    42 files scanned in 0.08 s
    ");
}

#[test]
fn all_shows_every_similar_finding() {
    let options = Options { all: true, ..Options::default() };
    let all = render_scan(Format::Human, &with(vec![finding("a", Severity::Note, "b", 1, "c", "c"); 9]), &options);
    assert_eq!(all.expect("text").matches("b:1:1").count(), 9);
}

#[test]
fn many_different_findings_of_one_rule_are_one_block() {
    let findings = (1..=40).map(|line| {
        let mut one = finding("home-path", Severity::Error, "a.py", line, "x = '/home/jane'", "/home/jane");
        one.message = format!("`/home/jane` is the home of user {line}");
        one.facilities.breaks = vec![format!("facility-{line}")];
        one
    });
    let text = render(&with(findings.collect()), Format::Human);
    assert_snapshot!(text, @"
    error[home-path]: `/home/jane` is the home of user 1
     --> a.py:1:6
      |
    1 | x = '/home/jane'
      |      ^^^^^^^^^^
      |
     ::: a.py:2:6
      |
    2 | x = '/home/jane'
      |      ^^^^^^^^^^ `/home/jane` is the home of user 2
      |
     ::: a.py:3:6
      |
    3 | x = '/home/jane'
      |      ^^^^^^^^^^ `/home/jane` is the home of user 3
      |
      = help: read the file through an XRootD door
      = note: and 37 more findings in 1 file: a.py (37)

    note: data/huge.json: larger than 64 MiB: not read
    40 errors in 1 file
    by rule: home-path 40
    42 files scanned in 0.08 s
    ");
}

#[test]
fn first_of_several_locations_shows_its_line_if_it_contains_the_quoted_text() {
    let mut many =
        finding("site-path", Severity::Warning, "files.json", 3, "  \"root://door.example//store/a.root\",", "x");
    many.span = None;
    many.count = Some(40);
    many.message = "`root://door.example` is an XRootD door of one site".to_owned();
    many.locations = vec![carnet::model::finding::Location { path: "files.json".into(), line: 3 }];
    assert_snapshot!(render(&with(vec![many.clone()]), Format::Human), @r#"
    warning[site-path]: `root://door.example` is an XRootD door of one site (40 occurrences)
     --> files.json:3:4
      |
    3 |   "root://door.example//store/a.root",
      |    ^^^^^^^^^^^^^^^^^^^
      |
      = note: breaks at fnal-lpc, lxplus; works at desy-naf
      = help: read the file through an XRootD door

    note: data/huge.json: larger than 64 MiB: not read
    1 warning in 1 file
    42 files scanned in 0.08 s
    "#);
    many.message = "`elsewhere` does not exist".to_owned();
    assert_snapshot!(render(&with(vec![many]), Format::Human), @"
    warning[site-path]: `elsewhere` does not exist (40 occurrences)
    --> files.json:3
     = note: breaks at fnal-lpc, lxplus; works at desy-naf
     = help: read the file through an XRootD door

    note: data/huge.json: larger than 64 MiB: not read
    1 warning in 1 file
    42 files scanned in 0.08 s
    ");
}

#[test]
fn span_outside_of_its_line_is_shown_at_the_end_of_the_line() {
    let report = |(column, end_line, end_column)| {
        let mut odd = finding("a", Severity::Error, "b.py", 1, "größe = 1", "1");
        let span = odd.span.as_mut().expect("a span");
        (span.column, span.end_line, span.end_column) = (column, end_line, end_column);
        let text = render(&with(vec![odd]), Format::Human);
        text.lines().skip(1).take(4).map(|line| format!("{line}\n")).collect::<String>()
    };
    let spans = [(0, 1, 0), (99, 1, 3), (3, 1, 999), (3, 9, 1), (u32::MAX, 0, u32::MAX)];
    assert_snapshot!(spans.map(report).concat(), @"
     --> b.py:1:1
      |
    1 | größe = 1
      | ^
     --> b.py:1:10
      |
    1 | größe = 1
      |          ^
     --> b.py:1:3
      |
    1 | größe = 1
      |   ^^^^^^^
     --> b.py:1:3
      |
    1 | größe = 1
      |   ^^^^^^^
     --> b.py:1:10
      |
    1 | größe = 1
      |          ^
    ");
}
