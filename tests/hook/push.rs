//! What is pushed, in every way that git pushes it.

use std::fs;

use crate::world::{CLEAN, FLAGGED, SAID, World};

#[test]
fn a_first_push_brings_everything() {
    let world = World::new();
    world.write("old.sh", CLEAN);
    world.commit("one");
    world.commit_flagged("run.sh");
    world.write("last.sh", CLEAN);
    world.commit("three");
    let said = world.push(&["main"]).stopped(SAID);
    assert!(said.err.contains("run.sh:2:") && said.err.contains("in 3 changed files (main)"), "{}", said.err);
    assert!(!world.remote_has("main"));
    world.push(&["--no-verify", "main"]).expect(0);
    assert!(world.remote_has("main"));
}

#[test]
fn an_update_brings_what_is_new_alone() {
    let world = World::pushed();
    world.commit_flagged("run.sh");
    world.push(&["--no-verify", "main"]).expect(0);
    // What the remote has is no business of later pushes.
    world.write("new.sh", CLEAN);
    world.commit("three");
    world.push(&["main"]).silent();
    world.commit_flagged("more.sh");
    let said = world.push(&["main"]).stopped(SAID);
    assert!(said.err.contains("more.sh:2:") && !said.err.contains("run.sh"), "{}", said.err);
    assert!(said.err.contains("in 1 changed file (main)"), "{}", said.err);
}

#[test]
fn the_range_that_is_named_is_the_one_that_was_looked_at() {
    let world = World::pushed();
    world.commit_flagged("run.sh");
    let said = world.push(&["main"]).stopped(SAID);
    let range = said.err.split("carnet scan --changed ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let scan = world.carnet(&["scan", "--changed", range.expect("a range")]).expect(1);
    assert!(scan.out.contains("run.sh:2:4"), "{}", scan.out);
}

#[test]
fn a_new_branch_starts_where_it_parted_from_those_of_the_remote() {
    let world = World::pushed();
    world.commit_flagged("run.sh");
    world.push(&["--no-verify", "main"]).expect(0);
    world.git(&["checkout", "-q", "-b", "side"]).expect(0);
    world.push(&["side"]).silent();
    world.git(&["checkout", "-q", "-b", "other"]).expect(0);
    world.write("new.sh", CLEAN);
    world.commit("three");
    world.push(&["other"]).silent();
    world.commit_flagged("more.sh");
    world.push(&["HEAD:refs/heads/third"]).stopped("more.sh:2:");
}

#[test]
fn a_branch_may_be_pushed_from_anything() {
    let world = World::pushed();
    let flagged = world.commit_flagged("run.sh");
    for source in ["HEAD", "main", flagged.as_str(), "HEAD~0"] {
        let said = world.push(&[&format!("{source}:refs/heads/new")]).stopped(SAID);
        assert!(said.err.contains("(new)"), "{}", said.err);
    }
    world.git(&["checkout", "-q", "--detach"]).expect(0);
    world.push(&["HEAD:refs/heads/new"]).stopped(SAID);
}

#[test]
fn a_forced_push_starts_where_the_two_parted() {
    let world = World::pushed();
    world.commit_flagged("run.sh");
    world.push(&["--no-verify", "main"]).expect(0);
    world.git(&["reset", "-q", "--hard", "HEAD~1"]).expect(0);
    world.write("new.sh", CLEAN);
    world.commit("another two");
    world.push(&["--force", "main"]).silent();
    world.write("run.sh", FLAGGED);
    world.git(&["add", "-A"]).expect(0);
    world.git(&["commit", "-q", "--amend", "-m", "amended"]).expect(0);
    world.push(&["--force", "main"]).stopped("run.sh:2:");
}

#[test]
fn what_a_branch_took_in_from_the_remote_is_not_told_again() {
    let world = World::pushed();
    world.git(&["checkout", "-q", "-b", "side"]).expect(0);
    world.write("own.sh", CLEAN);
    world.commit("own");
    world.push(&["side"]).silent();
    // Somebody else's, which the remote has.
    world.git(&["checkout", "-q", "main"]).expect(0);
    world.commit_flagged("other.sh");
    world.push(&["--no-verify", "main"]).expect(0);
    world.git(&["checkout", "-q", "side"]).expect(0);
    world.git(&["merge", "-q", "--no-edit", "main"]).expect(0);
    world.push(&["side"]).silent();
    // By a rebase it is as by a merge, and what is our own is told.
    world.git(&["reset", "-q", "--hard", "main"]).expect(0);
    world.write("own.sh", FLAGGED);
    world.commit("own, rebased");
    let said = world.push(&["--force", "side"]).stopped("own.sh:2:");
    assert!(!said.err.contains("other.sh"), "{}", said.err);
    world.write("other.sh", format!("{FLAGGED}true\n"));
    world.commit("changed");
    world.push(&["--force", "side"]).stopped("other.sh:2:");
}

#[test]
fn an_old_commit_of_the_remote_that_is_not_here_is_no_trouble() {
    let world = World::pushed();
    let other = world.top().join("other");
    world.git(&["clone", "-q", "../remote.git", other.to_str().expect("UTF-8")]).expect(0);
    fs::write(other.join("theirs.sh"), FLAGGED).expect("written");
    world.git(&["-C", "../other", "add", "-A"]).expect(0);
    world.git(&["-C", "../other", "commit", "-qm", "theirs"]).expect(0);
    world.git(&["-C", "../other", "push", "-q"]).expect(0);
    world.write("new.sh", CLEAN);
    world.commit("ours");
    world.push(&["--force", "main"]).silent();
}

#[test]
fn histories_with_nothing_in_common_are_new_as_a_whole() {
    let world = World::pushed();
    world.git(&["checkout", "-q", "--orphan", "pages"]).expect(0);
    let said = {
        world.commit_flagged("page.sh");
        world.push(&["pages"]).stopped(SAID)
    };
    assert!(said.err.contains("in 2 changed files (pages)"), "{}", said.err);
}

#[test]
fn a_deletion_and_an_empty_push_bring_nothing() {
    let world = World::pushed();
    world.push(&["main:gone"]).silent();
    world.commit_flagged("run.sh");
    world.push(&["--delete", "gone"]).silent();
    world.git(&["reset", "-q", "--hard", "origin/main"]).expect(0);
    world.push(&["main"]).silent();
    assert!(!world.remote_has("gone"));
}

#[test]
fn tags_bring_what_their_commits_bring() {
    let world = World::pushed();
    world.git(&["tag", "old"]).expect(0);
    world.git(&["tag", "-a", "-m", "old", "old-told"]).expect(0);
    world.push(&["old", "old-told"]).silent();
    world.commit_flagged("run.sh");
    world.git(&["tag", "new"]).expect(0);
    world.git(&["tag", "-a", "-m", "new", "new-told"]).expect(0);
    world.push(&["new"]).stopped(SAID);
    world.push(&["new-told"]).stopped(SAID);
    // A tag of a tag, and tags of what is no commit.
    world.git(&["tag", "-a", "-m", "twice", "twice", "new-told"]).expect(0);
    world.push(&["twice"]).stopped(SAID);
    world.git(&["tag", "tree", "HEAD^{tree}"]).expect(0);
    world.git(&["tag", "blob", "HEAD:run.sh"]).expect(0);
    world.push(&["tree", "blob"]).silent();
}

#[test]
fn several_refs_at_once_are_one_report() {
    let world = World::pushed();
    world.commit_flagged("run.sh");
    world.git(&["branch", "same"]).expect(0);
    world.git(&["checkout", "-q", "-b", "more"]).expect(0);
    world.commit_flagged("more.sh");
    world.push(&["main:gone"]).stopped(SAID);
    let said = world.push(&["main", "same", "more"]).stopped(SAID);
    assert_eq!(said.err.matches(" run.sh:2:").count(), 1, "what two bring is told once: {}", said.err);
    assert_eq!(said.err.matches(" more.sh:2:").count(), 1, "{}", said.err);
    assert!(said.err.contains("2 errors"), "{}", said.err);
    assert!(!world.remote_has("same"), "none of them went through");
}

#[test]
fn a_dry_run_is_checked_as_well() {
    let world = World::pushed();
    world.commit_flagged("run.sh");
    world.push(&["--dry-run", "main"]).stopped(SAID);
}

#[test]
fn the_working_tree_does_not_matter() {
    let world = World::pushed();
    world.write("new.sh", CLEAN);
    world.commit("two");
    world.write("new.sh", FLAGGED);
    world.write("untracked.sh", FLAGGED);
    world.write("carnet.toml", "[wrong");
    world.push(&["main"]).silent();
    world.git(&["rm", "-q", "--cached", "old.sh"]).expect(0);
    world.git(&["add", "new.sh"]).expect(0);
    world.git(&["commit", "-qm", "three"]).expect(0);
    world.write("new.sh", CLEAN);
    world.push(&["main"]).stopped("new.sh:2:");
    // Another branch than the one that is checked out.
    world.git(&["stash", "-q", "-u"]).expect(0);
    world.git(&["checkout", "-q", "-b", "other", "origin/main"]).expect(0);
    world.push(&["main"]).stopped("new.sh:2:");
}

#[test]
fn what_the_pushed_commit_accepts_is_accepted() {
    let world = World::pushed();
    world.commit_flagged("run.sh");
    let ignore = "[scan]\nignore = [{ rule = \"home-path\", path = \"run.sh\", reason = \"mine\" }]\n";
    world.write("carnet.toml", ignore);
    world.push(&["main"]).stopped(SAID);
    world.commit("accepted");
    fs::remove_file(world.here.join("carnet.toml")).expect("removed");
    world.push(&["--dry-run", "main"]).silent();
    world.git(&["rm", "-q", "carnet.toml"]).expect(0);
    world.carnet(&["scan", "--update-baseline"]).expect(0);
    world.push(&["HEAD:refs/heads/x"]).silent();
    world.commit("a baseline in place of it");
    fs::remove_file(world.here.join("carnet-baseline.json")).expect("removed");
    world.push(&["main"]).silent();
}

#[test]
fn a_configuration_that_is_wrong_stops_the_push() {
    let world = World::pushed();
    for (text, about) in [("[tset]\n", "tset"), ("[scan]\nselect = [\"no-such-rule\"]\n", "no-such-rule")] {
        world.write("carnet.toml", text);
        world.commit("wrong");
        let said = world.push(&["main"]).expect(1);
        assert!(
            said.err.contains("the carnet.toml that is pushed is wrong") && said.err.contains(about),
            "{}",
            said.err
        );
    }
    fs::remove_file(world.here.join("carnet.toml")).expect("removed");
    std::os::unix::fs::symlink("/etc/passwd", world.here.join("carnet.toml")).expect("a link");
    world.commit("a link");
    let said = world.push(&["main"]).expect(1);
    assert!(said.err.contains("it is a link") && !said.err.contains("root:"), "{}", said.err);
}

#[test]
fn what_stops_a_push_is_a_choice() {
    let world = World::pushed();
    world.commit_flagged("run.sh");
    world.install(&["--fail-on", "never"]).expect(0);
    let said = world.push(&["--dry-run", "main"]).expect(0);
    assert!(said.err.contains(SAID) && !said.err.contains("stopped"), "{}", said.err);
    world.install(&[]).expect(0);
    world.push(&["--dry-run", "main"]).stopped(SAID);
    let skipped = world.command("git", &["push", "origin", "main"]).env("CARNET_SKIP", "1").status();
    assert!(skipped.expect("git starts").success());
}

#[test]
fn over_its_budget_it_lets_go() {
    let world = World::pushed();
    world.commit_flagged("run.sh");
    world.carnet(&["hook", "install", "--budget", "1ms"]).expect(0);
    let said = world.push(&["main"]).expect(0);
    assert!(said.err.contains("carnet: not done after 0.001 s: the push goes on unchecked"), "{}", said.err);
}

#[test]
fn at_most_ten_findings_are_shown_worst_first() {
    let world = World::pushed();
    for number in 0..14 {
        world.write(&format!("run{number:02}.sh"), FLAGGED);
    }
    world.write("a.sh", "#!/bin/bash\nsource ~/.bashrc\ncd /tmp/jobs\n");
    world.commit("many");
    let said = world.push(&["main"]).stopped(SAID);
    let shown: Vec<&str> = said.err.lines().filter(|line| line.starts_with("  error ")).collect();
    assert_eq!(shown.len(), 10, "{}", said.err);
    assert!(said.err.contains("14 errors") && said.err.contains("more: carnet scan --changed"), "{}", said.err);
}

#[test]
fn names_and_messages_do_nothing_to_the_terminal() {
    let world = World::pushed();
    world.write("a\u{1b}]0;title\u{7}b.sh", FLAGGED);
    world.write("b.sh", "#!/bin/bash\ncd /afs/cern.ch/user/j/jd\u{1b}[2Joe/work\n");
    world.commit("hostile");
    let said = world.push(&["main"]).expect(1);
    assert!(!said.err.contains('\u{1b}') && !said.err.contains('\u{7}'), "{:?}", said.err);
}

#[test]
fn a_shallow_clone_is_checked() {
    let world = World::pushed();
    world.commit_flagged("run.sh");
    world.push(&["--no-verify", "main"]).expect(0);
    let mut shallow = world;
    let url = format!("file://{}", shallow.top().join("remote.git").display());
    shallow.git(&["clone", "-q", "--depth=1", &url, "../shallow"]).expect(0);
    shallow.here = shallow.top().join("shallow");
    shallow.install(&[]).expect(0);
    shallow.write("new.sh", CLEAN);
    shallow.commit("new");
    shallow.push(&["main"]).silent();
    shallow.commit_flagged("more.sh");
    let said = shallow.push(&["HEAD:refs/heads/side"]).stopped("more.sh:2:");
    assert!(!said.err.contains("run.sh"), "{}", said.err);
}

#[test]
fn a_repository_with_other_hashes_is_checked() {
    let world = World::of("sha256");
    world.write("old.sh", CLEAN);
    world.commit("one");
    world.push(&["main"]).silent();
    world.commit_flagged("run.sh");
    let said = world.push(&["main"]).stopped("run.sh:2:");
    assert!(said.err.contains("in 1 changed file (main)"), "{}", said.err);
    world.push(&["HEAD:refs/heads/side"]).stopped("run.sh:2:");
    world.push(&["--no-verify", "main"]).expect(0);
    world.push(&["--delete", "main"]).expect(1);
    world.push(&["main:side"]).silent();
    world.push(&["--delete", "side"]).silent();
}

#[test]
fn an_address_without_a_name_is_a_remote_too() {
    let world = World::pushed();
    world.git(&["init", "-q", "--bare", "../second.git"]).expect(0);
    world.git(&["push", "../second.git", "main"]).silent();
    world.commit_flagged("run.sh");
    let said = world.git(&["push", "../second.git", "main"]).stopped("run.sh:2:");
    assert!(said.err.contains("in 1 changed file"), "what another remote has is known: {}", said.err);
    // A remote with a name has what its branches have.
    world.git(&["init", "-q", "--bare", "../third.git"]).expect(0);
    world.git(&["remote", "add", "third", "../third.git"]).expect(0);
    let said = world.git(&["push", "third", "main"]).stopped("run.sh:2:");
    assert!(said.err.contains("in 2 changed files"), "{}", said.err);
}

#[test]
fn a_repository_named_by_variables_is_the_one_that_is_checked() {
    let world = World::pushed();
    // As people keep their dot files: the directory is in no repository by itself.
    let home = world.top().join("home");
    let dir = format!("--git-dir={}", world.here.join(".git").display());
    let tree = format!("--work-tree={}", home.display());
    fs::write(home.join("run.sh"), FLAGGED).expect("written");
    let git = |arguments: &[&str]| world.git(&[&["-C", "../home", &dir, &tree], arguments].concat());
    git(&["add", "run.sh"]).expect(0);
    git(&["commit", "-qm", "dot files"]).expect(0);
    git(&["push", "../remote.git", "main"]).stopped("run.sh:2:");
}
