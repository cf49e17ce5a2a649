//! Where the hook is written, and that it comes and goes without a trace.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::CARNET;
use crate::support::hook::{CLEAN, FLAGGED_RULE, HookEnv};
use crate::support::program;

fn hook(env: &HookEnv) -> PathBuf {
    env.analysis().join(".git/hooks/pre-push")
}

#[test]
fn installing_twice_changes_nothing_and_removing_leaves_nothing() {
    let env = HookEnv::without_hook("sha1");
    let before = names(&env.analysis().join(".git/hooks"));
    let said = env.install(&[]).assert_code(0);
    assert!(said.stdout == "wrote .git/hooks/pre-push\n", "{}", said.stdout);
    let text = fs::read(hook(&env)).expect("a hook");
    let said = env.install(&[]).assert_code(0);
    assert!(said.stdout.contains("is there already"), "{}", said.stdout);
    assert_eq!(fs::read(hook(&env)).ok(), Some(text.clone()));
    let said = env.install(&["--fail-on", "warning"]).assert_code(0);
    assert!(said.stdout.contains("anew"), "{}", said.stdout);
    assert_ne!(fs::read(hook(&env)).ok(), Some(text));
    assert!(env.carnet(&["hook", "remove"]).assert_code(0).stdout.starts_with("removed "));
    assert_eq!(names(&env.analysis().join(".git/hooks")), before);
    assert!(env.carnet(&["hook", "remove"]).assert_code(0).stdout.contains("no hook of carnet"));
}

fn names(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(dir).expect("a directory").flatten().map(|one| one.path()).collect();
    all.sort();
    all
}

#[test]
fn a_hook_that_lost_its_mode_is_written_anew() {
    let env = HookEnv::with_pushed_commit();
    fs::set_permissions(hook(&env), fs::Permissions::from_mode(0o644)).expect("a mode");
    assert!(env.install(&[]).assert_code(0).stdout.contains("anew"));
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
}

#[test]
fn outside_of_git_there_is_nothing_to_install_into() {
    let mut env = HookEnv::without_hook("sha1");
    let directory = env.root().join("home");
    env.set_analysis(directory);
    let said = env.install(&[]).assert_code(2);
    assert!(said.stderr.contains("lies in no git repository"), "{}", said.stderr);
    env.carnet(&["hook", "remove"]).assert_code(2);
    env.install(&["gone"]).assert_code(2);
}

#[test]
fn a_push_from_below_the_top_and_an_install_from_there_are_the_same() {
    let mut env = HookEnv::without_hook("sha1");
    let top = env.analysis();
    env.write("sub/dir/old.sh", CLEAN);
    // What stands in a configuration matters when it is pushed.
    env.write("sub/carnet.toml.old", "[wrong");
    env.set_analysis(top.join("sub/dir"));
    let said = env.install(&[]).assert_code(0);
    assert!(said.stdout.contains("work/.git/hooks/pre-push"), "{}", said.stdout);
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked("sub/dir/run.sh:2:");
}

#[test]
fn an_analysis_below_the_top_is_looked_at_alone() {
    let env = HookEnv::without_hook("sha1");
    env.write("fit/carnet.toml", "[scan]\nexclude = [\"old/**\"]\n");
    env.install(&["fit"]).assert_code(0);
    env.write("fit/old/run.sh", "cd /afs/cern.ch/user/j/jdoe/work\n");
    env.commit_flagged("other/run.sh");
    env.push(&["main"]).assert_silent();
    env.commit_flagged("fit/run.sh");
    let said = env.push(&["main"]).assert_blocked("fit/run.sh:2:");
    assert!(said.stderr.contains("carnet scan --changed") && said.stderr.contains(" fit\n"), "{}", said.stderr);
    // The directory need not be there now.
    fs::remove_dir_all(env.analysis().join("fit")).expect("removed");
    env.push(&["main"]).assert_blocked("fit/run.sh:2:");
}

#[test]
fn the_command_that_is_named_can_be_typed() {
    let env = HookEnv::without_hook("sha1");
    env.write("my analysis/carnet.toml", "[test]\nrun = \"true\"\n");
    env.install(&["my analysis"]).assert_code(0);
    env.commit_flagged("my analysis/run.sh");
    let said = env.push(&["main"]).assert_blocked("my analysis/run.sh:2:");
    let named = said.stderr.lines().find_map(|line| line.split_once("details: carnet ")).expect("a command").1;
    let typed = env.run("sh", &["-c", &format!("{CARNET} {named}")]).assert_code(1);
    assert!(typed.stdout.contains("home-path"), "{}", typed.stdout);
}

#[test]
fn worktrees_share_the_hook_and_are_told_apart() {
    let mut env = HookEnv::with_pushed_commit();
    env.git(&["worktree", "add", "-q", "-b", "side", "../tree"]).assert_code(0);
    let main = env.analysis();
    let directory = env.root().join("tree");
    env.set_analysis(directory);
    let said = env.install(&[]).assert_code(0);
    assert!(said.stdout.contains("work/.git/hooks/pre-push is there already"), "{}", said.stdout);
    env.commit_flagged("run.sh");
    env.push(&["side"]).assert_blocked("run.sh:2:");
    env.set_analysis(main);
    env.push(&["main"]).assert_silent();
}

#[test]
fn what_git_shows_in_place_of_a_commit_is_not_what_is_pushed() {
    let mut env = HookEnv::with_pushed_commit();
    let flagged = env.commit_flagged("run.sh");
    env.git(&["reset", "-q", "--hard", "HEAD~1"]).assert_code(0);
    let shown = env.commit("nothing new");
    env.git(&["replace", &flagged, &shown]).assert_code(0);
    let push = format!("{flagged}:refs/heads/side");
    env.push(&[&push]).assert_blocked("run.sh:2:");
    // In a worktree git says by its variables which repository it is.
    env.git(&["worktree", "add", "-q", "-b", "side", "../tree"]).assert_code(0);
    let directory = env.root().join("tree");
    env.set_analysis(directory);
    env.push(&[&push]).assert_blocked("run.sh:2:");
}

#[test]
fn hooks_are_written_where_the_repository_wants_them() {
    let env = HookEnv::without_hook("sha1");
    env.git(&["config", "core.hooksPath", ".githooks"]).assert_code(0);
    // The directory isn't there yet, and git would say nothing of that.
    let said = env.install(&[]).assert_code(0);
    assert!(said.stdout.contains("wrote .githooks/pre-push"), "{}", said.stdout);
    assert!(said.stderr.contains("it lies in the working tree"), "{}", said.stderr);
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    env.carnet(&["hook", "remove"]).assert_code(0);
    assert_eq!(names(&env.analysis().join(".githooks")), Vec::<PathBuf>::new());
    assert!(!hook(&env).exists());
}

#[test]
fn hooks_of_every_repository_are_touched_only_when_that_is_asked_for() {
    let env = HookEnv::without_hook("sha1");
    let dir = env.root().join("home/hooks");
    fs::write(env.root().join("home/.gitconfig"), "[core]\nhooksPath = ~/hooks\n").expect("written");
    let said = env.install(&[]).assert_code(2);
    assert!(said.stderr.contains("run for every repository") && said.stderr.contains(".gitconfig"), "{}", said.stderr);
    assert!(said.stderr.contains("--shared"), "{}", said.stderr);
    assert!(!dir.exists());
    env.install(&["--shared"]).assert_code(0);
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    env.carnet(&["hook", "remove"]).assert_code(0);
    assert_eq!(names(&dir), Vec::<PathBuf>::new());
    // The repository's own word counts more.
    env.git(&["config", "core.hooksPath", ".git/hooks"]).assert_code(0);
    env.install(&[]).assert_code(0);
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
}

#[test]
fn hooks_that_are_switched_off_stay_off() {
    let env = HookEnv::without_hook("sha1");
    env.git(&["config", "core.hooksPath", "/dev/null"]).assert_code(0);
    let said = env.install(&[]).assert_code(2);
    assert!(
        said.stderr.contains("which is no directory") && said.stderr.contains("switches hooks off"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_program_that_is_gone_stops_nobody() {
    let mut env = HookEnv::without_hook("sha1");
    env.set_path("/usr/local/bin:/usr/bin:/bin");
    // In a directory whose name no shell would read as it stands.
    let own = env.root().join("it's here $HOME/carnet");
    fs::create_dir_all(own.parent().expect("a parent")).expect("a directory");
    program::install(Path::new(CARNET), &own);
    env.run(own.to_str().expect("UTF-8"), &["hook", "install"]).assert_code(0);
    env.commit_flagged("run.sh");
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    let elsewhere = env.root().join("bin");
    fs::create_dir(&elsewhere).expect("a directory");
    fs::rename(&own, elsewhere.join("carnet")).expect("moved");
    let said = env.push(&["--dry-run", "main"]).assert_code(0);
    assert!(said.stderr.contains("carnet: the program is gone, so nothing was checked"), "{}", said.stderr);
    env.prepend_path(&elsewhere);
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
}
