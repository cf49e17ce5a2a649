//! The cache of cell results. A check of an unchanged analysis starts no cell.
//!
//! A result is cached only if its key determines it: tests that passed or failed, without network, in an image with a known
//! content, and without a mounted directory of this machine. Not cached are infrastructure errors, skipped cells, flaky
//! tests, and steps that exceeded a time or memory limit.
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
use crate::model::cell::End;
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
    matches!(cell.status, Status::Passed | Status::Failed) && cell.steps.iter().all(|step| is_own(&step.end))
}
