//! The cache of cell results. A check of an unchanged analysis starts no cell.
//!
//! A result is cached only if its key determines it: tests that passed or failed, without network, in an image with a known
//! content, and without a mounted directory of this machine. Not cached are infrastructure errors, skipped cells, flaky
//! tests, steps that exceeded a time or memory limit, failures because of a full disk, and results without a limit that
//! this machine may enforce later.
//!
//! An entry is the file `results/<input key>/<image key>.json` in the cache directory. Its first line describes the entry
//! and contains the digest of the rest, which is the result. Entries of another version are ignored. Damaged entries are
//! reported and re-run.

mod key;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use key::{InputKey, ResultKey, TestSubject, passed_env};
pub(crate) use store::ResultStore;

use crate::config::{Config, Facility};
use crate::engine::job::part;
use crate::model::cell::{End, Step};
use crate::model::document::{Cell, Status};
use crate::model::reference::Reference;

/// Reports whether results of this cell can be cached: everything the cell reads must be part of the key.
pub(crate) fn is_cacheable(config: &Config, facility: &Facility) -> bool {
    let has_known_content = !matches!(facility.image, Reference::Host | Reference::Tree(_));
    has_known_content && !config.test.network && facility.contract.mounts.is_empty()
}

/// Reports whether the analysis determines this result, so that another run would have the same result.
fn is_reproducible(cell: &Cell) -> bool {
    let is_own = |end: &End| match end {
        // The sender of SIGKILL is unknown. Shells report a child's SIGKILL as exit code 137.
        End::Exit { code } => *code != 137,
        End::Signal { signal } => *signal != 9,
        End::OutOfMemory {} | End::Timeout { .. } | End::NotStarted { .. } => false,
    };
    matches!(cell.status, Status::Passed | Status::Failed)
        && cell.steps.iter().all(|step| is_own(&step.end))
        && !cell.not_enforced.iter().any(|entry| depends_on_machine(entry))
        && !cell.steps.iter().any(filled_disk)
}

/// Parts of the contract that a machine may enforce now and not later, or the reverse, with the same key: its control
/// groups, mounts and namespaces can change. A result that tests could have forged is among them.
const PARTS_OF_MACHINE: [&str; 8] =
    [part::MEMORY, part::PIDS, part::CPUS, part::DISK, part::NETWORK, part::ROOT, part::HOME, part::RESULT];

/// Reports whether an entry of `not_enforced` is about one of [`PARTS_OF_MACHINE`].
fn depends_on_machine(entry: &str) -> bool {
    entry.split_once(':').is_some_and(|(part, _)| PARTS_OF_MACHINE.contains(&part))
}

/// The messages of strerror(3) for ENOSPC and EDQUOT.
const FULL_DISK: [&str; 2] = ["No space left on device", "Disk quota exceeded"];

/// Reports whether a test failed because of a full disk: a message or the output of a failed step contains the error.
fn filled_disk(step: &Step) -> bool {
    let is_full = |text: &str| FULL_DISK.iter().any(|message| text.contains(message));
    let outputs = step.output.iter().chain(step.cases.iter().filter_map(|case| case.output.as_ref()));
    outputs.into_iter().any(|output| is_full(&output.text)) || step.cases.iter().any(|case| is_full(&case.message))
}
