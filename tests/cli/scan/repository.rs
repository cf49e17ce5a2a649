//! Repositories in every state that git leaves them in.

use std::fs;

use crate::scan::findings::{FLAGGED, paths};
use crate::support::TestEnv;

#[test]
fn one_without_commits_is_scanned() {
    let env = TestEnv::new();
    env.git(&["init", "-q"]).assert_code(0);
    let scan = env.assert_scan_completes();
    assert!(
        scan["analysis"]["commit"].is_null() && scan["analysis"]["dirty"] == true,
        "{} {}",
        scan["findings"],
        scan["notes"]
    );
}

#[test]
fn a_bare_one_is_a_directory_like_others() {
    let env = TestEnv::new();
    env.git(&["init", "-q", "--bare", "."]).assert_code(0);
    env.assert_scan_completes();
    env.git(&["init", "-q", "--bare", "inner.git"]).assert_code(0);
    env.carnet(&["scan", "inner.git"]).assert_code(0);
}

#[test]
fn a_worktree_and_a_shallow_clone_are_scanned() {
    let env = TestEnv::new();
    env.git(&["init", "-q", "origin"]).assert_code(0);
    env.write("origin/a.sh", FLAGGED);
    let inside = |arguments: &[&str]| env.git(&[&["-C", "origin"], arguments].concat());
    inside(&["add", "-A"]);
    inside(&["commit", "-qm", "one"]);
    inside(&["commit", "-qm", "two", "--allow-empty"]);
    inside(&["worktree", "add", "-q", "../tree"]);
    let origin = format!("file://{}", env.analysis().join("origin").display());
    env.git(&["clone", "-q", "--depth=1", &origin, "shallow"]).assert_code(0);
    for place in ["tree", "shallow"] {
        let scan = env.scan(&[place]);
        assert_eq!(paths(&scan), ["a.sh"], "{place}: {}", scan["findings"]);
        assert!(scan["analysis"]["commit"].is_string(), "{place}");
        let scan = env.scan(&[place, "--changed", "HEAD"]);
        assert_eq!(paths(&scan), ["a.sh"], "{place}: {}", scan["findings"]);
    }
}

#[test]
fn submodules_are_left_to_their_own_scan() {
    let env = TestEnv::new();
    env.git(&["init", "-q", "other"]).assert_code(0);
    env.write("other/a.sh", FLAGGED);
    env.git(&["-C", "other", "add", "-A"]).assert_code(0);
    env.git(&["-C", "other", "commit", "-qm", "one"]).assert_code(0);
    env.git(&["init", "-q", "main"]).assert_code(0);
    env.write("main/own.sh", FLAGGED);
    let other = env.analysis().join("other");
    env.git(&["-C", "main", "submodule", "--quiet", "add", other.to_str().expect("UTF-8"), "sub"]).assert_code(0);
    env.git(&["-C", "main", "add", "-A"]).assert_code(0);
    env.git(&["-C", "main", "commit", "-qm", "one"]).assert_code(0);
    env.git(&["clone", "-q", "main", "without"]).assert_code(0);
    for place in ["main", "without"] {
        let scan = env.scan(&[place]);
        assert!(paths(&scan).contains(&"own.sh"), "{place}: {}", scan["findings"]);
        assert!(!paths(&scan).iter().any(|path| path.starts_with("sub/")), "{place}: {}", scan["findings"]);
    }
}

#[test]
fn a_repository_around_that_ignores_it_does_not_hide_it() {
    let env = TestEnv::new();
    env.git(&["init", "-q"]).assert_code(0);
    env.write(".gitignore", "*\n");
    env.git(&["init", "-q", "inner"]).assert_code(0);
    for place in ["inner", "plain"] {
        env.write(&format!("{place}/a.sh"), FLAGGED);
        assert_eq!(paths(&env.scan(&[place])), ["a.sh"], "{place}");
    }
}

#[test]
fn broken_files_of_git_are_survived() {
    for content in ["", "gitdir: /gone\n", "gitdir: .\n", "gitdir: .git\n", "\0\u{fffd}garbage", "ref: x\n"] {
        let env = TestEnv::new();
        env.write(".git", content);
        env.assert_scan_completes();
    }
    for content in [
        "[submodule",
        "[submodule \"a\"]\npath\n=\nurl = \n",
        "path = x\n",
        "[submodule \"\"]\npath = ../..\nurl = /\n",
    ] {
        let env = TestEnv::new();
        env.git(&["init", "-q"]).assert_code(0);
        env.write(".gitmodules", content);
        env.assert_scan_completes();
    }
    let env = TestEnv::new();
    env.git(&["init", "-q"]).assert_code(0);
    env.write("a.sh", FLAGGED);
    env.commit("one");
    for name in ["index", "HEAD", "config"] {
        fs::write(env.analysis().join(".git").join(name), b"\xff\0garbage").expect("a file");
        env.assert_scan_completes();
    }
}

#[test]
fn one_with_other_hashes_is_scanned() {
    let env = TestEnv::new();
    env.git(&["init", "-q", "--object-format=sha256"]).assert_code(0);
    env.write("a.sh", FLAGGED);
    env.commit("one");
    assert!(paths(&env.assert_scan_completes()).contains(&"a.sh"));
}

#[test]
fn files_that_git_has_and_that_are_gone_are_nothing() {
    let env = TestEnv::new();
    env.git(&["init", "-q"]).assert_code(0);
    env.write("gone.sh", FLAGGED);
    env.commit("one");
    fs::remove_file(env.analysis().join("gone.sh")).expect("removed");
    assert!(!paths(&env.assert_scan_completes()).contains(&"gone.sh"));
}
