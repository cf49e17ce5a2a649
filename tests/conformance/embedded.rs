//! The engine without a daemon, as whoever runs the tests: root, or an ordinary user.

use std::path::{Path, PathBuf};

use carnet::engine::embedded::Embedded;
use carnet::engine::job::part;
use carnet::image::cache::Cache;
use carnet::image::remove::remove_tree;

use crate::subject::{Subject, busybox};

/// An ordinary user can't limit, and owns the image's files whatever user the program has.
const USER_LACKS: &[&str] = &[part::MEMORY, part::PIDS, part::CPUS, part::USER];

fn subject() -> Option<Subject> {
    let root = nix::unistd::geteuid().is_root();
    let cache = std::env::var_os("CARNET_TEST_CACHE")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("embedded"), PathBuf::from);
    let engine =
        Embedded::new(Cache::at(cache.clone())).with_helper(Path::new(env!("CARGO_BIN_EXE_carnet")).to_owned());
    let forgotten = cache.join("kept");
    Some(Subject {
        engine: Box::new(engine),
        image: busybox(),
        lacks: if root { &[] } else { USER_LACKS },
        moot: &[],
        leftovers: Box::new(move |name| {
            let groups = ["memory", "pids", "cpu", ""].map(|c| Path::new("/sys/fs/cgroup").join(c));
            let dirs = [cache.join("kept"), cache.join("runs")].into_iter().chain(groups);
            dirs.flat_map(|dir| names(&dir)).filter(|entry| entry.contains(name)).collect()
        }),
        forget: Box::new(move |key| {
            for name in names(&forgotten).iter().filter(|name| name.ends_with(&format!("-{key}"))) {
                remove_tree(&forgotten.join(name)).expect("the kept state goes");
            }
        }),
    })
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

crate::conformance!(subject);
