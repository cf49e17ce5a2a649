//! What is pushed, in every way that git pushes it.

use std::fs;

use crate::support::hook::{CLEAN, FLAGGED, FLAGGED_RULE, HookEnv};

#[test]
fn a_first_push_brings_everything() {
    let env = HookEnv::new();
    env.write("old.sh", CLEAN);
    env.commit("one");
    env.commit_flagged("run.sh");
    env.write("last.sh", CLEAN);
    env.commit("three");
    let said = env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    assert!(said.stderr.contains("run.sh:2:") && said.stderr.contains("in 3 changed files (main)"), "{}", said.stderr);
    assert!(!env.remote_has("main"));
    env.push(&["--no-verify", "main"]).assert_code(0);
    assert!(env.remote_has("main"));
}

#[test]
fn an_update_brings_what_is_new_alone() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.push(&["--no-verify", "main"]).assert_code(0);
    // What the remote has is no business of later pushes.
    env.write("new.sh", CLEAN);
    env.commit("three");
    env.push(&["main"]).assert_silent();
    env.commit_flagged("more.sh");
    let said = env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    assert!(said.stderr.contains("more.sh:2:") && !said.stderr.contains("run.sh"), "{}", said.stderr);
    assert!(said.stderr.contains("in 1 changed file (main)"), "{}", said.stderr);
}

#[test]
fn the_range_that_is_named_is_the_one_that_was_looked_at() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    let said = env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    let range = said.stderr.split("carnet scan --changed ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let scan = env.carnet(&["scan", "--changed", range.expect("a range")]).assert_code(1);
    assert!(scan.stdout.contains("run.sh:2:4"), "{}", scan.stdout);
}

#[test]
fn a_new_branch_starts_where_it_parted_from_those_of_the_remote() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.push(&["--no-verify", "main"]).assert_code(0);
    env.git(&["checkout", "-q", "-b", "side"]).assert_code(0);
    env.push(&["side"]).assert_silent();
    env.git(&["checkout", "-q", "-b", "other"]).assert_code(0);
    env.write("new.sh", CLEAN);
    env.commit("three");
    env.push(&["other"]).assert_silent();
    env.commit_flagged("more.sh");
    env.push(&["HEAD:refs/heads/third"]).assert_blocked("more.sh:2:");
}

#[test]
fn a_branch_may_be_pushed_from_anything() {
    let env = HookEnv::with_pushed_commit();
    let flagged = env.commit_flagged("run.sh");
    for source in ["HEAD", "main", flagged.as_str(), "HEAD~0"] {
        let said = env.push(&[&format!("{source}:refs/heads/new")]).assert_blocked(FLAGGED_RULE);
        assert!(said.stderr.contains("(new)"), "{}", said.stderr);
    }
    env.git(&["checkout", "-q", "--detach"]).assert_code(0);
    env.push(&["HEAD:refs/heads/new"]).assert_blocked(FLAGGED_RULE);
}

#[test]
fn a_forced_push_starts_where_the_two_parted() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.push(&["--no-verify", "main"]).assert_code(0);
    env.git(&["reset", "-q", "--hard", "HEAD~1"]).assert_code(0);
    env.write("new.sh", CLEAN);
    env.commit("another two");
    env.push(&["--force", "main"]).assert_silent();
    env.write("run.sh", FLAGGED);
    env.git(&["add", "-A"]).assert_code(0);
    env.git(&["commit", "-q", "--amend", "-m", "amended"]).assert_code(0);
    env.push(&["--force", "main"]).assert_blocked("run.sh:2:");
}

#[test]
fn what_a_branch_took_in_from_the_remote_is_not_told_again() {
    let env = HookEnv::with_pushed_commit();
    env.git(&["checkout", "-q", "-b", "side"]).assert_code(0);
    env.write("own.sh", CLEAN);
    env.commit("own");
    env.push(&["side"]).assert_silent();
    // Somebody else's, which the remote has.
    env.git(&["checkout", "-q", "main"]).assert_code(0);
    env.commit_flagged("other.sh");
    env.push(&["--no-verify", "main"]).assert_code(0);
    env.git(&["checkout", "-q", "side"]).assert_code(0);
    env.git(&["merge", "-q", "--no-edit", "main"]).assert_code(0);
    env.push(&["side"]).assert_silent();
    // By a rebase it is as by a merge, and what is our own is told.
    env.git(&["reset", "-q", "--hard", "main"]).assert_code(0);
    env.write("own.sh", FLAGGED);
    env.commit("own, rebased");
    let said = env.push(&["--force", "side"]).assert_blocked("own.sh:2:");
    assert!(!said.stderr.contains("other.sh"), "{}", said.stderr);
    env.write("other.sh", format!("{FLAGGED}true\n"));
    env.commit("changed");
    env.push(&["--force", "side"]).assert_blocked("other.sh:2:");
}

#[test]
fn an_old_commit_of_the_remote_that_is_not_here_is_no_trouble() {
    let env = HookEnv::with_pushed_commit();
    let other = env.root().join("other");
    env.git(&["clone", "-q", "../remote.git", other.to_str().expect("UTF-8")]).assert_code(0);
    fs::write(other.join("theirs.sh"), FLAGGED).expect("written");
    env.git(&["-C", "../other", "add", "-A"]).assert_code(0);
    env.git(&["-C", "../other", "commit", "-qm", "theirs"]).assert_code(0);
    env.git(&["-C", "../other", "push", "-q"]).assert_code(0);
    env.write("new.sh", CLEAN);
    env.commit("ours");
    env.push(&["--force", "main"]).assert_silent();
}

#[test]
fn histories_with_nothing_in_common_are_new_as_a_whole() {
    let env = HookEnv::with_pushed_commit();
    env.git(&["checkout", "-q", "--orphan", "pages"]).assert_code(0);
    let said = {
        env.commit_flagged("page.sh");
        env.push(&["pages"]).assert_blocked(FLAGGED_RULE)
    };
    assert!(said.stderr.contains("in 2 changed files (pages)"), "{}", said.stderr);
}

#[test]
fn a_deletion_and_an_empty_push_bring_nothing() {
    let env = HookEnv::with_pushed_commit();
    env.push(&["main:gone"]).assert_silent();
    env.commit_flagged("run.sh");
    env.push(&["--delete", "gone"]).assert_silent();
    env.git(&["reset", "-q", "--hard", "origin/main"]).assert_code(0);
    env.push(&["main"]).assert_silent();
    assert!(!env.remote_has("gone"));
}

#[test]
fn tags_bring_what_their_commits_bring() {
    let env = HookEnv::with_pushed_commit();
    env.git(&["tag", "old"]).assert_code(0);
    env.git(&["tag", "-a", "-m", "old", "old-told"]).assert_code(0);
    env.push(&["old", "old-told"]).assert_silent();
    env.commit_flagged("run.sh");
    env.git(&["tag", "new"]).assert_code(0);
    env.git(&["tag", "-a", "-m", "new", "new-told"]).assert_code(0);
    env.push(&["new"]).assert_blocked(FLAGGED_RULE);
    env.push(&["new-told"]).assert_blocked(FLAGGED_RULE);
    // A tag of a tag, and tags of what is no commit.
    env.git(&["tag", "-a", "-m", "twice", "twice", "new-told"]).assert_code(0);
    env.push(&["twice"]).assert_blocked(FLAGGED_RULE);
    env.git(&["tag", "tree", "HEAD^{tree}"]).assert_code(0);
    env.git(&["tag", "blob", "HEAD:run.sh"]).assert_code(0);
    env.push(&["tree", "blob"]).assert_silent();
}

#[test]
fn several_refs_at_once_are_one_report() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.git(&["branch", "same"]).assert_code(0);
    env.git(&["checkout", "-q", "-b", "more"]).assert_code(0);
    env.commit_flagged("more.sh");
    env.push(&["main:gone"]).assert_blocked(FLAGGED_RULE);
    let said = env.push(&["main", "same", "more"]).assert_blocked(FLAGGED_RULE);
    assert_eq!(said.stderr.matches(" run.sh:2:").count(), 1, "what two bring is told once: {}", said.stderr);
    assert_eq!(said.stderr.matches(" more.sh:2:").count(), 1, "{}", said.stderr);
    assert!(said.stderr.contains("2 errors"), "{}", said.stderr);
    assert!(!env.remote_has("same"), "none of them went through");
}

#[test]
fn a_dry_run_is_checked_as_well() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.push(&["--dry-run", "main"]).assert_blocked(FLAGGED_RULE);
}

#[test]
fn the_working_tree_does_not_matter() {
    let env = HookEnv::with_pushed_commit();
    env.write("new.sh", CLEAN);
    env.commit("two");
    env.write("new.sh", FLAGGED);
    env.write("untracked.sh", FLAGGED);
    env.write("carnet.toml", "[wrong");
    env.push(&["main"]).assert_silent();
    env.git(&["rm", "-q", "--cached", "old.sh"]).assert_code(0);
    env.git(&["add", "new.sh"]).assert_code(0);
    env.git(&["commit", "-qm", "three"]).assert_code(0);
    env.write("new.sh", CLEAN);
    env.push(&["main"]).assert_blocked("new.sh:2:");
    // Another branch than the one that is checked out.
    env.git(&["stash", "-q", "-u"]).assert_code(0);
    env.git(&["checkout", "-q", "-b", "other", "origin/main"]).assert_code(0);
    env.push(&["main"]).assert_blocked("new.sh:2:");
}

#[test]
fn what_the_pushed_commit_accepts_is_accepted() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    let ignore = "[scan]\nignore = [{ rule = \"home-path\", path = \"run.sh\", reason = \"mine\" }]\n";
    env.write("carnet.toml", ignore);
    env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    env.commit("accepted");
    fs::remove_file(env.analysis().join("carnet.toml")).expect("removed");
    env.push(&["--dry-run", "main"]).assert_silent();
    env.git(&["rm", "-q", "carnet.toml"]).assert_code(0);
    env.carnet(&["scan", "--update-baseline"]).assert_code(0);
    env.push(&["HEAD:refs/heads/x"]).assert_silent();
    env.commit("a baseline in place of it");
    fs::remove_file(env.analysis().join("carnet-baseline.json")).expect("removed");
    env.push(&["main"]).assert_silent();
}

#[test]
fn a_configuration_that_is_wrong_stops_the_push() {
    let env = HookEnv::with_pushed_commit();
    for (text, about) in [("[tset]\n", "tset"), ("[scan]\nselect = [\"no-such-rule\"]\n", "no-such-rule")] {
        env.write("carnet.toml", text);
        env.commit("wrong");
        let said = env.push(&["main"]).assert_code(1);
        assert!(
            said.stderr.contains("the carnet.toml that is pushed is wrong") && said.stderr.contains(about),
            "{}",
            said.stderr
        );
    }
    fs::remove_file(env.analysis().join("carnet.toml")).expect("removed");
    std::os::unix::fs::symlink("/etc/passwd", env.analysis().join("carnet.toml")).expect("a link");
    env.commit("a link");
    let said = env.push(&["main"]).assert_code(1);
    assert!(said.stderr.contains("it is a link") && !said.stderr.contains("root:"), "{}", said.stderr);
}

#[test]
fn what_stops_a_push_is_a_choice() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.install(&["--fail-on", "never"]).assert_code(0);
    let said = env.push(&["--dry-run", "main"]).assert_code(0);
    assert!(said.stderr.contains(FLAGGED_RULE) && !said.stderr.contains("stopped"), "{}", said.stderr);
    env.install(&[]).assert_code(0);
    env.push(&["--dry-run", "main"]).assert_blocked(FLAGGED_RULE);
    let skipped = env.command("git", &["push", "origin", "main"]).env("CARNET_SKIP", "1").status();
    assert!(skipped.expect("git starts").success());
}

#[test]
fn over_its_budget_it_lets_go() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.carnet(&["hook", "install", "--budget", "1ms"]).assert_code(0);
    let said = env.push(&["main"]).assert_code(0);
    assert!(said.stderr.contains("carnet: not done after 0.001 s: the push goes on unchecked"), "{}", said.stderr);
}

#[test]
fn at_most_ten_findings_are_shown_worst_first() {
    let env = HookEnv::with_pushed_commit();
    for number in 0..14 {
        env.write(&format!("run{number:02}.sh"), FLAGGED);
    }
    env.write("a.sh", "#!/bin/bash\nsource ~/.bashrc\ncd /tmp/jobs\n");
    env.commit("many");
    let said = env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    let shown: Vec<&str> = said.stderr.lines().filter(|line| line.starts_with("  error ")).collect();
    assert_eq!(shown.len(), 10, "{}", said.stderr);
    assert!(
        said.stderr.contains("14 errors") && said.stderr.contains("more: carnet scan --changed"),
        "{}",
        said.stderr
    );
}

#[test]
fn names_and_messages_do_nothing_to_the_terminal() {
    let env = HookEnv::with_pushed_commit();
    env.write("a\u{1b}]0;title\u{7}b.sh", FLAGGED);
    env.write("b.sh", "#!/bin/bash\ncd /afs/cern.ch/user/j/jd\u{1b}[2Joe/work\n");
    env.commit("hostile");
    let said = env.push(&["main"]).assert_code(1);
    assert!(!said.stderr.contains('\u{1b}') && !said.stderr.contains('\u{7}'), "{:?}", said.stderr);
}

#[test]
fn a_shallow_clone_is_checked() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.push(&["--no-verify", "main"]).assert_code(0);
    let mut shallow = env;
    let url = format!("file://{}", shallow.root().join("remote.git").display());
    shallow.git(&["clone", "-q", "--depth=1", &url, "../shallow"]).assert_code(0);
    let directory = shallow.root().join("shallow");
    shallow.set_analysis(directory);
    shallow.install(&[]).assert_code(0);
    shallow.write("new.sh", CLEAN);
    shallow.commit("new");
    shallow.push(&["main"]).assert_silent();
    shallow.commit_flagged("more.sh");
    let said = shallow.push(&["HEAD:refs/heads/side"]).assert_blocked("more.sh:2:");
    assert!(!said.stderr.contains("run.sh"), "{}", said.stderr);
}

#[test]
fn a_repository_with_other_hashes_is_checked() {
    let env = HookEnv::with_object_format("sha256");
    env.write("old.sh", CLEAN);
    env.commit("one");
    env.push(&["main"]).assert_silent();
    env.commit_flagged("run.sh");
    let said = env.push(&["main"]).assert_blocked("run.sh:2:");
    assert!(said.stderr.contains("in 1 changed file (main)"), "{}", said.stderr);
    env.push(&["HEAD:refs/heads/side"]).assert_blocked("run.sh:2:");
    env.push(&["--no-verify", "main"]).assert_code(0);
    env.push(&["--delete", "main"]).assert_code(1);
    env.push(&["main:side"]).assert_silent();
    env.push(&["--delete", "side"]).assert_silent();
}

#[test]
fn an_address_without_a_name_is_a_remote_too() {
    let env = HookEnv::with_pushed_commit();
    env.git(&["init", "-q", "--bare", "../second.git"]).assert_code(0);
    env.git(&["push", "../second.git", "main"]).assert_silent();
    env.commit_flagged("run.sh");
    let said = env.git(&["push", "../second.git", "main"]).assert_blocked("run.sh:2:");
    assert!(said.stderr.contains("in 1 changed file"), "what another remote has is known: {}", said.stderr);
    // A remote with a name has what its branches have.
    env.git(&["init", "-q", "--bare", "../third.git"]).assert_code(0);
    env.git(&["remote", "add", "third", "../third.git"]).assert_code(0);
    let said = env.git(&["push", "third", "main"]).assert_blocked("run.sh:2:");
    assert!(said.stderr.contains("in 2 changed files"), "{}", said.stderr);
}

#[test]
fn a_repository_named_by_variables_is_the_one_that_is_checked() {
    let env = HookEnv::with_pushed_commit();
    // As people keep their dot files: the directory is in no repository by itself.
    let home = env.root().join("home");
    let dir = format!("--git-dir={}", env.analysis().join(".git").display());
    let tree = format!("--work-tree={}", home.display());
    fs::write(home.join("run.sh"), FLAGGED).expect("written");
    let git = |arguments: &[&str]| env.git(&[&["-C", "../home", &dir, &tree], arguments].concat());
    git(&["add", "run.sh"]).assert_code(0);
    git(&["commit", "-qm", "dot files"]).assert_code(0);
    git(&["push", "../remote.git", "main"]).assert_blocked("run.sh:2:");
}
