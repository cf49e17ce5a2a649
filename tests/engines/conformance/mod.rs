//! The conformance list: cases that every engine passes.
//!
//! A case is data ([`cases`]): a script for the image's `/bin/sh`, the settings of the job, and the expected result. After every
//! run the runner checks that nothing of it is left. A [`subject::Subject`] declares what its engine cannot do, with the reason.

mod case;
mod cases;
mod docker;
mod embedded;
mod host;
mod job_dirs;
mod runner;
mod subject;
mod unprivileged;

use libtest_mimic::{Completion, Trial};

use crate::support::harness::{Requirement, trial};
use subject::Subject;

/// The name of an engine, what it requires, and its subject.
type Engine = (&'static str, &'static [Requirement], fn() -> Subject);

/// One test for each case on each engine.
pub(crate) fn trials() -> Vec<Trial> {
    const BUSYBOX: Requirement = Requirement::Image("busybox");
    let subjects: [Engine; 4] = [
        ("docker::bound", &[Requirement::Docker, BUSYBOX], docker::bound),
        ("docker::sent", &[Requirement::Docker, BUSYBOX], docker::sent),
        ("embedded", &[BUSYBOX], embedded::subject),
        ("host", &[], host::subject),
    ];
    let mut trials = Vec::new();
    for (engine, requires, make) in subjects {
        for case in cases::all() {
            let name = format!("conformance::{engine}::{}", case.name);
            trials.push(trial(name, requires, move || match runner::run(&make(), &case) {
                runner::Ended::Completed => Completion::Completed,
                runner::Ended::NotApplicable(reason) => Completion::ignored_with(reason),
            }));
        }
    }
    trials
}
