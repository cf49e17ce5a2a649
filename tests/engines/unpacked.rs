//! The unpacked trees of images in the cache: of killed checks, and damaged ones.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use insta::assert_snapshot;

use crate::support::TestEnv;
use crate::support::engine::image;
use crate::support::env::wait_until;

fn configure(env: &TestEnv, image: &Path) {
    let image = image.display();
    let facility = format!("[[facility]]\nid = \"box\"\nimage = \"oci:{image}\"\nengine = \"embedded\"\n");
    env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{facility}"));
}

fn trees(env: &TestEnv) -> Vec<PathBuf> {
    let entries = fs::read_dir(env.cache().join("trees")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn partial_trees(env: &TestEnv) -> Vec<PathBuf> {
    trees(env).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "new")).collect()
}

fn tree_of_a_killed_check_is_removed() {
    let env = TestEnv::with_test("true");
    for command in ["check", "clean"] {
        configure(&env, &image("bookworm-coffea"));
        let mut check = env.carnet_command(&["check", "--quiet"]).stdout(Stdio::null()).spawn().expect("carnet starts");
        wait_until("unpacking", || partial_trees(&env).iter().any(|tree| tree.join("rootfs/usr").exists()));
        check.kill().expect("a signal");
        check.wait().expect("carnet ends");
        let partial = partial_trees(&env).pop().expect("a killed check leaves a partial tree");
        configure(&env, &image("busybox"));
        let output = env.carnet(&[command]).assert_code(0);
        output.assert_contains(&[&format!("removed {} (", partial.display())]);
        assert_eq!(partial_trees(&env), Vec::<PathBuf>::new());
        assert_eq!(env.cache_leftovers(), Vec::<PathBuf>::new());
    }
}

fn damaged_tree_is_rebuilt_once() {
    let env = TestEnv::with_test("true");
    configure(&env, &image("busybox"));
    env.carnet(&["check"]).assert_code(0);
    let tree = trees(&env).into_iter().find(|path| path.extension().is_none()).expect("a tree");
    let mut found = BTreeSet::new();
    for part in ["rootfs", "rootfs/bin", "rootfs/bin/sh"] {
        carnet::sys::remove::remove_tree(&tree.join(part)).expect("removed");
        let output = env.carnet(&["check", "--fresh"]).assert_code(0);
        let image = image("busybox");
        let stderr = output.stderr.replace(&*image.to_string_lossy(), "[IMAGE]");
        found.insert(env.redact(&stderr));
        let output = env.carnet(&["check", "--fresh"]).assert_code(0);
        output.assert_lacks("damaged");
    }
    assert_snapshot!(found.into_iter().collect::<String>(), @r"
    checking 1 cell with `./t.sh`
      box: opening image
    note: the unpacked tree of oci:[IMAGE] is damaged: unpacking the image again
      box: tests
      box: passed, 1 test ([TIME] s)
    reports written to carnet-out
    ");
}

crate::support::harness::register!(
    [Image("busybox"), Image("bookworm-coffea")]:
    tree_of_a_killed_check_is_removed,
    damaged_tree_is_rebuilt_once,
);
