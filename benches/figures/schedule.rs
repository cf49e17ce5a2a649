//! Several cells at the same time.

use crate::measure::times;
use crate::room::{Room, facility};
use crate::table::{Limit, Row, Table};

const CELLS: usize = 8;
const JOBS: usize = 4;
const SECONDS: f64 = 0.5;

pub(crate) fn figures(table: &mut Table) {
    let places: String = (0..CELLS).map(|n| facility(&format!("place-{n}"), "busybox")).collect();
    let room = Room::new(&format!("[test]\nrun = \"sleep {SECONDS}\"\n{places}"));
    let took = times(3, || room.check_anew(&["--jobs", &JOBS.to_string()]));
    table.push(Row {
        what: format!("{CELLS} cells of {SECONDS} s, {JOBS} at a time"),
        figure: took.median() * 1e3,
        least: Some(took.least() * 1e3),
        unit: "ms",
        peer: Some(("ideal", SECONDS * 1e3 * (CELLS / JOBS) as f64)),
        limit: Limit::Ratio(1.2),
    });
}
