//! Keeps the tests from the carnet process that runs them, which decides the verdict.

use rustix::process::{DumpableBehavior, dumpable_behavior, getpid, set_dumpable_behavior};

use super::command::Supervisor;
use crate::model::cell::RESULT_NOT_PROTECTED;
use crate::sys::capability;

/// Forbids other processes of the same user to trace this process and to open its descriptors (`PR_SET_DUMPABLE` in
/// prctl(2)). A program that this process starts can be traced.
pub(crate) fn hide() {
    // A failure becomes an entry of the result.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Calls `work` while this process is not hidden. The files of a hidden process in `/proc` belong to root, so it can't map its
/// own ids. No command may run meanwhile.
pub(super) fn suspend<T>(work: impl FnOnce() -> T) -> T {
    let _ = set_dumpable_behavior(DumpableBehavior::Dumpable);
    let outcome = work();
    hide();
    outcome
}

/// Returns the entry of `not_enforced` if tests can stop this process or change its result.
pub(super) fn missing(supervisor: &Supervisor) -> Option<String> {
    if supervisor.is_isolated() {
        return None;
    }
    let is_hidden = matches!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    let reason = if !getpid().is_init() {
        // The kernel protects only the first process of a container against signals from inside.
        "tests run in the process namespace of carnet and can stop it"
    } else if !is_hidden || capability::may_trace() {
        "tests can trace carnet"
    } else {
        return None;
    };
    Some(format!("{RESULT_NOT_PROTECTED}: {reason}"))
}
