//! Results of cells, kept for later checks of the same thing: an unchanged check starts no cell.
//!
//! A result is kept when nothing but its key can have made it: tests that passed or failed, without network, in an image
//! whose content is known, with no directory of this machine in it. What the place did (`error`), what was not run, what
//! passed only when tried again and what a limit of time or memory ended is never kept.
//!
//! An entry is `results/<question>/<image>.json` in the cache: a line about the entry, with the digest of the rest, and the
//! result. An entry that is damaged, too large, or of another version or user counts as absent.

mod key;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use key::{Key, Question, Subject, passed};
pub(crate) use store::Store;

use crate::config::{Config, Facility};
use crate::model::cell::End;
use crate::model::document::{Cell, Status};
use crate::model::reference::Reference;

/// Whether a result of this cell could be kept at all: nothing it sees may change without its key.
pub(crate) fn is_pure(config: &Config, facility: &Facility) -> bool {
    let is_known = !matches!(facility.image, Reference::Host | Reference::Tree(_));
    is_known && !config.test.network && facility.contract.mounts.is_empty()
}

/// Whether this verdict is the analysis's own and would be the same again.
fn is_lasting(cell: &Cell) -> bool {
    let is_own = |end: &End| match end {
        // Who killed it can't be known; 137 is how a shell says that a program of its was.
        End::Exit { code } => *code != 137,
        End::Signal { signal } => *signal != 9,
        End::OutOfMemory {} | End::Timeout { .. } | End::NotStarted { .. } => false,
    };
    matches!(cell.status, Status::Passed | Status::Failed) && cell.steps.iter().all(|step| is_own(&step.end))
}
