//! Reports of a static audit, in every format.

mod annotation;
pub(crate) mod fixture;
mod hostile;
mod human;
mod junit;
mod markdown;
mod sarif;
mod schema;

use carnet::model::scan::Scan;
use carnet::report::Options;
use carnet::report::{Format, render_scan};

/// The audit in a format.
pub(crate) fn render(scan: &Scan, format: Format) -> String {
    render_scan(format, scan, &Options::default()).expect("it has this form")
}
