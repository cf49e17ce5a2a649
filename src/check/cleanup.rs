//! What killed runs left behind, and what is kept for later runs.

use std::path::Path;

use super::cache::Store;
use super::stage;
use crate::engine::docker::{self, Docker};
use crate::engine::embedded::Embedded;
use crate::engine::host::Host;
use crate::engine::{Availability, Engine as _, EngineError};
use crate::error::chain;
use crate::sys::cache::Cache;
use crate::sys::remove::remove_tree;

/// Removes what runs that no longer live left on this machine; with `all`, also unpacked images, kept set-ups and
/// results.
/// Says in lines what was removed and what could not be.
pub async fn remove(all: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(cache) = Cache::from_env() else { return lines };
    lines.extend(stage::sweep(&cache).iter().map(|(path, removed)| said(path, removed)));
    lines.extend(Host::here(&cache).incomplete_states().iter().filter_map(|dir| removed(dir)));
    match Embedded::new(cache.clone()).sweep() {
        Ok(runs) => lines.extend(runs.iter().map(|run| format!("removed what was left of run {run}"))),
        Err(error) => lines.push(format!("could not remove all that runs left in {}: {error}", cache.dir().display())),
    }
    lines.extend(match Store::of(&cache).bound() {
        0 => None,
        n => Some(format!("removed {n} results that are too old or too many")),
    });
    let docker = Docker::new(docker::Options::from_env());
    if let Availability::Ready(_) = docker.detect().await {
        lines.extend(counted("containers and images of dead runs", docker.sweep().await));
        if all {
            lines.extend(counted("kept set-ups in Docker", docker.remove_saved_states().await));
        }
    }
    if all {
        lines.extend(
            [cache.trees(), cache.kept(), cache.kept_host(), cache.results()].iter().filter_map(|dir| removed(dir)),
        );
    }
    lines
}

/// A line for what a daemon was asked to remove; none when there was nothing.
fn counted(what: &str, outcome: Result<usize, EngineError>) -> Option<String> {
    match outcome {
        Ok(0) => None,
        Ok(n) => Some(format!("removed {n} {what}")),
        Err(error) => Some(format!("could not remove {what}: {}", chain(&error))),
    }
}

fn removed(path: &Path) -> Option<String> {
    path.exists().then(|| said(path, &remove_tree(path)))
}

fn said(path: &Path, removed: &std::io::Result<()>) -> String {
    match removed {
        Ok(()) => format!("removed {}", path.display()),
        Err(error) => format!("could not remove {}: {error}", path.display()),
    }
}
