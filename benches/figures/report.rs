//! Reports of a large document: reading, rendering and writing.

use std::fs;

use serde_json::{Value, json};

use crate::measure::{Times, output, peak, times};
use crate::room::{CARNET, Room, facility};
use crate::table::{Limit, Row, Table};

const CELLS: usize = 200;
const TESTS: usize = 2000;
/// Number of failed tests in every second cell, each with a traceback.
const FAILED: usize = 5;
const RUNS: usize = 3;

pub(crate) fn figures(table: &mut Table) {
    let room = Room::new(&format!(
        "[test]\nrun = \"true\"\n{}{}",
        facility("place-0", "busybox"),
        facility("place-1", "bookworm-coffea")
    ));
    room.check(&[]);
    let file = room.path("large.json");
    fs::write(&file, serde_json::to_vec_pretty(&large(room.document())).expect("JSON")).expect("a file");
    let script = "import json, sys; json.load(open(sys.argv[1]))";
    let python = times(RUNS, || {
        output(std::process::Command::new("python3").args(["-c", script]).arg(&file));
    });
    for format in ["human", "json", "junit", "markdown", "html"] {
        let mut command = std::process::Command::new(CARNET);
        command.args(["report", "--format", format, "--output"]).arg(room.path("report")).arg(&file);
        let runs: Vec<_> = (0..RUNS).map(|_| peak(&command)).collect();
        let took = Times::new(runs.iter().map(|(took, _)| took.as_secs_f64()).collect());
        let what = format!("report of {CELLS} cells x {TESTS} tests, {format}");
        table.push(Row {
            what: what.clone(),
            figure: took.median() * 1e3,
            least: Some(took.least() * 1e3),
            unit: "ms",
            peer: Some(("json.load in Python", python.median() * 1e3)),
            limit: Limit::Figure(1000.0),
        });
        table.push(Row {
            what: format!("{what}, peak memory"),
            figure: runs.iter().map(|(_, peak)| *peak).fold(0.0, f64::max),
            least: None,
            unit: "MiB",
            peer: None,
            limit: Limit::Figure(256.0),
        });
    }
}

/// Returns a document with many copies of two cells.
fn large(mut document: Value) -> Value {
    let small = document["cells"].as_array().cloned().expect("cells");
    let trace = "E   assert 1 == 2\n".repeat(50);
    let case = |n: usize, failed: bool| {
        let mut case = json!({
            "class": "tests.test_selection", "name": format!("test_muon[{n}]"), "outcome": "passed",
            "timing": { "seconds": 0.001 },
        });
        if failed {
            case["outcome"] = "failed".into();
            case["message"] = "assert 1 == 2".into();
            case["output"] = json!({ "text": trace });
        }
        case
    };
    let cells = (0..CELLS).map(|at| {
        let bad = at % 2 == 1;
        let mut cell = small[at % 2].clone();
        for key in ["id", "facility"] {
            cell[key] = format!("place-{at}").into();
        }
        cell["status"] = if bad { "failed" } else { "passed" }.into();
        cell["steps"][0]["cases"] = (0..TESTS).map(|n| case(n, bad && n < FAILED)).collect();
        cell
    });
    document["cells"] = cells.collect();
    document["diffs"] = json!([]);
    document
}
