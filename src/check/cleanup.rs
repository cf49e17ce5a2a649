//! Removes leftovers of killed runs, and the caches.

use super::cache::ResultStore;
use super::input_dir;
use crate::engine;
use crate::model::engine::EngineKind;
use crate::model::text::count;
use crate::sys::cache::Cache;
use crate::sys::remove::{removal_line, remove_and_describe};

/// Removes leftovers of runs that have ended. With `all`, also removes unpacked images, cached setups and cached results.
///
/// Returns a line for each thing that was removed or could not be removed.
pub async fn clean(all: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(cache) = Cache::from_env() else { return lines };
    lines.extend(input_dir::remove_unused(&cache).iter().map(|(path, removed)| removal_line(path, removed)));
    for kind in EngineKind::ALL {
        lines.extend(engine::create(kind, &cache).clean(all).await);
    }
    match ResultStore::new(&cache).evict() {
        0 => {}
        n => lines.push(format!("removed {} to stay within the cache limits", count(n, "cached result"))),
    }
    if all {
        lines.extend(remove_and_describe(&cache.results()));
    }
    lines
}
