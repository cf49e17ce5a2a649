//! The location of the hook, its installation and its removal.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;

use crate::support::CARNET;
use crate::support::hook::{CLEAN, FLAGGED_RULE, HookEnv};
use crate::support::program;

fn hook(env: &HookEnv) -> PathBuf {
    env.analysis().join(".git/hooks/pre-push")
}

fn file_names(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(dir).expect("a directory").flatten().map(|one| one.path()).collect();
    all.sort();
    all
}

#[test]
fn hook_is_installed_updated_and_removed() {
    let env = HookEnv::without_hook("sha1");
    let before = file_names(&env.analysis().join(".git/hooks"));
    assert_snapshot!(env.install(&[]).assert_code(0).text(), @"installed .git/hooks/pre-push");
    let first = fs::read(hook(&env)).expect("a hook");
    assert_snapshot!(env.install(&[]).assert_code(0).text(), @".git/hooks/pre-push is up to date");
    assert_eq!(fs::read(hook(&env)).expect("a hook"), first);
    assert_snapshot!(env.install(&["--fail-on", "warning"]).assert_code(0).text(), @"updated .git/hooks/pre-push");
    assert_ne!(fs::read(hook(&env)).expect("a hook"), first);
    assert_snapshot!(env.carnet(&["hook", "remove"]).assert_code(0).text(), @"removed .git/hooks/pre-push");
    assert_eq!(file_names(&env.analysis().join(".git/hooks")), before);
    assert_snapshot!(env.carnet(&["hook", "remove"]).assert_code(0).text(), @"no carnet hook found in .git/hooks");
}

#[test]
fn install_makes_the_hook_executable() {
    let env = HookEnv::with_pushed_commit();
    fs::set_permissions(hook(&env), fs::Permissions::from_mode(0o644)).expect("a mode");
    assert_snapshot!(env.install(&[]).assert_code(0).text(), @"updated .git/hooks/pre-push");
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
}

#[test]
fn directory_outside_of_git_is_a_usage_error() {
    let mut env = HookEnv::without_hook("sha1");
    let directory = env.home();
    env.set_analysis(directory);
    let output = env.install(&[]).assert_code(2);
    // The rest is the message of git.
    let message = output.stderr.split(": not a git repository").next().expect("a message");
    assert_snapshot!(env.redact(message), @"error: [ANALYSIS] is not in a git repository");
    assert_eq!(env.carnet(&["hook", "remove"]).assert_code(2).text(), output.text());
    assert_snapshot!(env.install(&["missing"]).assert_code(2).text(), @r"
    error: `missing` is not a directory
     |
     = help: pass the directory of the analysis
    ");
}

#[test]
fn hook_installed_from_a_subdirectory_scans_the_repository() {
    let mut env = HookEnv::without_hook("sha1");
    let top = env.analysis();
    env.write("sub/dir/old.sh", CLEAN);
    // Only a file named carnet.toml is a configuration.
    env.write("sub/carnet.toml.old", "[wrong");
    env.set_analysis(top.join("sub/dir"));
    let output = env.install(&[]).assert_code(0);
    assert_snapshot!(env.redact(&output.text()), @"installed [ROOT]/work/.git/hooks/pre-push");
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked("sub/dir/run.sh:2:");
}

#[test]
fn hook_scans_only_the_analysis_of_a_subdirectory() {
    let env = HookEnv::without_hook("sha1");
    env.write("fit/carnet.toml", "[scan]\nexclude = [\"old/**\"]\n");
    env.install(&["fit"]).assert_code(0);
    env.write("fit/old/run.sh", "cd /afs/cern.ch/user/j/jdoe/work\n");
    env.commit_flagged("other/run.sh");
    env.push(&["main"]).assert_silent();
    env.commit_flagged("fit/run.sh");
    let output = env.push(&["main"]).assert_code(1);
    assert_snapshot!(env.redact_messages(&output), @r"
    carnet: 1 error in 1 changed file (main)
      error fit/run.sh:2: [MESSAGE] [home-path]
      details: carnet scan --changed [ID]..[ID] fit
    carnet: push blocked; fix or accept the findings or use `git push --no-verify`
    error: failed to push some refs to '../remote.git'
    ");
    // The hook reads the commit, not the working tree.
    fs::remove_dir_all(env.analysis().join("fit")).expect("removed");
    env.push(&["main"]).assert_blocked("fit/run.sh:2:");
}

#[test]
fn suggested_command_is_quoted_for_the_shell() {
    let env = HookEnv::without_hook("sha1");
    env.write("my analysis/carnet.toml", "[test]\nrun = \"true\"\n");
    env.install(&["my analysis"]).assert_code(0);
    env.commit_flagged("my analysis/run.sh");
    let output = env.push(&["main"]).assert_blocked("my analysis/run.sh:2:");
    let command = output.stderr.lines().find_map(|line| line.split_once("details: carnet ")).expect("a command").1;
    let scan = env.run("sh", &["-c", &format!("{CARNET} {command} --format github")]).assert_code(1);
    let (location, _) = scan.stdout.split_once("::`").expect("a finding");
    assert_snapshot!(location, @"::error file=my analysis/run.sh,line=2,endLine=2,col=4,endColumn=33,title=carnet%3A home-path");
}

#[test]
fn worktrees_share_the_hook() {
    let mut env = HookEnv::with_pushed_commit();
    env.git(&["worktree", "add", "-q", "-b", "side", "../tree"]).assert_code(0);
    let main = env.analysis();
    let directory = env.path("tree");
    env.set_analysis(directory);
    let output = env.install(&[]).assert_code(0);
    assert_snapshot!(env.redact(&output.text()), @"[ROOT]/work/.git/hooks/pre-push is up to date");
    env.commit_flagged("run.sh");
    env.push(&["side"]).assert_blocked("run.sh:2:");
    env.set_analysis(main);
    env.push(&["main"]).assert_silent();
}

#[test]
fn hook_ignores_replaced_objects() {
    let mut env = HookEnv::with_pushed_commit();
    let flagged = env.commit_flagged("run.sh");
    env.git(&["reset", "-q", "--hard", "HEAD~1"]).assert_code(0);
    let replacement = env.commit("empty");
    env.git(&["replace", &flagged, &replacement]).assert_code(0);
    let refspec = format!("{flagged}:refs/heads/side");
    env.push(&[&refspec]).assert_blocked("run.sh:2:");
    // In a worktree, git sets `GIT_DIR` for the hook.
    env.git(&["worktree", "add", "-q", "-b", "side", "../tree"]).assert_code(0);
    let directory = env.path("tree");
    env.set_analysis(directory);
    env.push(&[&refspec]).assert_blocked("run.sh:2:");
}

#[test]
fn hook_is_installed_in_the_hooks_directory_of_the_repository() {
    let env = HookEnv::without_hook("sha1");
    // The directory does not exist yet.
    env.git(&["config", "core.hooksPath", ".githooks"]).assert_code(0);
    let output = env.install(&[]).assert_code(0);
    assert_snapshot!(output.text(), @r"
    installed .githooks/pre-push
    note: the hook is in the working tree; if you commit it, it contains the path of carnet on this machine
    ");
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    env.carnet(&["hook", "remove"]).assert_code(0);
    assert_eq!(file_names(&env.analysis().join(".githooks")), Vec::<PathBuf>::new());
    assert!(!hook(&env).exists());
}

#[test]
fn shared_hooks_directory_requires_an_option() {
    let env = HookEnv::without_hook("sha1");
    let dir = env.home().join("hooks");
    fs::write(env.home().join(".gitconfig"), "[core]\nhooksPath = ~/hooks\n").expect("written");
    let output = env.install(&[]).assert_code(2);
    assert_snapshot!(env.redact(&output.text()), @r"
    error: [ROOT]/home/.gitconfig sets core.hooksPath, so hooks in [ROOT]/home/hooks run for every repository
     |
     = help: use `carnet hook install --shared` to install the hook for all repositories, or `git config core.hooksPath .git/hooks` to give this repository its own hooks directory
    ");
    assert!(!dir.exists());
    env.install(&["--shared"]).assert_code(0);
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    env.carnet(&["hook", "remove"]).assert_code(0);
    assert_eq!(file_names(&dir), Vec::<PathBuf>::new());
    // The configuration of the repository has precedence.
    env.git(&["config", "core.hooksPath", ".git/hooks"]).assert_code(0);
    env.install(&[]).assert_code(0);
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
}

#[test]
fn install_does_not_enable_disabled_hooks() {
    let env = HookEnv::without_hook("sha1");
    env.git(&["config", "core.hooksPath", "/dev/null"]).assert_code(0);
    assert_snapshot!(env.install(&[]).assert_code(2).text(), @r"
    error: the hooks path /dev/null is not a directory
     |
     = help: see `git config --show-origin core.hooksPath`; /dev/null disables hooks
    ");
}

#[test]
fn missing_executable_does_not_block_the_push() {
    let mut env = HookEnv::without_hook("sha1");
    env.set_path("/usr/local/bin:/usr/bin:/bin");
    // The path requires quotes in the hook.
    let executable = env.path("it's here $HOME/carnet");
    fs::create_dir_all(executable.parent().expect("a parent")).expect("a directory");
    program::install(Path::new(CARNET), &executable);
    env.run(&executable, &["hook", "install", "--budget", "60s"]).assert_code(0);
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    let bin = env.path("bin");
    fs::create_dir(&bin).expect("a directory");
    fs::rename(&executable, bin.join("carnet")).expect("renamed");
    let output = env.push(&["--dry-run", "main"]).assert_code(0);
    assert_snapshot!(output.text(), @"carnet: executable not found, push not checked; reinstall carnet or remove the hook .git/hooks/pre-push");
    env.prepend_path(&bin);
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
}
