//! The commits and findings that the hook reports for every kind of push.

use std::fs;
use std::os::unix::fs::symlink;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::hook::{CLEAN, FLAGGED, FLAGGED_RULE, HookEnv};

#[test]
fn first_push_scans_all_commits() {
    let env = HookEnv::new();
    env.write("old.sh", CLEAN);
    env.commit("one");
    env.commit_flagged("run.sh");
    env.write("last.sh", CLEAN);
    env.commit("three");
    let output = env.push(&["main"]).assert_code(1);
    assert_snapshot!(env.redact(&output.text()), @"
    carnet: 1 error in 3 changed files (main)
      error run.sh:2: `/afs/cern.ch/user/j/jdoe/work` is in jdoe's directory; `/afs/cern.ch/user` exists at cern-lxplus; not at 18 others [home-path]
            read it from an argument, a configuration file or an environment variable, and reference data by logical names or URLs
      details: carnet scan --changed [ID]
    carnet: push blocked; fix or accept the findings or use `git push --no-verify`
    error: failed to push some refs to '../remote.git'
    ");
    assert!(!env.remote_has("main"));
    env.push(&["--no-verify", "main"]).assert_code(0);
    assert!(env.remote_has("main"));
}

#[test]
fn update_scans_only_new_commits() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.push(&["--no-verify", "main"]).assert_code(0);
    // Later pushes do not scan commits that the remote has.
    env.write("new.sh", CLEAN);
    env.commit("three");
    env.push(&["main"]).assert_silent();
    env.commit_flagged("more.sh");
    let output = env.push(&["main"]).assert_code(1);
    assert_snapshot!(env.redact_messages(&output), @r"
    carnet: 1 error in 1 changed file (main)
      error more.sh:2: [MESSAGE] [home-path]
      details: carnet scan --changed [ID]..[ID]
    carnet: push blocked; fix or accept the findings or use `git push --no-verify`
    error: failed to push some refs to '../remote.git'
    ");
}

#[test]
fn suggested_command_scans_the_same_range() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    let output = env.push(&["main"]).assert_blocked(FLAGGED_RULE);
    let range = output.stderr.lines().find_map(|line| line.strip_prefix("  details: carnet scan --changed "));
    let scan = env.carnet(&["scan", "--changed", range.expect("a range"), "--format", "json"]).assert_code(1);
    let scan: Value = serde_json::from_str(&scan.stdout).expect("JSON");
    let findings = scan["findings"].as_array().expect("findings");
    let lines: Vec<_> = findings.iter().map(|one| [&one["path"], &one["line"], &one["rule"]]).collect();
    // The repository has no tests.
    assert_eq!(json!(lines), json!([[".", null, "missing-tests"], ["run.sh", 2, "home-path"]]));
}

#[test]
fn new_branch_is_compared_with_its_base_on_the_remote() {
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
fn any_source_of_a_branch_is_scanned() {
    let env = HookEnv::with_pushed_commit();
    let flagged = env.commit_flagged("run.sh");
    for source in ["HEAD", "main", flagged.as_str(), "HEAD~0"] {
        let output = env.push(&[&format!("{source}:refs/heads/new")]).assert_blocked(FLAGGED_RULE);
        assert_eq!(output.stderr.lines().next(), Some("carnet: 1 error in 1 changed file (new)"), "{source}");
    }
    env.git(&["checkout", "-q", "--detach"]).assert_code(0);
    env.push(&["HEAD:refs/heads/new"]).assert_blocked(FLAGGED_RULE);
}

#[test]
fn forced_push_is_compared_with_the_common_ancestor() {
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
fn merged_and_rebased_commits_of_the_remote_are_not_scanned() {
    let env = HookEnv::with_pushed_commit();
    env.git(&["checkout", "-q", "-b", "side"]).assert_code(0);
    env.write("own.sh", CLEAN);
    env.commit("own");
    env.push(&["side"]).assert_silent();
    // A commit of another user, which the remote has.
    env.git(&["checkout", "-q", "main"]).assert_code(0);
    env.commit_flagged("other.sh");
    env.push(&["--no-verify", "main"]).assert_code(0);
    env.git(&["checkout", "-q", "side"]).assert_code(0);
    env.git(&["merge", "-q", "--no-edit", "main"]).assert_code(0);
    env.push(&["side"]).assert_silent();
    // After a rebase, only the commits of the branch are scanned.
    env.git(&["reset", "-q", "--hard", "main"]).assert_code(0);
    env.write("own.sh", FLAGGED);
    env.commit("own, rebased");
    env.push(&["--force", "side"]).assert_blocked("own.sh:2:").assert_lacks("other.sh");
    env.write("other.sh", format!("{FLAGGED}true\n"));
    env.commit("changed");
    env.push(&["--force", "side"]).assert_blocked("other.sh:2:");
}

#[test]
fn missing_remote_commit_does_not_block_the_push() {
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
fn unrelated_history_is_scanned_completely() {
    let env = HookEnv::with_pushed_commit();
    env.git(&["checkout", "-q", "--orphan", "pages"]).assert_code(0);
    env.commit_flagged("page.sh");
    let output = env.push(&["pages"]).assert_blocked(FLAGGED_RULE);
    assert_eq!(output.stderr.lines().next(), Some("carnet: 1 error in 2 changed files (pages)"));
}

#[test]
fn deletion_and_empty_push_scan_nothing() {
    let env = HookEnv::with_pushed_commit();
    env.push(&["main:gone"]).assert_silent();
    env.commit_flagged("run.sh");
    env.push(&["--delete", "gone"]).assert_silent();
    env.git(&["reset", "-q", "--hard", "origin/main"]).assert_code(0);
    env.push(&["main"]).assert_silent();
    assert!(!env.remote_has("gone"));
}

#[test]
fn tags_of_new_commits_are_scanned() {
    let env = HookEnv::with_pushed_commit();
    env.git(&["tag", "old"]).assert_code(0);
    env.git(&["tag", "-a", "-m", "old", "annotated-old"]).assert_code(0);
    env.push(&["old", "annotated-old"]).assert_silent();
    env.commit_flagged("run.sh");
    env.git(&["tag", "new"]).assert_code(0);
    env.git(&["tag", "-a", "-m", "new", "annotated-new"]).assert_code(0);
    env.push(&["new"]).assert_blocked(FLAGGED_RULE);
    env.push(&["annotated-new"]).assert_blocked(FLAGGED_RULE);
    // A tag of a tag, and tags of objects that are not commits.
    env.git(&["tag", "-a", "-m", "twice", "twice", "annotated-new"]).assert_code(0);
    env.push(&["twice"]).assert_blocked(FLAGGED_RULE);
    env.git(&["tag", "tree", "HEAD^{tree}"]).assert_code(0);
    env.git(&["tag", "blob", "HEAD:run.sh"]).assert_code(0);
    env.push(&["tree", "blob"]).assert_silent();
}

#[test]
fn several_refs_have_one_report() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.git(&["branch", "same"]).assert_code(0);
    env.git(&["checkout", "-q", "-b", "more"]).assert_code(0);
    env.commit_flagged("more.sh");
    env.push(&["main:gone"]).assert_blocked(FLAGGED_RULE);
    let output = env.push(&["main", "same", "more"]).assert_code(1);
    assert_snapshot!(env.redact_messages(&output), @r"
    carnet: 2 errors in 3 changed files (main, same, more)
      error more.sh:2: [MESSAGE] [home-path]
      error run.sh:2: [MESSAGE] [home-path]
      details: carnet scan --changed [ID]..[ID]
      details: carnet scan --changed [ID]..[ID]
    carnet: push blocked; fix or accept the findings or use `git push --no-verify`
    error: failed to push some refs to '../remote.git'
    ");
    assert_eq!(["main", "same", "more"].map(|branch| env.remote_has(branch)), [true, false, false]);
}

#[test]
fn dry_run_is_scanned() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.push(&["--dry-run", "main"]).assert_blocked(FLAGGED_RULE);
}

#[test]
fn hook_ignores_the_working_tree() {
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
    // The pushed branch is not checked out.
    env.git(&["stash", "-q", "-u"]).assert_code(0);
    env.git(&["checkout", "-q", "-b", "other", "origin/main"]).assert_code(0);
    env.push(&["main"]).assert_blocked("new.sh:2:");
}

#[test]
fn hook_uses_the_configuration_and_baseline_of_the_pushed_commit() {
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
    env.commit("baseline");
    fs::remove_file(env.analysis().join("carnet-baseline.json")).expect("removed");
    env.push(&["main"]).assert_silent();
}

#[test]
fn invalid_configuration_blocks_the_push() {
    let env = HookEnv::with_pushed_commit();
    env.write("carnet.toml", "[tset]\n");
    env.commit("unknown table");
    assert_snapshot!(env.redact(&env.push(&["main"]).assert_code(1).text()), @r"
    carnet: invalid carnet.toml in the pushed commit
    error: unknown key `tset`
     --> [ANALYSIS]/carnet.toml:1:2
      |
    1 | [tset]
      |  ^^^^
      |
      = help: did you mean `test`?
    error: failed to push some refs to '../remote.git'
    ");
    env.write("carnet.toml", "[scan]\nselect = [\"no-such-rule\"]\n");
    env.commit("unknown rule");
    assert_snapshot!(env.redact(&env.push(&["main"]).assert_code(1).text()), @r#"
    carnet: invalid carnet.toml in the pushed commit
    error: unknown rule `no-such-rule`
     --> [ANALYSIS]/carnet.toml:2:11
      |
    2 | select = ["no-such-rule"]
      |           ^^^^^^^^^^^^^^
      |
      = help: run `carnet rules` to list the rules
    error: failed to push some refs to '../remote.git'
    "#);
    fs::remove_file(env.analysis().join("carnet.toml")).expect("removed");
    symlink("/etc/passwd", env.analysis().join("carnet.toml")).expect("a link");
    env.commit("link");
    assert_snapshot!(env.redact(&env.push(&["main"]).assert_code(1).text()), @r"
    carnet: invalid carnet.toml in the pushed commit
    error: failed to read `[ANALYSIS]/carnet.toml`: in the pushed commit, it is a link, too large or not UTF-8
    error: failed to push some refs to '../remote.git'
    ");
}

#[test]
fn options_and_variables_decide_what_blocks_the_push() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.install(&["--fail-on", "never"]).assert_code(0);
    let output = env.push(&["--dry-run", "main"]).assert_code(0);
    assert_snapshot!(env.redact_messages(&output), @r"
    carnet: 1 error in 1 changed file (main)
      error run.sh:2: [MESSAGE] [home-path]
      details: carnet scan --changed [ID]..[ID]
    ");
    env.install(&[]).assert_code(0);
    env.push(&["--dry-run", "main"]).assert_blocked(FLAGGED_RULE);
    let skipped = env.command("git", &["push", "-q", "origin", "main"]).env("CARNET_SKIP", "1").status();
    assert!(skipped.expect("git starts").success());
}

#[test]
fn push_continues_if_the_scan_exceeds_the_budget() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.carnet(&["hook", "install", "--budget", "1ms"]).assert_code(0);
    let output = env.push(&["main"]).assert_code(0);
    assert_snapshot!(output.text(), @"carnet: push not checked: the scan exceeded 0.001 s; run `carnet scan`, or increase `--budget`");
}

#[test]
fn hook_shows_ten_findings_and_the_most_severe_first() {
    let env = HookEnv::with_pushed_commit();
    for number in 0..14 {
        env.write(&format!("run{number:02}.sh"), FLAGGED);
    }
    env.write("a.sh", "#!/bin/bash\nsource ~/.bashrc\ncd /tmp/jobs\n");
    env.commit("many");
    let output = env.push(&["main"]).assert_code(1);
    assert_snapshot!(env.redact_messages(&output), @r"
    carnet: 14 errors, 2 warnings in 15 changed files (main)
      error run00.sh:2: [MESSAGE] [home-path]
      error run01.sh:2: [MESSAGE] [home-path]
      error run02.sh:2: [MESSAGE] [home-path]
      error run03.sh:2: [MESSAGE] [home-path]
      error run04.sh:2: [MESSAGE] [home-path]
      error run05.sh:2: [MESSAGE] [home-path]
      error run06.sh:2: [MESSAGE] [home-path]
      error run07.sh:2: [MESSAGE] [home-path]
      error run08.sh:2: [MESSAGE] [home-path]
      error run09.sh:2: [MESSAGE] [home-path]
      6 more: carnet scan --changed [ID]..[ID]
    carnet: push blocked; fix or accept the findings or use `git push --no-verify`
    error: failed to push some refs to '../remote.git'
    ");
}

#[test]
fn output_contains_no_control_characters() {
    let env = HookEnv::with_pushed_commit();
    env.write("a\u{1b}]0;title\u{7}b.sh", FLAGGED);
    env.write("b.sh", "#!/bin/bash\ncd /afs/cern.ch/user/j/jd\u{1b}[2Joe/work\n");
    env.commit("hostile");
    env.push(&["main"]).assert_code(1).assert_lacks("\u{1b}").assert_lacks("\u{7}");
}

#[test]
fn shallow_clone_is_scanned() {
    let env = HookEnv::with_pushed_commit();
    env.commit_flagged("run.sh");
    env.push(&["--no-verify", "main"]).assert_code(0);
    let mut shallow = env;
    let url = format!("file://{}", shallow.path("remote.git").display());
    shallow.git(&["clone", "-q", "--depth=1", &url, "../shallow"]).assert_code(0);
    let directory = shallow.path("shallow");
    shallow.set_analysis(directory);
    shallow.install(&[]).assert_code(0);
    shallow.write("new.sh", CLEAN);
    shallow.commit("new");
    shallow.push(&["main"]).assert_silent();
    shallow.commit_flagged("more.sh");
    shallow.push(&["HEAD:refs/heads/side"]).assert_blocked("more.sh:2:").assert_lacks("run.sh");
}

#[test]
fn sha256_repository_is_scanned() {
    let env = HookEnv::with_object_format("sha256");
    env.write("old.sh", CLEAN);
    env.commit("one");
    env.push(&["main"]).assert_silent();
    env.commit_flagged("run.sh");
    let output = env.push(&["main"]).assert_blocked("run.sh:2:");
    assert_eq!(output.stderr.lines().next(), Some("carnet: 1 error in 1 changed file (main)"));
    env.push(&["HEAD:refs/heads/side"]).assert_blocked("run.sh:2:");
    env.push(&["--no-verify", "main"]).assert_code(0);
    env.push(&["--delete", "main"]).assert_code(1);
    env.push(&["main:side"]).assert_silent();
    env.push(&["--delete", "side"]).assert_silent();
}

#[test]
fn push_to_a_url_is_compared_with_known_remotes() {
    let env = HookEnv::with_pushed_commit();
    env.git(&["init", "-q", "--bare", "../second.git"]).assert_code(0);
    let push = |remote: &str| env.git(&["push", "-q", remote, "main"]);
    push("../second.git").assert_silent();
    env.commit_flagged("run.sh");
    // A URL is compared with the branches of every remote.
    let output = push("../second.git").assert_blocked("run.sh:2:");
    assert_eq!(output.stderr.lines().next(), Some("carnet: 1 error in 1 changed file (main)"));
    // A named remote is compared with its own branches.
    env.git(&["init", "-q", "--bare", "../third.git"]).assert_code(0);
    env.git(&["remote", "add", "third", "../third.git"]).assert_code(0);
    let output = push("third").assert_blocked("run.sh:2:");
    assert_eq!(output.stderr.lines().next(), Some("carnet: 1 error in 2 changed files (main)"));
}

#[test]
fn repository_in_git_variables_is_scanned() {
    let env = HookEnv::with_pushed_commit();
    // As for dotfiles: the directory is not in a repository without the variables.
    let home = env.home();
    let dir = format!("--git-dir={}", env.analysis().join(".git").display());
    let tree = format!("--work-tree={}", home.display());
    fs::write(home.join("run.sh"), FLAGGED).expect("written");
    let git = |arguments: &[&str]| env.git(&[&["-C", "../home", &dir, &tree], arguments].concat());
    git(&["add", "run.sh"]).assert_code(0);
    git(&["commit", "-qm", "dotfiles"]).assert_code(0);
    git(&["push", "../remote.git", "main"]).assert_blocked("run.sh:2:");
}
