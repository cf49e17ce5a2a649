//! The engine that runs on this machine itself.

use std::path::Path;

use carnet::engine::host::Host;
use carnet::engine::job::part;
use carnet::image::reference::Reference;

use crate::subject::Subject;

fn subject() -> Option<Subject> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kept-host");
    let listed = cache.clone();
    let removed = cache.clone();
    Some(Subject {
        engine: Box::new(Host::new(Path::new(env!("CARGO_BIN_EXE_carnet")).to_owned(), cache)),
        image: Reference::Host,
        lacks: &[
            part::MEMORY,
            part::PIDS,
            part::CPUS,
            part::ROOT,
            part::INPUT,
            part::USER,
            part::HOME,
            part::TMP,
            part::MOUNT,
            part::ENTRYPOINT,
        ],
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
    })
}

crate::conformance!(subject);
