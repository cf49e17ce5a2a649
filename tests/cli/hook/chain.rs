//! A hook that is there already keeps running, and comes back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::hook::{CLEAN, FLAGGED_RULE, HookEnv};

/// A env with a hook of somebody that writes down what it gets, and ends with the code that stands in a file.
fn foreign() -> (HookEnv, PathBuf) {
    let env = HookEnv::without_hook("sha1");
    let hook = env.analysis().join(".git/hooks/pre-push");
    let log = env.root().join("log");
    env.install_script(
        &hook,
        &format!("{{ echo \"$*\"; cat; }} >> {}\nexit $(cat ../code 2>/dev/null)", log.display()),
    );
    (env, log)
}

#[test]
fn both_get_the_same_arguments_and_lines() {
    let (env, log) = foreign();
    let said = env.install(&[]).assert_code(0);
    assert!(
        said.stdout.contains("runs after it, from") && said.stdout.contains("pre-push.before-carnet"),
        "{}",
        said.stdout
    );
    env.write("old.sh", CLEAN);
    let id = env.commit("one");
    env.push(&["main", "main:side"]).assert_silent();
    let zeros = "0".repeat(40);
    let wanted = format!(
        "origin ../remote.git\nrefs/heads/main {id} refs/heads/main {zeros}\nrefs/heads/main {id} refs/heads/side {zeros}\n"
    );
    assert_eq!(fs::read_to_string(&log).expect("it ran"), wanted);
    fs::remove_file(&log).expect("removed");
    // With nothing to push there are no lines, and the hook runs all the same.
    env.push(&["main"]).assert_silent();
    assert_eq!(fs::read_to_string(&log).expect("it ran"), "origin ../remote.git\n");
}

#[test]
fn either_of_them_stops_the_push() {
    let (env, log) = foreign();
    env.install(&[]).assert_code(0);
    env.write("old.sh", CLEAN);
    env.commit("one");
    fs::write(env.root().join("code"), "7").expect("written");
    let said = env.push(&["main"]).assert_code(1);
    assert!(!said.stderr.contains("carnet:") && !env.remote_has("main"), "{}", said.stderr);
    fs::remove_file(env.root().join("code")).expect("removed");
    fs::remove_file(&log).expect("it ran");
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    assert!(!log.exists(), "what carnet stops needs nobody else's time");
    let skipped = env.command("git", &["push", "-q", "origin", "main"]).env("CARNET_SKIP", "1").status();
    assert!(skipped.expect("git starts").success());
    assert!(log.exists(), "skipping carnet skips nobody else");
}

#[test]
fn removing_brings_back_what_was_there() {
    let (env, _) = foreign();
    let hook = env.analysis().join(".git/hooks/pre-push");
    let was = fs::read(&hook).expect("a hook");
    env.install(&[]).assert_code(0);
    env.install(&["--fail-on", "never"]).assert_code(0);
    let said = env.carnet(&["hook", "remove"]).assert_code(0);
    assert!(said.stdout.contains("is again the hook that was there before"), "{}", said.stdout);
    assert_eq!(fs::read(&hook).expect("a hook"), was);
    assert_ne!(fs::metadata(&hook).expect("a hook").permissions().mode() & 0o111, 0);
    assert!(!hook.with_file_name("pre-push.before-carnet").exists());
}

#[test]
fn a_hook_that_git_would_not_run_is_not_run() {
    let (env, log) = foreign();
    let hook = env.analysis().join(".git/hooks/pre-push");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o644)).expect("a mode");
    env.install(&[]).assert_code(0);
    env.write("old.sh", CLEAN);
    env.commit("one");
    env.push(&["main"]).assert_silent();
    assert!(!log.exists());
}

#[test]
fn a_hook_that_took_the_place_of_ours_is_not_lost() {
    let (env, _) = foreign();
    let hook = env.analysis().join(".git/hooks/pre-push");
    env.install(&[]).assert_code(0);
    // As programs do that install theirs by force.
    env.install_script(&hook, "exit 0");
    let said = env.install(&[]).assert_code(2);
    assert!(said.stderr.contains("was put aside for carnet's before"), "{}", said.stderr);
    assert!(env.carnet(&["hook", "remove"]).assert_code(0).stdout.contains("no hook of carnet"));
    assert!(fs::read_to_string(&hook).expect("a hook").contains("exit 0"));
    assert!(hook.with_file_name("pre-push.before-carnet").exists());
}
