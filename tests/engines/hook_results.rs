//! The pre-push hook reports cached results of the pushed commit.

use std::fs;

use insta::assert_snapshot;

use crate::support::hook::HookEnv;

/// A committed analysis whose test runs in busybox. The remote has an earlier commit.
fn env(test: &str) -> HookEnv {
    let image = crate::support::engine::image("busybox");
    let env = HookEnv::with_pushed_commit();
    env.write(
        "carnet.toml",
        format!(
            "[test]\nrun = \"sh t.sh\"\n[scan]\nexclude = [\"carnet.toml\"]\n\
             [[facility]]\nid = \"here\"\nengine = \"host\"\n\
             [[facility]]\nid = \"box\"\nimage = \"oci:{image}\"\nengine = \"embedded\"\n",
            image = image.display()
        ),
    );
    env.write("t.sh", test);
    env.write("link/name-with.dots", "x");
    env.write("link-of-names", "y");
    env.commit("an analysis");
    env
}

/// What the hook printed, without the messages of git.
fn hook_output(stderr: &str) -> String {
    stderr.lines().filter(|line| line.starts_with("carnet: ")).map(|line| format!("{line}\n")).collect()
}

fn failed_cell_blocks_the_push_of_its_commit() {
    let env = env("echo the yield is wrong\nexit 3\n");
    env.carnet(&["check", "-q", "--cell", "box"]).assert_code(1);
    // The facility `here` is not mentioned, because results of this machine are not cached.
    let first = env.push(&["main"]).assert_code(1);
    assert_snapshot!(hook_output(&first.stderr), @"
    carnet: box failed for this commit, just now: t.sh: exit code 3
    carnet: push blocked; fix the failed cells or use `git push --no-verify`
    ");
    // Uncommitted changes have no effect.
    env.write("t.sh", "exit 0\n");
    let with_change = env.push(&["main"]).assert_code(1);
    assert_eq!(hook_output(&with_change.stderr), hook_output(&first.stderr));
    env.commit("fixed");
    let fixed = env.push(&["main"]).assert_code(0);
    assert_snapshot!(hook_output(&fixed.stderr), @"carnet: not run for this commit: box; run `carnet check`");
    env.carnet(&["check", "-q"]).assert_code(0);
    let passed = env.push(&["main:refs/heads/other"]).assert_code(0);
    assert_eq!(hook_output(&passed.stderr), "");
}

fn check_before_the_commit_counts() {
    let env = env("exit 0\n");
    env.write("t.sh", "exit 1\n");
    env.carnet(&["check", "-q", "--cell", "box"]).assert_code(1);
    env.commit("broken");
    let blocked = env.push(&["main"]).assert_code(1);
    assert_snapshot!(hook_output(&blocked.stderr), @"
    carnet: box failed for this commit, just now: t.sh: exit code 1
    carnet: push blocked; fix the failed cells or use `git push --no-verify`
    ");
    env.install(&["--fail-on", "never"]).assert_code(0);
    let reported = env.push(&["main"]).assert_code(0);
    assert_snapshot!(hook_output(&reported.stderr), @"carnet: box failed for this commit, just now: t.sh: exit code 1");
}

fn expected_failure_does_not_block_the_push() {
    let env = env("exit 1\n");
    env.write("carnet.toml", env.read("carnet.toml") + "expect = { may_fail = \"known\" }\n");
    env.commit("expected");
    env.carnet(&["check", "-q", "--cell", "box"]).assert_code(0);
    let output = env.push(&["main"]).assert_code(0);
    assert_eq!(hook_output(&output.stderr), "");
}

fn results_are_found_in_a_sha256_repository() {
    let sha1 = env("exit 1\n");
    let mut env = HookEnv::with_object_format("sha256");
    for path in ["carnet.toml", "t.sh", "link/name-with.dots", "link-of-names", "old.sh"] {
        env.write(path, sha1.read(path));
    }
    env.commit("the same files");
    let unknown = env.push(&["main"]).assert_code(0);
    assert_snapshot!(hook_output(&unknown.stderr), @"carnet: not run for this commit: box; run `carnet check`");
    // libgit2 can't read this repository. A plain directory has the same files.
    let (repository, plain) = (env.analysis(), env.root().join("plain"));
    env.git(&["clone", "-q", ".", "../plain"]).assert_code(0);
    fs::remove_dir_all(plain.join(".git")).expect("removed");
    env.set_analysis(plain);
    env.carnet(&["check", "-q", "--cell", "box"]).assert_code(1);
    env.set_analysis(repository);
    env.push(&["main:refs/heads/side", "--force"]).assert_code(0);
    env.commit("no change");
    let failed = env.push(&["main"]).assert_code(1);
    assert_snapshot!(hook_output(&failed.stderr), @"
    carnet: box failed for this commit, just now: t.sh: exit code 1
    carnet: push blocked; fix the failed cells or use `git push --no-verify`
    ");
}

crate::support::harness::register!(
    [Image("busybox")]:
    failed_cell_blocks_the_push_of_its_commit,
    check_before_the_commit_counts,
    expected_failure_does_not_block_the_push,
    results_are_found_in_a_sha256_repository,
);
