//! Reports of a realistic document, in every format.

mod hostile;
mod human;
mod json;
mod junit;
mod markdown;
mod merge;
mod scan;
mod size;
mod verdict;

use crate::support::scan_fixture;
use carnet::model::document::Document;
use carnet::report::{self, Format, Options};

/// The document in a format.
fn render(document: &Document, format: Format, options: &Options) -> String {
    report::render(document, format, options).expect("a report")
}

/// The document with a scan, which some formats require.
fn with_scan(document: Document) -> Document {
    Document { scan: Some(scan_fixture::scan()), ..document }
}

/// Compares a long text with the snapshot of this name in `tests/data/report`.
#[track_caller]
fn assert_file_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../data/report");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
