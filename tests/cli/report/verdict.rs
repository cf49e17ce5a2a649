//! The verdict, which decides the exit code.

use carnet::model::document::Status;
use carnet::model::verdict::{Verdict, verdict};

use crate::support::document_fixture::{assemble, cell, document};

fn of(statuses: &[Status]) -> Verdict {
    let cells = statuses.iter().map(|status| cell("here", *status, Vec::new())).collect();
    verdict(&assemble(cells, Vec::new()))
}

#[test]
fn a_failed_analysis_weighs_more_than_a_failed_place() {
    assert_eq!(of(&[Status::Passed, Status::Flaky, Status::Skipped]), Verdict::Good);
    assert_eq!(of(&[Status::Passed, Status::Error]), Verdict::Infrastructure);
    assert_eq!(of(&[Status::Failed, Status::Error]), Verdict::Analysis);
    assert_eq!(of(&[Status::Skipped]), Verdict::Nothing);
    assert_eq!(of(&[]), Verdict::Nothing);
    let codes = [Verdict::Good, Verdict::Analysis, Verdict::Nothing, Verdict::Infrastructure].map(Verdict::exit_code);
    assert_eq!(codes, [0, 1, 3, 4]);
}

#[test]
fn an_expected_failure_is_forgiven_and_a_place_is_not() {
    let mut document = document();
    document.cells.retain(|cell| ["laptop", "old-cluster"].contains(&cell.id.as_str()));
    assert_eq!(verdict(&document), Verdict::Good);
    document.cells[1].status = Status::Error;
    assert_eq!(verdict(&document), Verdict::Infrastructure);
}
