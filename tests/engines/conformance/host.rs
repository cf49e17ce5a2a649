//! The engine that runs on this machine.

use std::process::Command;

use carnet::engine::host::Host;
use carnet::engine::job::part;
use carnet::model::reference::Reference;

use crate::conformance::subject::Subject;
use crate::leftovers;
use crate::support::{CARNET, lasting_dir};

/// Parts of the contract that no machine can enforce for its own programs.
const ALWAYS: &[&str] = &[
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
const WITHOUT_NAMESPACES: &[&str] = &[
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

pub(crate) fn subject() -> Subject {
    let cache = lasting_dir("kept-host");
    let listed = cache.clone();
    let removed = cache.clone();
    Subject {
        engine: Box::new(Host::new(CARNET.into(), cache)),
        image: Reference::Host,
        lacks: if has_namespaces() { ALWAYS } else { WITHOUT_NAMESPACES },
        moot: &[
            ("plain_root_is_writable", "the case would change this machine"),
            ("image_user", "the program has the user who started the check"),
            ("image_environment", "there is no image"),
        ],
        leftovers: Box::new(move |name| leftovers::entries(&listed, name)),
        forget: Box::new(move |key| std::fs::remove_dir_all(removed.join(key)).expect("removed")),
    }
}
