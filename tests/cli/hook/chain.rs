//! A hook that existed before carnet's hook keeps running, and is restored when carnet's hook is removed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use insta::assert_snapshot;

use crate::support::hook::{CLEAN, FLAGGED_RULE, HookEnv};

/// A repository with a hook that writes its arguments and input to `log`, and exits with the code in the file `code`.
struct PreviousHook {
    env: HookEnv,
    hook: PathBuf,
    log: PathBuf,
}

impl PreviousHook {
    fn new() -> Self {
        let env = HookEnv::without_hook("sha1");
        let (hook, log) = (env.analysis().join(".git/hooks/pre-push"), env.path("log"));
        let script = format!("{{ echo \"$*\"; cat; }} >> {}\nexit $(cat ../code 2>/dev/null)", log.display());
        env.install_script(&hook, &script);
        Self { env, hook, log }
    }

    fn backup(&self) -> PathBuf {
        self.hook.with_file_name("pre-push.before-carnet")
    }

    fn read_log(&self) -> String {
        fs::read_to_string(&self.log).expect("the previous hook ran")
    }
}

#[test]
fn previous_hook_gets_the_arguments_and_input_of_git() {
    let previous = PreviousHook::new();
    let env = &previous.env;
    let output = env.install(&[]).assert_code(0);
    assert_snapshot!(output.text(), @"installed .git/hooks/pre-push; the previous hook was moved to .git/hooks/pre-push.before-carnet and runs after it");
    env.write("old.sh", CLEAN);
    let id = env.commit("one");
    env.push(&["main", "main:side"]).assert_silent();
    let zeros = "0".repeat(40);
    let expected = format!(
        "origin ../remote.git\nrefs/heads/main {id} refs/heads/main {zeros}\nrefs/heads/main {id} refs/heads/side {zeros}\n"
    );
    assert_eq!(previous.read_log(), expected);
    fs::remove_file(&previous.log).expect("removed");
    // Git also runs the hook if there is nothing to push; then the input is empty.
    env.push(&["main"]).assert_silent();
    assert_eq!(previous.read_log(), "origin ../remote.git\n");
}

#[test]
fn previous_hook_can_block_the_push() {
    let previous = PreviousHook::new();
    let env = &previous.env;
    env.install(&[]).assert_code(0);
    env.write("old.sh", CLEAN);
    env.commit("one");
    fs::write(env.path("code"), "7").expect("written");
    let output = env.push(&["main"]).assert_code(1);
    assert_snapshot!(output.text(), @"error: failed to push some refs to '../remote.git'");
    assert!(!env.remote_has("main"));
}

#[test]
fn previous_hook_does_not_run_if_carnet_blocks_the_push() {
    let previous = PreviousHook::new();
    let env = &previous.env;
    env.install(&[]).assert_code(0);
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    assert!(!previous.log.exists(), "the previous hook ran");
}

#[test]
fn previous_hook_runs_if_carnet_is_skipped() {
    let previous = PreviousHook::new();
    let env = &previous.env;
    env.install(&[]).assert_code(0);
    let id = env.commit_flagged("run.sh");
    let skipped = env.command("git", &["push", "-q", "origin", "main"]).env("CARNET_SKIP", "1").status();
    assert!(skipped.expect("git starts").success());
    let zeros = "0".repeat(40);
    let expected = format!("origin ../remote.git\nrefs/heads/main {id} refs/heads/main {zeros}\n");
    assert_eq!(previous.read_log(), expected);
}

#[test]
fn remove_restores_the_previous_hook() {
    let previous = PreviousHook::new();
    let env = &previous.env;
    let before = fs::read(&previous.hook).expect("a hook");
    env.install(&[]).assert_code(0);
    env.install(&["--fail-on", "never"]).assert_code(0);
    let output = env.carnet(&["hook", "remove"]).assert_code(0);
    assert_snapshot!(output.text(), @"removed carnet's hook and restored the previous .git/hooks/pre-push");
    assert_eq!(fs::read(&previous.hook).expect("a hook"), before);
    assert_ne!(fs::metadata(&previous.hook).expect("a hook").permissions().mode() & 0o111, 0);
    assert!(!previous.backup().exists());
}

#[test]
fn previous_hook_that_is_not_executable_does_not_run() {
    let previous = PreviousHook::new();
    let env = &previous.env;
    fs::set_permissions(&previous.hook, fs::Permissions::from_mode(0o644)).expect("a mode");
    env.install(&[]).assert_code(0);
    env.write("old.sh", CLEAN);
    env.commit("one");
    env.push(&["main"]).assert_silent();
    assert!(!previous.log.exists());
}

#[test]
fn hook_that_replaced_the_hook_of_carnet_is_preserved() {
    let previous = PreviousHook::new();
    let env = &previous.env;
    env.install(&[]).assert_code(0);
    env.install_script(&previous.hook, "exit 0");
    let before = fs::read(&previous.hook).expect("a hook");
    let install = env.install(&[]).assert_code(2);
    assert_snapshot!(env.redact(&install.text()), @r"
    error: [ANALYSIS]/.git/hooks/pre-push is not carnet's hook, and the backup [ANALYSIS]/.git/hooks/pre-push.before-carnet already exists
     |
     = help: merge the two hooks, or remove the one that is not needed
    ");
    let remove = env.carnet(&["hook", "remove"]).assert_code(0);
    assert_snapshot!(remove.text(), @"no carnet hook found in .git/hooks");
    assert_eq!(fs::read(&previous.hook).expect("a hook"), before);
    assert!(previous.backup().exists());
}
