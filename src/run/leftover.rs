//! What killed runs left behind, and what is kept for later runs.

use std::fs;
use std::path::Path;

use crate::engine::embedded::Embedded;
use crate::image::cache::Cache;
use crate::image::remove::remove_tree;

/// Removes what runs that no longer live left on this machine; with `all`, also unpacked images and kept set-ups.
/// Says in lines what was removed and what could not be.
pub async fn remove(all: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(cache) = Cache::from_env() else { return lines };
    stages(&cache, &mut lines);
    match Embedded::new(cache.clone()).sweep() {
        Ok(runs) => lines.extend(runs.iter().map(|run| format!("removed what was left of run {run}"))),
        Err(error) => lines.push(format!("could not remove all that runs left in {}: {error}", cache.dir().display())),
    }
    if all {
        for dir in [cache.trees(), cache.kept(), cache.dir().join("kept-host")] {
            removed(&dir, &mut lines);
        }
    }
    lines
}

/// Input directories are named after the process that made them.
fn stages(cache: &Cache, lines: &mut Vec<String>) {
    for entry in fs::read_dir(super::stage::parent(cache)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.split('-').next());
        let lives = owner.is_some_and(|pid| Path::new("/proc").join(pid).exists());
        if !lives {
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
