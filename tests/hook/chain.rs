//! A hook that is there already keeps running, and comes back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::world::{CLEAN, SAID, World};

/// A world with a hook of somebody that writes down what it gets, and ends with the code that stands in a file.
fn foreign() -> (World, PathBuf) {
    let world = World::bare("sha1");
    let hook = world.here.join(".git/hooks/pre-push");
    let log = world.top().join("log");
    world.script(&hook, &format!("{{ echo \"$*\"; cat; }} >> {}\nexit $(cat ../code 2>/dev/null)", log.display()));
    (world, log)
}

#[test]
fn both_get_the_same_arguments_and_lines() {
    let (world, log) = foreign();
    let said = world.install(&[]).expect(0);
    assert!(said.out.contains("runs after it, from") && said.out.contains("pre-push.before-carnet"), "{}", said.out);
    world.write("old.sh", CLEAN);
    let id = world.commit("one");
    world.push(&["main", "main:side"]).silent();
    let zeros = "0".repeat(40);
    let wanted = format!(
        "origin ../remote.git\nrefs/heads/main {id} refs/heads/main {zeros}\nrefs/heads/main {id} refs/heads/side {zeros}\n"
    );
    assert_eq!(fs::read_to_string(&log).expect("it ran"), wanted);
    fs::remove_file(&log).expect("removed");
    // With nothing to push there are no lines, and the hook runs all the same.
    world.push(&["main"]).silent();
    assert_eq!(fs::read_to_string(&log).expect("it ran"), "origin ../remote.git\n");
}

#[test]
fn either_of_them_stops_the_push() {
    let (world, log) = foreign();
    world.install(&[]).expect(0);
    world.write("old.sh", CLEAN);
    world.commit("one");
    fs::write(world.top().join("code"), "7").expect("written");
    let said = world.push(&["main"]).expect(1);
    assert!(!said.err.contains("carnet:") && !world.remote_has("main"), "{}", said.err);
    fs::remove_file(world.top().join("code")).expect("removed");
    fs::remove_file(&log).expect("it ran");
    world.commit_flagged("run.sh");
    world.push(&["main"]).stopped(SAID);
    assert!(!log.exists(), "what carnet stops needs nobody else's time");
    let skipped = world.command("git", &["push", "-q", "origin", "main"]).env("CARNET_SKIP", "1").status();
    assert!(skipped.expect("git starts").success());
    assert!(log.exists(), "skipping carnet skips nobody else");
}

#[test]
fn removing_brings_back_what_was_there() {
    let (world, _) = foreign();
    let hook = world.here.join(".git/hooks/pre-push");
    let was = fs::read(&hook).expect("a hook");
    world.install(&[]).expect(0);
    world.install(&["--fail-on", "never"]).expect(0);
    let said = world.carnet(&["hook", "remove"]).expect(0);
    assert!(said.out.contains("is again the hook that was there before"), "{}", said.out);
    assert_eq!(fs::read(&hook).expect("a hook"), was);
    assert_ne!(fs::metadata(&hook).expect("a hook").permissions().mode() & 0o111, 0);
    assert!(!hook.with_file_name("pre-push.before-carnet").exists());
}

#[test]
fn a_hook_that_git_would_not_run_is_not_run() {
    let (world, log) = foreign();
    let hook = world.here.join(".git/hooks/pre-push");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o644)).expect("a mode");
    world.install(&[]).expect(0);
    world.write("old.sh", CLEAN);
    world.commit("one");
    world.push(&["main"]).silent();
    assert!(!log.exists());
}

#[test]
fn a_hook_that_took_the_place_of_ours_is_not_lost() {
    let (world, _) = foreign();
    let hook = world.here.join(".git/hooks/pre-push");
    world.install(&[]).expect(0);
    // As programs do that install theirs by force.
    world.script(&hook, "exit 0");
    let said = world.install(&[]).expect(2);
    assert!(said.err.contains("was put aside for carnet's before"), "{}", said.err);
    assert!(world.carnet(&["hook", "remove"]).expect(0).out.contains("no hook of carnet"));
    assert!(fs::read_to_string(&hook).expect("a hook").contains("exit 0"));
    assert!(hook.with_file_name("pre-push.before-carnet").exists());
}
