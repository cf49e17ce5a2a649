//! Ids of jobs.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::digest::Digest;
use crate::sys::clock;

/// Returns an id that is unique on this machine. It ends with the cell's name in a form that is safe in file names.
pub(super) fn unique_id(cell: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    let seed = format!("{}-{n}-{}", std::process::id(), clock::now().as_nanosecond());
    let slug: String =
        cell.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    format!("{}-{}", &Digest::of(seed.as_bytes()).hex()[..10], slug.chars().take(40).collect::<String>())
}
