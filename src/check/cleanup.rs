//! Removes leftovers of killed runs, and the caches.

use std::path::Path;

use super::cache::ResultStore;
use super::input_dir;
use crate::engine::docker::{self, Docker};
use crate::engine::embedded::Embedded;
use crate::engine::host::Host;
use crate::engine::{Availability, Engine as _, EngineError};
use crate::error::chain;
use crate::model::text::count;
use crate::sys::cache::Cache;
use crate::sys::remove::remove_tree;

/// Removes leftovers of runs that have ended. With `all`, also removes unpacked images, cached setups and cached results.
///
/// Returns a line for each thing that was removed or could not be removed.
pub async fn clean(all: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(cache) = Cache::from_env() else { return lines };
    lines.extend(input_dir::remove_unused(&cache).iter().map(|(path, removed)| removal_line(path, removed)));
    lines.extend(Host::here(&cache).incomplete_states().iter().filter_map(|dir| remove(dir)));
    match Embedded::new(cache.clone()).sweep() {
        Ok(runs) => lines.extend(runs.iter().map(|run| format!("removed leftovers of run {run}"))),
        Err(error) => {
            lines.push(format!("failed to remove leftovers of runs in {}: {error}", cache.dir().display()));
        }
    }
    match ResultStore::new(&cache).evict() {
        0 => {}
        n => lines.push(format!("removed {} over the limits of the cache", count(n, "cached result"))),
    }
    let docker = Docker::new(docker::Options::from_env());
    if let Availability::Ready(_) = docker.detect().await {
        lines.extend(docker_line(
            "Docker container or image of ended runs",
            "Docker containers and images of ended runs",
            docker.sweep().await,
        ));
        if all {
            lines.extend(docker_line(
                "cached setup in Docker",
                "cached setups in Docker",
                docker.remove_saved_states().await,
            ));
        }
    }
    if all {
        lines.extend(
            [cache.trees(), cache.kept(), cache.kept_host(), cache.results()].iter().filter_map(|dir| remove(dir)),
        );
    }
    lines
}

/// Returns a line about objects removed from Docker, or `None` if there were none.
fn docker_line(singular: &str, plural: &str, outcome: Result<usize, EngineError>) -> Option<String> {
    match outcome {
        Ok(0) => None,
        Ok(1) => Some(format!("removed 1 {singular}")),
        Ok(n) => Some(format!("removed {n} {plural}")),
        Err(error) => Some(format!("failed to remove {plural}: {}", chain(&error))),
    }
}

/// Removes a directory, if it exists, and returns a line about it.
fn remove(path: &Path) -> Option<String> {
    path.exists().then(|| removal_line(path, &remove_tree(path)))
}

fn removal_line(path: &Path, removed: &std::io::Result<()>) -> String {
    match removed {
        Ok(()) => format!("removed {}", path.display()),
        Err(error) => format!("failed to remove {}: {error}", path.display()),
    }
}
