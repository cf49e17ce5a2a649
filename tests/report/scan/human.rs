//! The form for a terminal.

use carnet::model::finding::Severity;
use carnet::report::Options;
use carnet::report::{Format, render_scan};

use super::fixture::{finding, scan, with};
use super::render;
use crate::assert_snapshot;

#[test]
fn findings_show_their_lines_the_facilities_and_the_help() {
    assert_snapshot("scan-human", &render(&scan(), Format::Human));
}

#[test]
fn colours_are_the_only_difference_that_colour_makes_to_a_scan() {
    let colored = render_scan(Format::Human, &scan(), &Options { color: true, ..Options::default() }).expect("text");
    assert!(colored.contains("\x1b["));
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), render(&scan(), Format::Human));
}

#[test]
fn no_findings_are_two_lines() {
    let mut scan = with(Vec::new());
    scan.notes.clear();
    assert_eq!(render(&scan, Format::Human), "no findings\n42 files scanned in 0.08 s\n");
}

#[test]
fn five_hundred_findings_of_one_kind_are_one_block() {
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
    assert!(text.lines().count() < 40 && text.contains("and 497 more in 7 files"), "{text}");
    assert!(text.contains("500 errors in 7 files"), "{text}");
    let options = Options { all: true, ..Options::default() };
    let all = render_scan(Format::Human, &with(vec![finding("a", Severity::Note, "b", 1, "c", "c"); 9]), &options);
    assert_eq!(all.expect("text").matches("b:1:1").count(), 9);
}

#[test]
fn many_kinds_of_one_rule_become_one_block() {
    let findings = (1..=40).map(|line| {
        let mut one = finding("home-path", Severity::Error, "a.py", line, "x = '/home/jane'", "/home/jane");
        one.message = format!("`/home/jane` is the home of user {line}");
        one.facilities.breaks = vec![format!("place-{line}")];
        one
    });
    let text = render(&with(findings.collect()), Format::Human);
    assert_eq!(text.matches("error[home-path]").count(), 1, "{text}");
    assert!(text.contains("is the home of user 2") && text.contains("and 37 more in 1 file: a.py (37)"), "{text}");
    assert!(!text.contains("place-1"), "what is said of all holds for all: {text}");
}

#[test]
fn the_first_of_several_places_is_shown_where_its_line_has_what_the_message_quotes() {
    let mut many =
        finding("site-path", Severity::Warning, "files.json", 3, "  \"root://door.example//store/a.root\",", "x");
    many.span = None;
    many.count = Some(40);
    many.message = "`root://door.example` is a door of one site".to_owned();
    many.places = vec![carnet::model::finding::Location { path: "files.json".into(), line: 3 }];
    let text = render(&with(vec![many.clone()]), Format::Human);
    assert!(
        text.contains("(40 places)") && text.contains("--> files.json:3:4") && text.contains(&"^".repeat(19)),
        "{text}"
    );
    many.message = "`elsewhere` is not there".to_owned();
    assert!(render(&with(vec![many]), Format::Human).contains("--> files.json:3\n"));
}

#[test]
fn a_span_outside_of_its_line_is_drawn_at_its_end() {
    for (column, end_line, end_column) in [(0, 1, 0), (99, 1, 3), (3, 1, 999), (3, 9, 1), (u32::MAX, 0, u32::MAX)] {
        let mut odd = finding("a", Severity::Error, "b.py", 1, "größe = 1", "1");
        let span = odd.span.as_mut().expect("a span");
        (span.column, span.end_line, span.end_column) = (column, end_line, end_column);
        assert!(render(&with(vec![odd]), Format::Human).contains("größe = 1"));
    }
}
