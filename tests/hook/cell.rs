//! Results of earlier checks of the very tree that is pushed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::World;

/// An analysis whose test runs in busybox, committed; the first commit is on the remote.
fn world(test: &str) -> World {
    let images = std::env::var_os("CARNET_IMAGES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/images"), PathBuf::from);
    let image = images.join("busybox");
    assert!(image.join("index.json").exists(), "no image {}: run `examples/images/build.sh busybox`", image.display());
    let world = World::pushed();
    world.write(
        "carnet.toml",
        format!(
            "[test]\nrun = \"sh t.sh\"\n[scan]\nexclude = [\"carnet.toml\"]\n\
             [[facility]]\nid = \"box\"\nimage = \"oci:{image}\"\nengine = \"embedded\"\n\
             [[facility]]\nid = \"here\"\nengine = \"host\"\n",
            image = image.display()
        ),
    );
    world.write("t.sh", test);
    world.write("link/name-with.dots", "x");
    world.write("link-of-names", "y");
    world.commit("an analysis");
    world
}

#[test]
fn a_cell_that_failed_stops_the_push_of_its_commit() {
    let world = world("echo the yield is wrong\nexit 3\n");
    world.carnet(&["check", "-q", "--cell", "box"]).expect(1);
    let said = world.push(&["main"]).stopped("carnet: box failed for this commit, just now: t.sh: ");
    assert!(
        !said.err.contains("here") && !said.err.contains("not run"),
        "this machine has no kept result: {}",
        said.err
    );
    // Its verdict was of what the working tree had then, which is what is pushed, whatever the tree has now.
    world.write("t.sh", "exit 0\n");
    world.push(&["main"]).stopped("box failed");
    world.commit("mended");
    let said = world.push(&["main"]).expect(0);
    assert!(said.err.contains("carnet: not run for this commit: box (carnet check)"), "{}", said.err);
    world.carnet(&["check", "-q"]).expect(0);
    world.push(&["main:refs/heads/other"]).silent();
}

#[test]
fn a_check_before_the_commit_counts_for_it() {
    let world = world("exit 0\n");
    world.write("t.sh", "exit 1\n");
    world.carnet(&["check", "-q", "--cell", "box"]).expect(1);
    world.commit("broken");
    world.push(&["main"]).stopped("carnet: box failed");
    world.install(&["--fail-on", "never"]).expect(0);
    let said = world.push(&["main"]).expect(0);
    assert!(said.err.contains("carnet: box failed") && !said.err.contains("stopped"), "{}", said.err);
}

#[test]
fn a_failure_that_is_forgiven_stops_nobody() {
    let world = world("exit 1\n");
    let file = world.here.join("carnet.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    fs::write(
        &file,
        text.replace("[[facility]]\nid = \"here\"", "expect = { may_fail = \"known\" }\n[[facility]]\nid = \"here\""),
    )
    .expect("written");
    world.commit("forgiven");
    world.carnet(&["check", "-q", "--cell", "box"]).expect(0);
    world.push(&["main"]).silent();
}

#[test]
fn other_hashes_have_the_same_trees() {
    let sha1 = world("exit 1\n");
    let mut other = World::of("sha256");
    for path in ["carnet.toml", "t.sh", "link/name-with.dots", "link-of-names", "old.sh"] {
        other.write(path, fs::read(sha1.here.join(path)).expect("a file"));
    }
    other.commit("the same");
    let text = other.push(&["main"]).expect(0).err;
    assert!(text.contains("not run for this commit: box"), "{text}");
    // libgit2 can't list this one, so it is checked as a plain directory, which has the same files.
    let bare = other.top().join("plain");
    other.git(&["clone", "-q", ".", "../plain"]).expect(0);
    fs::remove_dir_all(bare.join(".git")).expect("removed");
    let here = std::mem::replace(&mut other.here, bare);
    other.carnet(&["check", "-q", "--cell", "box"]).expect(1);
    other.here = here;
    other.push(&["main:refs/heads/side", "--force"]).expect(0);
    other.commit("no change");
    other.push(&["main"]).stopped("carnet: box failed for this commit");
}
