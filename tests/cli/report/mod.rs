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
    report::render(document, format, options).expect("writing into memory works")
}

/// The document with an audit, which some formats are of alone.
fn audited(document: Document) -> Document {
    Document { scan: Some(scan_fixture::scan()), ..document }
}

/// Compares with the file of that name under `tests/data/report`.
fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../data/report");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
