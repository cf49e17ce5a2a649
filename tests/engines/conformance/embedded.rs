//! The embedded engine, as the user who runs the tests: root or an ordinary user.

use std::path::PathBuf;

use carnet::engine::embedded::Embedded;
use carnet::engine::job::part;
use carnet::sys::cache::Cache;
use carnet::sys::remove::remove_tree;

use crate::conformance::subject::Subject;
use crate::leftovers;
use crate::support::engine::busybox;
use crate::support::{CARNET, lasting_dir};

/// An ordinary user can't create control groups, and has one user id, which owns the files of the image.
const USER_LACKS: &[&str] = &[part::MEMORY, part::PIDS, part::CPUS, part::USER];

pub(crate) fn subject() -> Subject {
    let root = nix::unistd::geteuid().is_root();
    let cache = std::env::var_os("CARNET_TEST_CACHE").map_or_else(|| lasting_dir("embedded"), PathBuf::from);
    let engine = Embedded::new(Cache::at(cache.clone())).with_helper(helper());
    let forgotten = cache.join("kept");
    Subject {
        engine: Box::new(engine),
        image: busybox(),
        lacks: if root { &[] } else { USER_LACKS },
        moot: &[],
        leftovers: Box::new(move |name| {
            let files = [cache.join("kept"), cache.join("runs")].map(|directory| leftovers::entries(&directory, name));
            files.into_iter().flatten().chain(leftovers::control_groups(name)).collect()
        }),
        forget: Box::new(move |key| {
            for name in leftovers::names(&forgotten).iter().filter(|name| name.ends_with(&format!("-{key}"))) {
                remove_tree(&forgotten.join(name)).expect("removed");
            }
        }),
    }
}

fn helper() -> PathBuf {
    std::env::var_os("CARNET_TEST_HELPER").map_or_else(|| CARNET.into(), PathBuf::from)
}
