//! File systems that do not respond. They are detected once, before anything is read, and never accessed again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::mount::{self, Mount};
use super::variable::list;
use crate::sys::bounded;

/// Time limit for all of them together, including mounts started by the automounter.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum number of tested mounts; login nodes have dozens.
const MAX_MOUNTS: usize = 256;

/// Returns the search directories and network mounts that do not respond.
pub(super) fn directories(mounts: &[Mount], env: &BTreeMap<String, String>, path: &[String]) -> Vec<PathBuf> {
    if !mount::any_may_block(mounts) {
        return Vec::new();
    }
    let value = |name: &&str| env.get(*name);
    let lists = ["PYTHONPATH", "LD_LIBRARY_PATH"].iter().filter_map(value).flat_map(|value| list(value));
    let single = ["CONDA_PREFIX", "HOME", "ROOTSYS", "VIRTUAL_ENV"].iter().filter_map(value).cloned();
    // Reading an automount point itself does not mount it and always responds.
    let network =
        mounts.iter().filter(|mount| mount::may_block(&mount.kind) && mount.kind != "autofs").take(MAX_MOUNTS);
    // Search paths are tested regardless of their mount, because a link may point to the network.
    let pending = path.iter().cloned().chain(lists).chain(single).chain(network.map(|mount| mount.point.clone()));
    let pending: BTreeSet<PathBuf> = pending.filter(|path| path.starts_with('/')).map(PathBuf::from).collect();
    let pending: Vec<_> = pending
        .into_iter()
        .map(|path| {
            let response = bounded::start({
                let path = path.clone();
                move || std::fs::metadata(path).is_ok()
            });
            (path, response)
        })
        .collect();
    let deadline = Instant::now() + TIMEOUT;
    let remaining = || deadline.saturating_duration_since(Instant::now());
    pending
        .into_iter()
        .filter(|(_, response)| response.recv_timeout(remaining()).is_err())
        .map(|(path, _)| path)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responding_directories_are_not_returned() {
        let env = BTreeMap::from([("HOME".to_owned(), "/nowhere".to_owned())]);
        let mounts = mount::parse("1 1 0:1 / / rw - fuse.x x rw");
        assert!(directories(&mounts, &env, &["/usr/bin".to_owned()]).is_empty());
    }
}
