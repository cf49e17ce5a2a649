//! The engines under test. A new engine is a function here and a row in [`all`].

use std::path::PathBuf;
use std::process::Command;

use carnet::engine::docker::{Docker, Options, Transfer};
use carnet::engine::embedded::Embedded;
use carnet::engine::host::Host;
use carnet::engine::job::part;
use carnet::model::reference::Reference;
use carnet::sys::cache::Cache;
use carnet::sys::remove::remove_tree;

use crate::conformance::subject::Subject;
use crate::leftovers;
use crate::support::engine::{ask, busybox, daemon};
use crate::support::harness::Requirement;
use crate::support::{CARNET, lasting_dir};

/// The name of an engine, what it requires, and the function that creates it.
type Row = (&'static str, &'static [Requirement], fn() -> Subject);

/// Every engine under test.
pub(crate) fn all() -> [Row; 4] {
    const BUSYBOX: Requirement = Requirement::Image("busybox");
    [
        ("docker::bound", &[Requirement::Docker, BUSYBOX], docker_bound),
        ("docker::sent", &[Requirement::Docker, BUSYBOX], docker_sent),
        ("embedded", &[BUSYBOX], embedded),
        ("host", &[], host),
    ]
}

/// The Docker engine.
fn docker(transfer: Transfer, lacks: &'static [&'static str]) -> Subject {
    let host = daemon();
    let (searched, forgetting) = (host.clone(), host.clone());
    Subject {
        engine: Box::new(Docker::new(Options { host: Some(host), network: None, transfer: Some(transfer) })),
        image: busybox(),
        lacks,
        moot: &[],
        leftovers: Box::new(move |name| leftovers::docker(&searched, name)),
        forget: Box::new(move |key| {
            ask(&forgetting, &["-X", "DELETE"], &format!("/images/carnet-kept:{key}?force=true"));
        }),
    }
}

/// The daemon mounts the input directory.
fn docker_bound() -> Subject {
    docker(Transfer::Bind, &[])
}

/// The input is sent to the daemon. A remote daemon cannot mount directories of this machine.
fn docker_sent() -> Subject {
    docker(Transfer::Copy, &[part::MOUNT])
}

/// An ordinary user can't create control groups, and has one user id, which owns the files of the image.
const USER_LACKS: &[&str] = &[part::MEMORY, part::PIDS, part::CPUS, part::USER];

/// The embedded engine, as the user who runs the tests: root or an ordinary user.
fn embedded() -> Subject {
    let root = nix::unistd::geteuid().is_root();
    let cache = std::env::var_os("CARNET_TEST_CACHE").map_or_else(|| lasting_dir("embedded"), PathBuf::from);
    let engine = Embedded::new(Cache::at(cache.clone())).with_helper(embedded_helper());
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

fn embedded_helper() -> PathBuf {
    std::env::var_os("CARNET_TEST_HELPER").map_or_else(|| CARNET.into(), PathBuf::from)
}

/// Parts of the contract that no machine can enforce for its own programs.
const HOST_LACKS: &[&str] = &[
    part::MEMORY,
    part::PIDS,
    part::CPUS,
    part::ROOT,
    part::USER,
    part::HOME,
    part::TMP,
    part::MOUNT,
    part::ENTRYPOINT,
];

/// The same without the permission to create namespaces.
const HOST_LACKS_WITHOUT_NAMESPACES: &[&str] = &[
    part::MEMORY,
    part::PIDS,
    part::CPUS,
    part::ROOT,
    part::USER,
    part::HOME,
    part::TMP,
    part::MOUNT,
    part::ENTRYPOINT,
    part::INPUT,
    part::NETWORK,
    part::KEPT,
];

/// Whether `unshare` can create namespaces.
fn has_namespaces() -> bool {
    [&["-mn"][..], &["-Urmn"]].iter().any(|flags| {
        Command::new("unshare").args(*flags).arg("true").output().is_ok_and(|output| output.status.success())
    })
}

/// The engine that runs on this machine.
fn host() -> Subject {
    let cache = lasting_dir("kept-host");
    let listed = cache.clone();
    let removed = cache.clone();
    Subject {
        engine: Box::new(Host::new(CARNET.into(), cache)),
        image: Reference::Host,
        lacks: if has_namespaces() { HOST_LACKS } else { HOST_LACKS_WITHOUT_NAMESPACES },
        moot: &[
            ("plain_root_is_writable", "the case would change this machine"),
            ("image_user", "the program has the user who started the check"),
            ("image_environment", "there is no image"),
        ],
        leftovers: Box::new(move |name| leftovers::entries(&listed, name)),
        forget: Box::new(move |key| std::fs::remove_dir_all(removed.join(key)).expect("removed")),
    }
}
