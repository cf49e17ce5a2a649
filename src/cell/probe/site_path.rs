//! The state of site directories; an unresponsive mount never blocks the snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::file_tree::FileTree;
use super::mount::{self, Mount};
use super::variable::is_own;
use crate::model::runtime::SitePath;
use crate::sys::bounded;

/// Directories for data, software and homes that only some sites have.
const PATHS: &[&str] = &[
    "/Users",
    "/afs",
    "/afs/cern.ch",
    "/atlasgpfs01",
    "/ceph",
    "/cephfs",
    "/cvmfs",
    "/cvmfs/atlas.cern.ch",
    "/cvmfs/cms-griddata.cern.ch",
    "/cvmfs/cms.cern.ch",
    "/cvmfs/grid.cern.ch",
    "/cvmfs/oasis.opensciencegrid.org",
    "/cvmfs/sft.cern.ch",
    "/cvmfs/singularity.opensciencegrid.org",
    "/cvmfs/sw.hsf.org",
    "/cvmfs/unpacked.cern.ch",
    "/data",
    "/data/dust",
    "/depot",
    "/direct",
    "/eos",
    "/eos/atlas",
    "/eos/cms",
    "/eos/uscms",
    "/eos/user",
    "/global/cfs",
    "/gpfs",
    "/hadoop",
    "/hdfs",
    "/home",
    "/lscratch",
    "/lustre",
    "/nashome",
    "/nfs",
    "/nfs/dust",
    "/pnfs",
    "/pscratch",
    "/scratch",
    "/scratch365",
    "/sdf",
    "/usatlas",
    "/uscms",
    "/uscms_data",
    "/uscmst1b_scratch",
    "/work",
];

/// Time limit of a mount that the automounter starts on first access.
const AUTOMOUNT: Duration = Duration::from_secs(3);

/// Returns the state of every path in the list and of every mounted CVMFS repository.
pub(super) fn site_paths(root: &Arc<FileTree>, mounts: &[Mount]) -> BTreeMap<String, SitePath> {
    let repositories =
        mounts.iter().map(|m| m.point.as_str()).filter(|point| point.starts_with("/cvmfs/") && !point.contains("//"));
    let paths: BTreeSet<&str> = PATHS
        .iter()
        .copied()
        .chain(repositories.filter(|point| point.matches('/').count() == 2))
        .filter(|path| !is_own(path))
        .collect();
    let may_block = root.is_system() && mount::any_may_block(mounts);
    let mut out = BTreeMap::new();
    let start = Instant::now();
    let mut pending = Vec::new();
    for path in paths {
        let own_mount = mounts.iter().rev().find(|mount| mount.point == path);
        if own_mount.is_some_and(|mount| mount.kind != "autofs") {
            out.insert(path.to_owned(), SitePath::Mount);
            continue;
        }
        let automounted =
            mounts.iter().any(|mount| mount.kind == "autofs" && Path::new(path).starts_with(&mount.point));
        let (root, name) = (Arc::clone(root), path.to_owned());
        pending.push((path, automounted, bounded::start_where(may_block, move || inspect(&root, &name))));
    }
    for (path, automounted, answer) in pending {
        let limit = if automounted { AUTOMOUNT } else { bounded::FILE_SYSTEM };
        // All were started at once and share the time limit.
        let remaining = limit.saturating_sub(start.elapsed());
        out.insert(path.to_owned(), answer.recv_timeout(remaining).unwrap_or(SitePath::Denied));
    }
    out
}

fn inspect(root: &FileTree, path: &str) -> SitePath {
    let state = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SitePath::Absent,
        _ => SitePath::Denied,
    };
    let found = match root.metadata(path) {
        Ok(found) => found,
        Err(error) => return state(&error),
    };
    let parent = Path::new(path).parent().and_then(|parent| root.metadata(parent).ok());
    if root.is_system() && parent.is_some_and(|parent| parent.dev() != found.dev()) {
        return SitePath::Mount;
    }
    if !found.is_dir() {
        return SitePath::Directory;
    }
    match root.is_empty(path) {
        Ok(true) => SitePath::Empty,
        Ok(false) => SitePath::Directory,
        Err(error) => state(&error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::mount;
    use super::*;

    #[test]
    fn mounts_directories_and_mount_points_are_distinguished() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(dir.path().join("data/x")).expect("directories");
        fs::create_dir_all(dir.path().join("eos")).expect("directories");
        let root = Arc::new(FileTree::new(dir.path()));
        let mounts =
            mount::parse("1 1 0:1 / /cvmfs/my.repo rw - fuse cvmfs2 ro\n2 1 0:1 / /cvmfs/a/b rw - fuse cvmfs2 ro");
        let got = site_paths(&root, &mounts);
        assert_eq!(got["/data"], SitePath::Directory);
        assert_eq!(got["/eos"], SitePath::Empty);
        assert_eq!(got["/afs"], SitePath::Absent);
        assert_eq!(got["/cvmfs/my.repo"], SitePath::Mount);
        assert!(!got.contains_key("/cvmfs/a/b"));
    }
}
