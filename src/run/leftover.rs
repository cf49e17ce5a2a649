//! What killed runs left behind, and what is kept for later runs.

use std::fs;
use std::path::Path;

use crate::engine::docker::{self, Docker};
use crate::engine::embedded::Embedded;
use crate::engine::host::Host;
use crate::engine::{Availability, Engine as _, EngineError};
use crate::error::chain;
use crate::image::cache::Cache;
use crate::image::remove::remove_tree;

/// Removes what runs that no longer live left on this machine; with `all`, also unpacked images and kept set-ups.
/// Says in lines what was removed and what could not be.
pub async fn remove(all: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(cache) = Cache::from_env() else { return lines };
    stages(&cache, &mut lines);
    for dir in Host::here(&cache).half_made() {
        removed(&dir, &mut lines);
    }
    match Embedded::new(cache.clone()).sweep() {
        Ok(runs) => lines.extend(runs.iter().map(|run| format!("removed what was left of run {run}"))),
        Err(error) => lines.push(format!("could not remove all that runs left in {}: {error}", cache.dir().display())),
    }
    let docker = Docker::new(docker::Options::from_env());
    if let Availability::Ready(_) = docker.detect().await {
        lines.extend(counted("containers and images of dead runs", docker.sweep().await));
        if all {
            lines.extend(counted("kept set-ups in Docker", docker.forget_kept().await));
        }
    }
    if all {
        for dir in [cache.trees(), cache.kept(), cache.dir().join("kept-host")] {
            removed(&dir, &mut lines);
        }
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

/// Input directories are held by the process that made them, which may run on another machine with the same home.
fn stages(cache: &Cache, lines: &mut Vec<String>) {
    for entry in fs::read_dir(super::stage::parent(cache)).into_iter().flatten().flatten() {
        let is_held = fs::File::open(entry.path()).is_ok_and(|dir| dir.try_lock().is_err());
        if !is_held {
            removed(&entry.path(), lines);
        }
    }
}

fn removed(path: &Path, lines: &mut Vec<String>) {
    if !path.exists() {
        return;
    }
    lines.push(match remove_tree(path) {
        Ok(()) => format!("removed {}", path.display()),
        Err(error) => format!("could not remove {}: {error}", path.display()),
    });
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::stages;
    use crate::image::cache::Cache;

    #[test]
    fn an_input_directory_goes_when_nobody_holds_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let stage = dir.path().join("stage");
        // Process 1 always lives, but did not make this.
        for name in ["1-dead", "1-held"] {
            fs::create_dir_all(stage.join(name)).expect("a directory");
        }
        let held = fs::File::open(stage.join("1-held")).expect("a directory");
        held.lock().expect("a lock");
        let mut lines = Vec::new();
        stages(&Cache::at(dir.path().to_owned()), &mut lines);
        assert_eq!(lines, [format!("removed {}", stage.join("1-dead").display())]);
        assert!(stage.join("1-held").exists());
    }
}
