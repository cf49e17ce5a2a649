//! The HTML report in Chromium, with the checks of `browser.py`.
//!
//! `CARNET_SCREENSHOTS=DIR` stores the pages and screenshots of them in this directory.

mod badge;
mod document;
mod text;

use std::fs;
use std::path::Path;
use std::process::Command;

use carnet::model::document::Document;
use carnet::report;
use carnet::report::history::State;

use crate::support::document_fixture::assemble;
use crate::support::engine::tool;
use crate::support::{CommandOutput, repository};

/// Runs checks of `browser.py` on the report of a document.
#[track_caller]
fn check_page(name: &str, checks: &[&str], document: &Document, past: &[State]) {
    let dir = tempfile::tempdir().expect("a directory");
    let page = dir.path().join(format!("{name}.html"));
    fs::write(&page, report::page(document, past).expect("a page")).expect("a file");
    if let Some(screenshots) = std::env::var_os("CARNET_SCREENSHOTS") {
        fs::copy(&page, Path::new(&screenshots).join(format!("{name}.html"))).expect("a copy of the page");
    }
    let mut command = Command::new(tool("venv/bin/python"));
    command.arg(repository().join("tests/tools/browser/browser.py")).arg(&page).args(checks).env("HOME", dir.path());
    CommandOutput::run(&mut command).assert_code(0);
}

fn page_of_one_cell_works() {
    check_page("one", &["silence", "width", "without_javascript"], &document::one_cell(), &[]);
}

fn page_of_eight_cells_works() {
    let (now, past) = document::eight_cells();
    let checks = [
        "silence",
        "width",
        "without_javascript",
        "cell_details",
        "keyboard",
        "filter",
        "deep_links",
        "comparison",
        "test_names",
        "printing",
        "themes",
        "structure",
        "accessibility",
    ];
    check_page("eight", &checks, &now, &past);
}

fn page_of_two_hundred_cells_works() {
    let checks = ["silence", "width", "filter", "deep_links", "test_names", "size"];
    check_page("many", &checks, &document::many_cells(), &[]);
}

fn page_escapes_hostile_text() {
    let checks = ["silence", "width", "without_javascript", "escaping", "comparison"];
    check_page("hostile", &checks, &document::hostile(), &document::hostile_past());
}

fn page_of_no_cells_works() {
    check_page("empty", &["silence", "width", "without_javascript"], &assemble(Vec::new(), Vec::new()), &[]);
}

crate::support::harness::register!(
    [Tool("venv/bin/python"), Program("chromium")]:
    page_escapes_hostile_text,
    page_of_eight_cells_works,
    page_of_no_cells_works,
    page_of_one_cell_works,
    page_of_two_hundred_cells_works,
);
