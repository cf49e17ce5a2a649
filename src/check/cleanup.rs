//! Removes leftovers of killed runs, and the caches.

use super::cache::ResultStore;
use super::input_dir;
use crate::engine;
use crate::image::unpack;
use crate::model::engine::EngineKind;
use crate::model::text::count;
use crate::sys::cache::Cache;
use crate::sys::remove::remove_and_describe;

/// Removes leftovers of runs that have ended. With `all`, also removes unpacked images, cached setups and cached results.
///
/// Returns a line for each thing that was removed or could not be removed.
pub async fn clean(all: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(cache) = Cache::from_env() else { return lines };
    lines.extend(remove_unused(&cache));
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

/// Removes leftovers of killed runs on this machine, which only requires to list a few directories if there are none.
///
/// Returns a line for each thing that was removed or could not be removed.
pub(super) async fn sweep(cache: &Cache) -> Vec<String> {
    let mut lines = remove_unused(cache);
    for kind in EngineKind::ALL.into_iter().filter(|kind| *kind != EngineKind::Docker) {
        lines.extend(engine::create(kind, cache).clean(false).await);
    }
    lines
}

/// Removes leftovers in Docker, which requires a connection.
pub(super) async fn sweep_docker(cache: &Cache) -> Vec<String> {
    engine::create(EngineKind::Docker, cache).clean(false).await
}

/// Removes unused input directories and partial trees of images.
fn remove_unused(cache: &Cache) -> Vec<String> {
    [input_dir::remove_unused(cache), unpack::remove_partial_trees(cache)].concat()
}
