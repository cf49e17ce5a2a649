//! The engine that runs on this machine itself.

use std::path::Path;
use std::process::Command;

use carnet::engine::host::Host;
use carnet::engine::job::part;
use carnet::model::reference::Reference;

use crate::conformance::subject::Subject;

/// What no machine can change about itself for a program.
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

/// The same where namespaces can't be made.
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

/// Whether this user can make namespaces, by another's tool.
fn has_namespaces() -> bool {
    [&["-mn"][..], &["-Urmn"]].iter().any(|flags| {
        Command::new("unshare").args(*flags).arg("true").output().is_ok_and(|output| output.status.success())
    })
}

pub(crate) fn subject() -> Subject {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kept-host");
    let listed = cache.clone();
    let removed = cache.clone();
    Subject {
        engine: Box::new(Host::new(Path::new(env!("CARGO_BIN_EXE_carnet")).to_owned(), cache)),
        image: Reference::Host,
        lacks: if has_namespaces() { ALWAYS } else { WITHOUT_NAMESPACES },
        moot: &[
            ("plain_root_is_writable", "it would change this machine"),
            ("image_user", "the user is who started the check"),
            ("image_environment", "there is no image"),
        ],
        leftovers: Box::new(move |name| {
            let entries = std::fs::read_dir(&listed).into_iter().flatten().filter_map(Result::ok);
            entries.map(|e| e.file_name().to_string_lossy().into_owned()).filter(|n| n.contains(name)).collect()
        }),
        forget: Box::new(move |key| std::fs::remove_dir_all(removed.join(key)).expect("the kept state goes")),
    }
}
