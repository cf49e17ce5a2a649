//! A large document; `make bench` has the figures of a larger one.

use carnet::model::cell::Outcome;
use carnet::model::document::{Document, Status};
use carnet::report::{self, Format, Options};

use crate::support::document_fixture::{assemble, case, cell, environment, old_environment, passed, step};

fn large(cells: usize, tests: usize) -> Document {
    let (new, old) = (environment(), old_environment());
    let digests = [&new, &old].map(|env| env.digest().expect("JSON"));
    let trace = "E   assert 1 == 2\n".repeat(50);
    let cells = (0..cells).map(|i| {
        let mut cases = passed(tests - 5);
        let status = if i % 2 == 0 { Status::Passed } else { Status::Failed };
        let outcome = if i % 2 == 0 { Outcome::Passed } else { Outcome::Failed };
        cases.extend((0..5).map(|n| case(&format!("test_last[{n}]"), outcome, "assert 1 == 2", &trace)));
        let mut cell = cell(&format!("place-{i}"), status, vec![step(cases)]);
        cell.environment = Some(digests[i % 2].clone());
        cell
    });
    assemble(cells.collect(), vec![new, old])
}

/// The formats that tell of every cell.
const OF_CELLS: [Format; 5] = [Format::Human, Format::Json, Format::Junit, Format::Markdown, Format::Html];

#[test]
fn a_large_document_renders_in_every_format() {
    let document = large(20, 200);
    for format in OF_CELLS {
        let text = report::render(&document, format, &Options::default()).expect("renders");
        assert!(text.contains("place-19"), "{format}");
    }
}
