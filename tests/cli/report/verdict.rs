//! The verdict, which determines the exit code.

use carnet::model::document::Status;
use carnet::model::verdict::{Verdict, verdict};

use crate::support::document_fixture::{assemble, cell, document};

fn of(statuses: &[Status]) -> Verdict {
    let cells = statuses.iter().map(|status| cell("here", *status, Vec::new())).collect();
    verdict(&assemble(cells, Vec::new()))
}

#[test]
fn failure_of_the_analysis_takes_precedence_over_infrastructure_errors() {
    assert_eq!(of(&[Status::Passed, Status::Flaky, Status::Skipped]), Verdict::Good);
    assert_eq!(of(&[Status::Passed, Status::Error]), Verdict::Infrastructure);
    assert_eq!(of(&[Status::Failed, Status::Error]), Verdict::Analysis);
    assert_eq!(of(&[Status::Skipped]), Verdict::Nothing);
    assert_eq!(of(&[]), Verdict::Nothing);
    let codes = [Verdict::Good, Verdict::Analysis, Verdict::Nothing, Verdict::Infrastructure].map(Verdict::exit_code);
    assert_eq!(codes, [0, 1, 3, 4]);
}

#[test]
fn expected_failure_does_not_cover_infrastructure_errors() {
    let mut document = document();
    document.cells.retain(|cell| matches!(cell.id.as_str(), "laptop" | "old-cluster"));
    assert_eq!(verdict(&document), Verdict::Good);
    document.cells[1].status = Status::Error;
    assert_eq!(verdict(&document), Verdict::Infrastructure);
}
