//! The text and the color of the badge.

use carnet::model::document::{Document, Status};
use carnet::report::badge::{Age, svg};
use insta::assert_snapshot;
use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::support::document_fixture::{assemble, cell, document};

const GREEN: &str = "#1a7f37";
const RED: &str = "#c5222f";
const AMBER: &str = "#8a5d00";
const GREY: &str = "#59636e";

/// A time at which a result of the fixture is not old.
const NEXT_DAY: &str = "2026-11-23T00:00:00Z";

/// What a reader of the badge sees.
#[derive(Debug, PartialEq, Eq)]
struct Badge {
    /// Title, which is the tooltip.
    title: String,
    /// Text on the right.
    status: String,
    /// Colour of the right part.
    color: String,
}

/// Parses the badge that is written at this time.
fn badge(document: &Document, now: &str) -> Badge {
    let now: Timestamp = now.parse().expect("a time");
    let svg = svg(document, &Age { now: Some(now), max_days: 30 });
    let mut reader = Reader::from_str(&svg);
    let (mut texts, mut colors) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Eof => break,
            // References stay as they are written.
            Event::Text(text) => append(&mut texts, &String::from_utf8_lossy(&text)),
            Event::GeneralRef(name) => append(&mut texts, &format!("&{};", String::from_utf8_lossy(&name))),
            Event::Empty(element) if element.name().as_ref() == b"rect" => {
                let fill = element.try_get_attribute("fill").expect("an attribute");
                colors.extend(fill.map(|fill| String::from_utf8_lossy(&fill.value).into_owned()));
            }
            Event::Start(element) => {
                let name = String::from_utf8_lossy(element.name().as_ref()).into_owned();
                assert!(matches!(name.as_str(), "svg" | "title" | "clipPath" | "g" | "text"), "element {name}");
                texts.push(String::new());
            }
            _ => {}
        }
    }
    let texts = texts.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let [title, name, status] = texts.collect::<Vec<_>>().try_into().expect("three texts");
    assert_eq!(name, "carnet");
    Badge { title, status, color: colors.pop().expect("a color") }
}

/// Appends to the text of the element that was started last.
fn append(texts: &mut [String], text: &str) {
    if let Some(last) = texts.last_mut() {
        last.push_str(text);
    }
}

/// The text and the color of the badge of these cells.
fn status_of(cells: &[(&str, Status)]) -> (String, String) {
    let cells = cells.iter().map(|(id, status)| cell(id, *status, Vec::new())).collect();
    let badge = badge(&assemble(cells, Vec::new()), NEXT_DAY);
    (badge.status, badge.color)
}

#[track_caller]
fn assert_status((status, color): (String, String), expected_status: &str, expected_color: &str) {
    assert_eq!((status.as_str(), color.as_str()), (expected_status, expected_color));
}

fn badge_counts_facilities_with_all_roles_passed() {
    assert_status(
        status_of(&[("a", Status::Passed), ("b/login", Status::Passed), ("b/worker", Status::Flaky)]),
        "works at 2 of 2 facilities · 2026-11-22",
        GREEN,
    );
    assert_status(
        status_of(&[("a", Status::Passed), ("b/login", Status::Passed), ("b/worker", Status::Failed)]),
        "works at 1 of 2 facilities · 2026-11-22",
        RED,
    );
    assert_status(
        status_of(&[("a", Status::Passed), ("b", Status::Error)]),
        "works at 1 of 2 facilities, not all tested · 2026-11-22",
        AMBER,
    );
    assert_status(status_of(&[("a", Status::Skipped)]), "not run · 2026-11-22", GREY);
}

fn badge_does_not_count_expected_failure() {
    let mut cells = vec![cell("a", Status::Passed, Vec::new()), cell("b", Status::Failed, Vec::new())];
    cells[1].expected_failure = Some("numpy 1".to_owned());
    let badge = badge(&assemble(cells, Vec::new()), NEXT_DAY);
    assert_status((badge.status, badge.color), "works at 1 of 2 facilities · 2026-11-22", GREEN);
}

fn badge_of_old_result_is_grey() {
    let title = "carnet: dimuon works at 2 of 6 facilities, checked on 2026-11-22.";
    let expected = |remark: &str, status: &str, color: &str| Badge {
        title: format!("{title}{remark}"),
        status: status.to_owned(),
        color: color.to_owned(),
    };
    assert_eq!(
        badge(&document(), "2026-12-22T10:00:00Z"),
        expected("", "works at 2 of 6 facilities · 2026-11-22", RED)
    );
    assert_eq!(
        badge(&document(), "2026-12-22T10:00:01Z"),
        expected(" That is more than 30 days ago.", "works at 2 of 6 facilities · as of 2026-11-22", GREY)
    );
}

fn badge_of_result_without_date_is_grey() {
    let mut document = document();
    document.timing.started = "soon".to_owned();
    let badge = badge(&document, NEXT_DAY);
    assert_status((badge.status, badge.color), "works at 2 of 6 facilities · undated", GREY);
}

fn badge_escapes_name_of_analysis() {
    let mut document = document();
    document.analysis.name = "</title><script>alert(1)</script>\u{202e}\0".to_owned();
    assert_snapshot!(badge(&document, NEXT_DAY).title, @"carnet: &lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;U+202E&gt;␀ works at 2 of 6 facilities, checked on 2026-11-22.");
}

crate::support::harness::register!(
    []:
    badge_counts_facilities_with_all_roles_passed,
    badge_does_not_count_expected_failure,
    badge_escapes_name_of_analysis,
    badge_of_old_result_is_grey,
    badge_of_result_without_date_is_grey,
);
