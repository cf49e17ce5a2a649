//! Reports of a static scan, in every format.

mod annotation;
mod hostile;
mod human;
mod junit;
mod markdown;
mod sarif;
mod schema;

use carnet::model::scan::Scan;
use carnet::report::Options;
use carnet::report::{Format, render_scan};

/// The scan in a format.
pub(crate) fn render(scan: &Scan, format: Format) -> String {
    render_scan(format, scan, &Options::default()).expect("a report")
}
