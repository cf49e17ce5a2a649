//! File systems that don't answer: found once, before anything else is read, and never touched again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::bounded;
use super::mount::{self, Mount};
use super::variable::list;

/// What all of them together are given; mounts that the automounter brings up on the way included.
const LIMIT: Duration = Duration::from_secs(2);
/// Mounts looked at; a login node has some dozens.
const MAX_MOUNTS: usize = 256;

/// Directories that programs would search and mounts from the network that don't answer.
pub(super) fn directories(mounts: &[Mount], env: &BTreeMap<String, String>, path: &[String]) -> Vec<PathBuf> {
    if !mount::any_may_block(mounts) {
        return Vec::new();
    }
    let value = |name: &&str| env.get(*name);
    let lists = ["PYTHONPATH", "LD_LIBRARY_PATH"].iter().filter_map(value).flat_map(|value| list(value));
    let single = ["CONDA_PREFIX", "HOME", "ROOTSYS", "VIRTUAL_ENV"].iter().filter_map(value).cloned();
    // A look at an automounter's own point mounts nothing, and it always answers.
    let network =
        mounts.iter().filter(|mount| mount::may_block(&mount.kind) && mount.kind != "autofs").take(MAX_MOUNTS);
    // Search paths are asked wherever they seem to lie: a link may lead them to the network.
    let asked = path.iter().cloned().chain(lists).chain(single).chain(network.map(|mount| mount.point.clone()));
    let asked: BTreeSet<PathBuf> = asked.filter(|path| path.starts_with('/')).map(PathBuf::from).collect();
    let asked: Vec<_> = asked
        .into_iter()
        .map(|path| {
            let answer = bounded::start({
                let path = path.clone();
                move || std::fs::metadata(path).is_ok()
            });
            (path, answer)
        })
        .collect();
    let deadline = Instant::now() + LIMIT;
    let left = || deadline.saturating_duration_since(Instant::now());
    asked.into_iter().filter(|(_, answer)| answer.recv_timeout(left()).is_err()).map(|(path, _)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_that_answer_are_not_dead() {
        let env = BTreeMap::from([("HOME".to_owned(), "/nowhere".to_owned())]);
        let mounts = mount::parse("1 1 0:1 / / rw - fuse.x x rw");
        assert!(directories(&mounts, &env, &["/usr/bin".to_owned()]).is_empty());
    }
}
