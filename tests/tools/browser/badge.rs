//! The badge: what it counts, its colour, its age.

use carnet::model::document::Status;
use carnet::report::badge::{Age, svg};
use jiff::Timestamp;

use crate::support::document_fixture::{assemble, cell, document};

const GREEN: &str = "#1a7f37";
const RED: &str = "#c5222f";
const AMBER: &str = "#8a5d00";
const GREY: &str = "#59636e";

fn at(now: &str) -> Age {
    Age { now: Some(now.parse::<Timestamp>().expect("a time")), max_days: 30 }
}

fn of(cells: &[(&str, Status)]) -> String {
    let cells = cells.iter().map(|(id, status)| cell(id, *status, Vec::new())).collect();
    svg(&assemble(cells, Vec::new()), &at("2026-11-23T00:00:00Z"))
}

fn a_facility_counts_when_it_works_in_all_its_roles() {
    let both = of(&[("a", Status::Passed), ("b/login", Status::Passed), ("b/worker", Status::Flaky)]);
    assert!(both.contains(">works at 2 of 2 facilities · 2026-11-22<") && both.contains(GREEN), "{both}");
    let one = of(&[("a", Status::Passed), ("b/login", Status::Passed), ("b/worker", Status::Failed)]);
    assert!(one.contains(">works at 1 of 2 facilities · 2026-11-22<") && one.contains(RED), "{one}");
    let place = of(&[("a", Status::Passed), ("b", Status::Error)]);
    assert!(place.contains(">works at 1 of 2 facilities, not all tested") && place.contains(AMBER), "{place}");
    let none = of(&[("a", Status::Skipped)]);
    assert!(none.contains(">nothing was run · 2026-11-22<") && none.contains(GREY), "{none}");
}

fn a_failure_that_is_expected_is_no_place_where_it_works() {
    let mut cells = vec![cell("a", Status::Passed, Vec::new()), cell("b", Status::Failed, Vec::new())];
    cells[1].expected_failure = Some("numpy 1 there".to_owned());
    let badge = svg(&assemble(cells, Vec::new()), &at("2026-11-23T00:00:00Z"));
    assert!(badge.contains(">works at 1 of 2 facilities · ") && badge.contains(GREEN), "{badge}");
}

fn an_old_result_is_grey_and_says_of_when_it_is() {
    let young = svg(&document(), &at("2026-12-22T10:00:00Z"));
    assert!(young.contains(RED) && young.contains(" · 2026-11-22<") && !young.contains("as of"), "{young}");
    let old = svg(&document(), &at("2026-12-22T10:00:01Z"));
    assert!(old.contains(GREY) && !old.contains(RED) && old.contains(" · as of 2026-11-22<"), "{old}");
    assert!(old.contains("That is more than 30 days ago."), "{old}");
}

fn a_result_without_a_date_is_never_coloured() {
    let mut document = document();
    document.timing.started = "soon".to_owned();
    let badge = svg(&document, &at("2026-11-23T00:00:00Z"));
    assert!(badge.contains(">works at ") && badge.contains("undated<") && badge.contains(GREY) && !badge.contains(RED));
}

fn names_from_outside_are_text() {
    let mut document = document();
    document.analysis.name = "</title><script>alert(1)</script>\u{202e}\0".to_owned();
    let badge = svg(&document, &at("2026-11-23T00:00:00Z"));
    assert!(!badge.contains("<script") && !badge.contains('\u{202e}') && !badge.contains('\0'), "{badge}");
    let mut reader = quick_xml::Reader::from_str(&badge);
    while reader.read_event().expect("well-formed XML") != quick_xml::events::Event::Eof {}
}

crate::support::harness::register!(
    []:
    a_facility_counts_when_it_works_in_all_its_roles,
    a_failure_that_is_expected_is_no_place_where_it_works,
    an_old_result_is_grey_and_says_of_when_it_is,
    a_result_without_a_date_is_never_coloured,
    names_from_outside_are_text,
);
