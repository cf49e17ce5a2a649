//! Results of earlier checks of the very tree that is pushed.

use std::fs;

use crate::support::hook::HookEnv;

/// An analysis whose test runs in busybox, committed; the first commit is on the remote.
fn env(test: &str) -> HookEnv {
    let image = crate::support::engine::image("busybox");
    let env = HookEnv::with_pushed_commit();
    env.write(
        "carnet.toml",
        format!(
            "[test]\nrun = \"sh t.sh\"\n[scan]\nexclude = [\"carnet.toml\"]\n\
             [[facility]]\nid = \"box\"\nimage = \"oci:{image}\"\nengine = \"embedded\"\n\
             [[facility]]\nid = \"here\"\nengine = \"host\"\n",
            image = image.display()
        ),
    );
    env.write("t.sh", test);
    env.write("link/name-with.dots", "x");
    env.write("link-of-names", "y");
    env.commit("an analysis");
    env
}

fn a_cell_that_failed_stops_the_push_of_its_commit() {
    let env = env("echo the yield is wrong\nexit 3\n");
    env.carnet(&["check", "-q", "--cell", "box"]).assert_code(1);
    let said = env.push(&["main"]).assert_blocked("carnet: box failed for this commit, just now: t.sh: ");
    assert!(
        !said.stderr.contains("here") && !said.stderr.contains("not run"),
        "this machine has no kept result: {}",
        said.stderr
    );
    // Its verdict was of what the working tree had then, which is what is pushed, whatever the tree has now.
    env.write("t.sh", "exit 0\n");
    env.push(&["main"]).assert_blocked("box failed");
    env.commit("mended");
    let said = env.push(&["main"]).assert_code(0);
    assert!(said.stderr.contains("carnet: not run for this commit: box (carnet check)"), "{}", said.stderr);
    env.carnet(&["check", "-q"]).assert_code(0);
    env.push(&["main:refs/heads/other"]).assert_silent();
}

fn a_check_before_the_commit_counts_for_it() {
    let env = env("exit 0\n");
    env.write("t.sh", "exit 1\n");
    env.carnet(&["check", "-q", "--cell", "box"]).assert_code(1);
    env.commit("broken");
    env.push(&["main"]).assert_blocked("carnet: box failed");
    env.install(&["--fail-on", "never"]).assert_code(0);
    let said = env.push(&["main"]).assert_code(0);
    assert!(said.stderr.contains("carnet: box failed") && !said.stderr.contains("stopped"), "{}", said.stderr);
}

fn a_failure_that_is_forgiven_stops_nobody() {
    let env = env("exit 1\n");
    let file = env.analysis().join("carnet.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    fs::write(
        &file,
        text.replace("[[facility]]\nid = \"here\"", "expect = { may_fail = \"known\" }\n[[facility]]\nid = \"here\""),
    )
    .expect("written");
    env.commit("forgiven");
    env.carnet(&["check", "-q", "--cell", "box"]).assert_code(0);
    env.push(&["main"]).assert_silent();
}

fn other_hashes_have_the_same_trees() {
    let sha1 = env("exit 1\n");
    let mut other = HookEnv::with_object_format("sha256");
    for path in ["carnet.toml", "t.sh", "link/name-with.dots", "link-of-names", "old.sh"] {
        other.write(path, fs::read(sha1.analysis().join(path)).expect("a file"));
    }
    other.commit("the same");
    let text = other.push(&["main"]).assert_code(0).stderr;
    assert!(text.contains("not run for this commit: box"), "{text}");
    // libgit2 can't list this one, so it is checked as a plain directory, which has the same files.
    let bare = other.root().join("plain");
    other.git(&["clone", "-q", ".", "../plain"]).assert_code(0);
    fs::remove_dir_all(bare.join(".git")).expect("removed");
    let here = std::mem::replace(&mut other.analysis(), bare);
    other.carnet(&["check", "-q", "--cell", "box"]).assert_code(1);
    let directory = here;
    other.set_analysis(directory);
    other.push(&["main:refs/heads/side", "--force"]).assert_code(0);
    other.commit("no change");
    other.push(&["main"]).assert_blocked("carnet: box failed for this commit");
}

crate::support::harness::register!(
    [Image("busybox")]:
    a_cell_that_failed_stops_the_push_of_its_commit,
    a_check_before_the_commit_counts_for_it,
    a_failure_that_is_forgiven_stops_nobody,
    other_hashes_have_the_same_trees,
);
