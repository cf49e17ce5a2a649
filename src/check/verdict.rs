//! From what came back to the verdict of a cell.

use super::secret;
use crate::config::{Expectation, Facility};
use crate::model::cell::{CellResult, End, Step};
use crate::model::document::{Cell, Status};

/// A cell that did not get to its tests because of the place.
pub(super) fn not_run(facility: &Facility, reason: &str) -> Cell {
    let mut contract = facility.contract.clone();
    secret::redact(&mut contract.env);
    Cell::not_run(facility.cell(), facility.id.clone(), facility.role.clone(), contract, reason)
}

/// Takes over what a cell brought back, and judges it.
pub(super) fn judge(cell: &mut Cell, result: CellResult) {
    cell.steps.extend(result.steps);
    cell.inputs = result.inputs;
    cell.outputs = result.outputs;
    cell.not_enforced.extend(result.not_enforced);
    cell.timing.inside = result.timing;
    let counts = cell.counts();
    let broken = cell.steps.iter().find(|step| !step.end.is_success());
    (cell.status, cell.reason) = if let Some(trouble) = result.trouble {
        (Status::Error, Some(trouble))
    } else if counts.bad() > 0 {
        (Status::Failed, None)
    } else if let Some(step) = broken {
        (Status::Failed, Some(describe(step)))
    } else if counts.total() == 0 {
        (Status::Failed, Some("no test was run".to_owned()))
    } else if counts.flaky > 0 {
        (Status::Flaky, None)
    } else {
        (Status::Passed, None)
    };
}

/// Says of steps that were killed that it was for want of memory. Only the engine has seen that where the counter of
/// the control group isn't shown inside.
pub(super) fn blame_memory(result: &mut CellResult) {
    let killed = |end: &End| matches!(end, End::Signal { signal: 9 } | End::Exit { code: 137 });
    for step in result.steps.iter_mut().filter(|step| killed(&step.end)) {
        step.end = End::OutOfMemory {};
        for case in step.cases.iter_mut().filter(|case| case.class == step.name && case.name == step.name) {
            case.message = "killed: over the memory limit".to_owned();
        }
    }
}

/// How a step ended, in words.
pub(super) fn describe(step: &Step) -> String {
    let name = &step.name;
    match &step.end {
        End::Exit { code } => format!("{name}: exit code {code}"),
        End::Signal { signal } => format!("{name}: killed by signal {signal}"),
        End::OutOfMemory {} => format!("{name}: over the memory limit"),
        End::Timeout { seconds } => format!("{name}: still running after {seconds} s, killed"),
        End::NotStarted { reason } => format!("{name}: not started: {reason}"),
    }
}

/// Notes the expectation that forgives a failure, unless its day is past.
pub(crate) fn forgive(cell: &mut Cell, expect: Option<&Expectation>, today: jiff::civil::Date) {
    let Some(expect) = expect else { return };
    if cell.status != Status::Failed {
        return;
    }
    match expect.until {
        Some(until) if until < today => {
            cell.hint = Some(format!("it was forgiven until {until} ({}): mend it, or renew that", expect.may_fail));
        }
        _ => cell.forgiven = Some(expect.may_fail.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::{forgive, judge, not_run};
    use crate::check::plan::this_machine;
    use crate::config::Expectation;
    use crate::model::cell::{self, CellResult, CellTiming, End, Outcome, Seconds, Step, TestCase};
    use crate::model::document::{Cell, Status};

    fn judged(outcomes: &[Outcome], end: End) -> Cell {
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
        judge(&mut cell, result);
        cell
    }

    #[test]
    fn the_worst_case_decides() {
        let exit = |code| End::Exit { code };
        assert_eq!(judged(&[Outcome::Passed], exit(0)).status, Status::Passed);
        assert_eq!(judged(&[Outcome::Passed, Outcome::Flaky], exit(0)).status, Status::Flaky);
        assert_eq!(judged(&[Outcome::Passed, Outcome::Failed], exit(1)).status, Status::Failed);
        let silent = judged(&[Outcome::Passed], exit(3));
        assert_eq!((silent.status, silent.reason.as_deref()), (Status::Failed, Some("pytest: exit code 3")));
        assert_eq!(judged(&[], exit(0)).reason.as_deref(), Some("no test was run"));
    }

    #[test]
    fn forgiveness_ends_on_its_day() {
        let expect =
            |day| Expectation { may_fail: "old numpy".to_owned(), until: Some(jiff::civil::date(2027, 1, day)) };
        let today = jiff::civil::date(2027, 1, 15);
        let mut cell = judged(&[Outcome::Failed], End::Exit { code: 1 });
        forgive(&mut cell, Some(&expect(14)), today);
        assert_eq!(cell.forgiven, None);
        forgive(&mut cell, Some(&expect(15)), today);
        assert_eq!(cell.forgiven.as_deref(), Some("old numpy"));
    }
}
