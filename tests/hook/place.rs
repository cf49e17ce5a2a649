//! Where the hook is written, and that it comes and goes without a trace.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::program;
use crate::world::{CARNET, CLEAN, SAID, World};

fn hook(world: &World) -> PathBuf {
    world.here.join(".git/hooks/pre-push")
}

#[test]
fn installing_twice_changes_nothing_and_removing_leaves_nothing() {
    let world = World::bare("sha1");
    let before = names(&world.here.join(".git/hooks"));
    let said = world.install(&[]).expect(0);
    assert!(said.out == "wrote .git/hooks/pre-push\n", "{}", said.out);
    let text = fs::read(hook(&world)).expect("a hook");
    let said = world.install(&[]).expect(0);
    assert!(said.out.contains("is there already"), "{}", said.out);
    assert_eq!(fs::read(hook(&world)).ok(), Some(text.clone()));
    let said = world.install(&["--fail-on", "warning"]).expect(0);
    assert!(said.out.contains("anew"), "{}", said.out);
    assert_ne!(fs::read(hook(&world)).ok(), Some(text));
    assert!(world.carnet(&["hook", "remove"]).expect(0).out.starts_with("removed "));
    assert_eq!(names(&world.here.join(".git/hooks")), before);
    assert!(world.carnet(&["hook", "remove"]).expect(0).out.contains("no hook of carnet"));
}

fn names(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(dir).expect("a directory").flatten().map(|one| one.path()).collect();
    all.sort();
    all
}

#[test]
fn a_hook_that_lost_its_mode_is_written_anew() {
    let world = World::pushed();
    fs::set_permissions(hook(&world), fs::Permissions::from_mode(0o644)).expect("a mode");
    assert!(world.install(&[]).expect(0).out.contains("anew"));
    world.commit_flagged("run.sh");
    world.push(&["main"]).stopped(SAID);
}

#[test]
fn the_hook_passes_for_any_shell() {
    let world = World::new();
    let checker = tool("shellcheck");
    let checked = world.run(checker.to_str().expect("UTF-8"), &[hook(&world).to_str().expect("UTF-8")]);
    assert_eq!(checked.out, "");
    checked.expect(0);
}

/// A program of the virtual environment that `make tools` makes.
pub(crate) fn tool(name: &str) -> PathBuf {
    let tools = std::env::var_os("CARNET_TOOLS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools"), PathBuf::from);
    let path = tools.join("venv/bin").join(name);
    assert!(path.exists(), "no {}: run `make tools`", path.display());
    path
}

#[test]
fn outside_of_git_there_is_nothing_to_install_into() {
    let mut world = World::bare("sha1");
    world.here = world.top().join("home");
    let said = world.install(&[]).expect(2);
    assert!(said.err.contains("lies in no git repository"), "{}", said.err);
    world.carnet(&["hook", "remove"]).expect(2);
    world.install(&["gone"]).expect(2);
}

#[test]
fn a_push_from_below_the_top_and_an_install_from_there_are_the_same() {
    let mut world = World::bare("sha1");
    let top = world.here.clone();
    world.write("sub/dir/old.sh", CLEAN);
    // What stands in a configuration matters when it is pushed.
    world.write("sub/carnet.toml.old", "[wrong");
    world.here = top.join("sub/dir");
    let said = world.install(&[]).expect(0);
    assert!(said.out.contains("work/.git/hooks/pre-push"), "{}", said.out);
    world.commit_flagged("run.sh");
    world.push(&["main"]).stopped("sub/dir/run.sh:2:");
}

#[test]
fn an_analysis_below_the_top_is_looked_at_alone() {
    let world = World::bare("sha1");
    world.write("fit/carnet.toml", "[scan]\nexclude = [\"old/**\"]\n");
    world.install(&["fit"]).expect(0);
    world.write("fit/old/run.sh", "cd /afs/cern.ch/user/j/jdoe/work\n");
    world.commit_flagged("other/run.sh");
    world.push(&["main"]).silent();
    world.commit_flagged("fit/run.sh");
    let said = world.push(&["main"]).stopped("fit/run.sh:2:");
    assert!(said.err.contains("carnet scan --changed") && said.err.contains(" fit\n"), "{}", said.err);
    // The directory need not be there now.
    fs::remove_dir_all(world.here.join("fit")).expect("removed");
    world.push(&["main"]).stopped("fit/run.sh:2:");
}

#[test]
fn the_command_that_is_named_can_be_typed() {
    let world = World::bare("sha1");
    world.write("my analysis/carnet.toml", "[test]\nrun = \"true\"\n");
    world.install(&["my analysis"]).expect(0);
    world.commit_flagged("my analysis/run.sh");
    let said = world.push(&["main"]).stopped("my analysis/run.sh:2:");
    let named = said.err.lines().find_map(|line| line.split_once("details: carnet ")).expect("a command").1;
    let typed = world.run("sh", &["-c", &format!("{CARNET} {named}")]).expect(1);
    assert!(typed.out.contains("home-path"), "{}", typed.out);
}

#[test]
fn worktrees_share_the_hook_and_are_told_apart() {
    let mut world = World::pushed();
    world.git(&["worktree", "add", "-q", "-b", "side", "../tree"]).expect(0);
    let main = world.here.clone();
    world.here = world.top().join("tree");
    let said = world.install(&[]).expect(0);
    assert!(said.out.contains("work/.git/hooks/pre-push is there already"), "{}", said.out);
    world.commit_flagged("run.sh");
    world.push(&["side"]).stopped("run.sh:2:");
    world.here = main;
    world.push(&["main"]).silent();
}

#[test]
fn what_git_shows_in_place_of_a_commit_is_not_what_is_pushed() {
    let mut world = World::pushed();
    let flagged = world.commit_flagged("run.sh");
    world.git(&["reset", "-q", "--hard", "HEAD~1"]).expect(0);
    let shown = world.commit("nothing new");
    world.git(&["replace", &flagged, &shown]).expect(0);
    let push = format!("{flagged}:refs/heads/side");
    world.push(&[&push]).stopped("run.sh:2:");
    // In a worktree git says by its variables which repository it is.
    world.git(&["worktree", "add", "-q", "-b", "side", "../tree"]).expect(0);
    world.here = world.top().join("tree");
    world.push(&[&push]).stopped("run.sh:2:");
}

#[test]
fn hooks_are_written_where_the_repository_wants_them() {
    let world = World::bare("sha1");
    world.git(&["config", "core.hooksPath", ".githooks"]).expect(0);
    // The directory isn't there yet, and git would say nothing of that.
    let said = world.install(&[]).expect(0);
    assert!(said.out.contains("wrote .githooks/pre-push"), "{}", said.out);
    assert!(said.err.contains("it lies in the working tree"), "{}", said.err);
    world.commit_flagged("run.sh");
    world.push(&["main"]).stopped(SAID);
    world.carnet(&["hook", "remove"]).expect(0);
    assert_eq!(names(&world.here.join(".githooks")), Vec::<PathBuf>::new());
    assert!(!hook(&world).exists());
}

#[test]
fn hooks_of_every_repository_are_touched_only_when_that_is_asked_for() {
    let world = World::bare("sha1");
    let dir = world.top().join("home/hooks");
    fs::write(world.top().join("home/.gitconfig"), "[core]\nhooksPath = ~/hooks\n").expect("written");
    let said = world.install(&[]).expect(2);
    assert!(said.err.contains("run for every repository") && said.err.contains(".gitconfig"), "{}", said.err);
    assert!(said.err.contains("--shared"), "{}", said.err);
    assert!(!dir.exists());
    world.install(&["--shared"]).expect(0);
    world.commit_flagged("run.sh");
    world.push(&["main"]).stopped(SAID);
    world.carnet(&["hook", "remove"]).expect(0);
    assert_eq!(names(&dir), Vec::<PathBuf>::new());
    // The repository's own word counts more.
    world.git(&["config", "core.hooksPath", ".git/hooks"]).expect(0);
    world.install(&[]).expect(0);
    world.push(&["main"]).stopped(SAID);
}

#[test]
fn hooks_that_are_switched_off_stay_off() {
    let world = World::bare("sha1");
    world.git(&["config", "core.hooksPath", "/dev/null"]).expect(0);
    let said = world.install(&[]).expect(2);
    assert!(said.err.contains("which is no directory") && said.err.contains("switches hooks off"), "{}", said.err);
}

#[test]
fn a_program_that_is_gone_stops_nobody() {
    let mut world = World::bare("sha1");
    world.find_little();
    // In a directory whose name no shell would read as it stands.
    let own = world.top().join("it's here $HOME/carnet");
    fs::create_dir_all(own.parent().expect("a parent")).expect("a directory");
    program::put(Path::new(CARNET), &own);
    world.run(own.to_str().expect("UTF-8"), &["hook", "install"]).expect(0);
    world.commit_flagged("run.sh");
    world.push(&["main"]).stopped(SAID);
    let elsewhere = world.top().join("bin");
    fs::create_dir(&elsewhere).expect("a directory");
    fs::rename(&own, elsewhere.join("carnet")).expect("moved");
    let said = world.push(&["--dry-run", "main"]).expect(0);
    assert!(said.err.contains("carnet: the program is gone, so nothing was checked"), "{}", said.err);
    world.find_in(&elsewhere);
    world.push(&["main"]).stopped(SAID);
}
