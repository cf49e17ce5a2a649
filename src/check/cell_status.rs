//! Determines the status of a cell from its result.

use super::redact;
use crate::cell::suite;
use crate::config::{Expectation, Facility};
use crate::model::cell::{CellResult, End, Step};
use crate::model::document::{Cell, Status};

/// Returns a cell that did not run its tests, with the reason.
pub(super) fn not_run(facility: &Facility, reason: &str) -> Cell {
    let mut contract = facility.contract.clone();
    redact::redact_env(&mut contract.env);
    Cell::not_run(facility.cell(), facility.id.clone(), facility.role.clone(), contract, reason)
}

/// Copies a result into the cell and sets its status.
pub(super) fn apply_result(cell: &mut Cell, result: CellResult) {
    cell.steps.extend(result.steps);
    cell.inputs = result.inputs;
    cell.outputs = result.outputs;
    cell.not_enforced.extend(result.not_enforced);
    cell.timing.inside = result.timing;
    let counts = cell.counts();
    cell.hint = result.trouble.as_deref().and_then(suite::hint).map(str::to_owned);
    let failed_step = cell.steps.iter().find(|step| !step.end.is_success());
    (cell.status, cell.reason) = if let Some(trouble) = result.trouble {
        (Status::Error, Some(trouble))
    } else if counts.failures() > 0 {
        (Status::Failed, None)
    } else if let Some(step) = failed_step {
        (Status::Failed, Some(describe_end(step)))
    } else if counts.total() == 0 {
        (Status::Failed, Some("no test ran".to_owned()))
    } else if counts.flaky > 0 {
        (Status::Flaky, None)
    } else {
        (Status::Passed, None)
    };
}

/// Marks killed steps as out of memory. Only the engine can detect this if the counter of the control group is not
/// visible inside.
pub(super) fn mark_out_of_memory(result: &mut CellResult) {
    let is_killed = |end: &End| matches!(end, End::Signal { signal: 9 } | End::Exit { code: 137 });
    for step in result.steps.iter_mut().filter(|step| is_killed(&step.end)) {
        step.end = End::OutOfMemory {};
        for case in step.cases.iter_mut().filter(|case| case.class == step.name && case.name == step.name) {
            case.message = "killed: memory limit exceeded".to_owned();
        }
    }
}

/// Describes how a step ended.
fn describe_end(step: &Step) -> String {
    let name = &step.name;
    match &step.end {
        End::Exit { code } => format!("{name}: exit code {code}"),
        End::Signal { signal } => format!("{name}: killed by signal {signal}"),
        End::OutOfMemory {} => format!("{name}: exceeded the memory limit"),
        End::Timeout { seconds } => format!("{name}: killed after the timeout of {seconds} s"),
        End::NotStarted { reason } => format!("{name}: not started: {reason}"),
    }
}

/// Marks a failed cell as an expected failure, unless the expectation has expired.
pub(crate) fn apply_expectation(cell: &mut Cell, expect: Option<&Expectation>, today: jiff::civil::Date) {
    let Some(expect) = expect else { return };
    if cell.status != Status::Failed {
        return;
    }
    match expect.until {
        Some(until) if until < today => {
            cell.hint =
                Some(format!("expected failure ({}) expired on {until}; fix it or extend `until`", expect.may_fail));
        }
        _ => cell.expected_failure = Some(expect.may_fail.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::{apply_expectation, apply_result, not_run};
    use crate::check::plan::this_machine;
    use crate::config::Expectation;
    use crate::model::cell::{self, CellResult, CellTiming, End, Outcome, Seconds, Step, TestCase};
    use crate::model::document::{Cell, Status};

    fn cell_with(outcomes: &[Outcome], end: End) -> Cell {
        let case = |outcome: &Outcome| TestCase {
            name: "t".to_owned(),
            class: "c".to_owned(),
            file: None,
            line: None,
            outcome: *outcome,
            message: String::new(),
            output: None,
            tried_network: false,
            timing: Seconds::default(),
        };
        let step = Step {
            name: "pytest".to_owned(),
            kind: None,
            run: "pytest".to_owned(),
            end,
            attempts: 1,
            output: None,
            cases: outcomes.iter().map(case).collect(),
            unread: None,
            timing: Seconds::default(),
        };
        let result = CellResult {
            schema: cell::SCHEMA.to_owned(),
            version: String::new(),
            cell: "host".to_owned(),
            environment: None,
            steps: vec![step],
            inputs: Vec::new(),
            outputs: Vec::new(),
            not_enforced: Vec::new(),
            trouble: None,
            timing: CellTiming::default(),
        };
        let mut cell = not_run(&this_machine(), "");
        apply_result(&mut cell, result);
        cell
    }

    #[test]
    fn status_follows_the_worst_test_case() {
        let exit = |code| End::Exit { code };
        assert_eq!(cell_with(&[Outcome::Passed], exit(0)).status, Status::Passed);
        assert_eq!(cell_with(&[Outcome::Passed, Outcome::Flaky], exit(0)).status, Status::Flaky);
        assert_eq!(cell_with(&[Outcome::Passed, Outcome::Failed], exit(1)).status, Status::Failed);
        let without_failed_case = cell_with(&[Outcome::Passed], exit(3));
        assert_eq!(
            (without_failed_case.status, without_failed_case.reason.as_deref()),
            (Status::Failed, Some("pytest: exit code 3"))
        );
        assert_eq!(cell_with(&[], exit(0)).reason.as_deref(), Some("no test ran"));
    }

    #[test]
    fn expected_failure_expires_after_its_date() {
        let expect =
            |day| Expectation { may_fail: "old numpy".to_owned(), until: Some(jiff::civil::date(2027, 1, day)) };
        let today = jiff::civil::date(2027, 1, 15);
        let mut cell = cell_with(&[Outcome::Failed], End::Exit { code: 1 });
        apply_expectation(&mut cell, Some(&expect(14)), today);
        assert_eq!(cell.expected_failure, None);
        apply_expectation(&mut cell, Some(&expect(15)), today);
        assert_eq!(cell.expected_failure.as_deref(), Some("old numpy"));
    }
}
