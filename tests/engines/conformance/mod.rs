//! The conformance list: cases that every engine passes.
//!
//! A case is data ([`cases`]): a script for the image's `/bin/sh`, the settings of the job, and the expected result. After every
//! run the runner checks that nothing of it is left. A [`subject::Subject`] declares what its engine cannot do, with the reason.

mod case;
mod cases;
mod job_dirs;
mod runner;
mod subject;
mod subjects;
mod unprivileged;

use libtest_mimic::{Completion, Trial};

use crate::support::harness::trial;

/// One test for each case on each engine.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (engine, requires, make) in subjects::all() {
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
