//! Reports of a large document.

use carnet::model::cell::Outcome;
use carnet::model::document::{Document, Status};
use carnet::report::{Format, Options};

use crate::report::render;
use crate::support::document_fixture::{assemble, case, cell, environment, old_environment, passed, step};

/// The formats that contain every cell.
const FORMATS: [Format; 5] = [Format::Human, Format::Json, Format::Junit, Format::Markdown, Format::Html];

fn large(cells: usize, tests: usize) -> Document {
    let (new, old) = (environment(), old_environment());
    let digests = [&new, &old].map(|env| env.digest().expect("JSON"));
    let trace = "E   assert 1 == 2\n".repeat(50);
    let cells = (0..cells).map(|i| {
        let mut cases = passed(tests - 5);
        let status = if i % 2 == 0 { Status::Passed } else { Status::Failed };
        let outcome = if i % 2 == 0 { Outcome::Passed } else { Outcome::Failed };
        cases.extend((0..5).map(|n| case(&format!("test_last[{n}]"), outcome, "assert 1 == 2", &trace)));
        let mut cell = cell(&format!("facility-{i}"), status, vec![step(cases)]);
        cell.environment = Some(digests[i % 2].clone());
        cell
    });
    assemble(cells.collect(), vec![new, old])
}

#[test]
fn report_of_a_large_document_contains_every_cell() {
    let document = large(20, 200);
    for format in FORMATS {
        let text = render(&document, format, &Options::default());
        for cell in &document.cells {
            assert!(text.contains(&cell.id), "no {} in {format}", cell.id);
        }
    }
}
