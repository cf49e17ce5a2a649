//! The engine without a daemon, as whoever runs the tests: root, or an ordinary user.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use carnet::engine::embedded::Embedded;
use carnet::engine::job::part;
use carnet::model::reference::Reference;
use carnet::sys::cache::Cache;
use carnet::sys::remove::remove_tree;

use crate::conformance::subject::Subject;
use crate::support::engine::busybox;
use crate::support::program;

/// An ordinary user can't limit, and owns the image's files whatever user the program has.
const USER_LACKS: &[&str] = &[part::MEMORY, part::PIDS, part::CPUS, part::USER];

pub(crate) fn subject() -> Subject {
    let root = nix::unistd::geteuid().is_root();
    let cache = std::env::var_os("CARNET_TEST_CACHE")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("embedded"), PathBuf::from);
    let engine = Embedded::new(Cache::at(cache.clone())).with_helper(helper());
    let forgotten = cache.join("kept");
    Subject {
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
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn helper() -> PathBuf {
    std::env::var_os("CARNET_TEST_HELPER").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_carnet")), PathBuf::from)
}

/// Root runs the list once more as somebody else. All that this takes is copied to where everybody can read it.
fn whole_list_as_an_ordinary_user() {
    const NOBODY: u32 = 65534;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let place = |name: &str| dir.path().join(name);
    std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("a mode");
    program::install(&std::env::current_exe().expect("this test"), &place("tests"));
    program::install(&helper(), &place("carnet"));
    let Reference::OciLayout(layout, _) = busybox() else { panic!("a layout") };
    copy(&layout, &place("images/busybox"));
    for name in ["own", "own/tmp"] {
        std::fs::create_dir(place(name)).expect("a directory");
        std::os::unix::fs::chown(place(name), Some(NOBODY), Some(NOBODY)).expect("an owner");
    }
    let output = Command::new(place("tests"))
        .args(["conformance::embedded::", "--test-threads=2"])
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .env("TMPDIR", place("own/tmp"))
        .env("CARNET_IMAGES", place("images"))
        .env("CARNET_TEST_CACHE", place("own/cache"))
        .env("CARNET_TEST_HELPER", place("carnet"))
        .output()
        .expect("the tests start");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("two_at_a_time ... ok"), "{text}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(from, to).expect("a copy");
        }
    }
}

crate::support::harness::register!(
    [Root, Image("busybox")]:
    whole_list_as_an_ordinary_user,
);
