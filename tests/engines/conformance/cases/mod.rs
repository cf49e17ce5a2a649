//! The cases. On the host engine, which enforces less, they leave nothing on this machine either.

mod file;
mod keep;
mod limit;
mod process;
mod user;

use crate::conformance::case::Case;

/// All cases.
pub(crate) fn all() -> impl Iterator<Item = Case> {
    [process::CASES, limit::CASES, file::CASES, user::CASES, keep::CASES].into_iter().flatten().map(|case| Case {
        name: case.name,
        steps: case.steps,
        together: case.together,
    })
}
