//! Git repositories in unusual states.

use std::fs;

use crate::scan::findings::{FLAGGED, NEIGHBOR, paths};
use crate::support::TestEnv;

#[test]
fn scan_completes_without_commits() {
    let env = TestEnv::new();
    env.git(&["init", "-q"]).assert_code(0);
    let scan = env.assert_scan_completes();
    assert!(scan["analysis"]["commit"].is_null(), "{}", scan["analysis"]);
    assert_eq!(scan["analysis"]["dirty"], true);
}

#[test]
fn scan_treats_a_bare_repository_as_a_directory() {
    let env = TestEnv::new();
    env.git(&["init", "-q", "--bare", "."]).assert_code(0);
    env.assert_scan_completes();
    env.git(&["init", "-q", "--bare", "inner.git"]).assert_code(0);
    env.carnet(&["scan", "inner.git"]).assert_code(0);
}

#[test]
fn scan_supports_worktrees_and_shallow_clones() {
    let env = TestEnv::new();
    env.git(&["init", "-q", "origin"]).assert_code(0);
    env.write("origin/a.sh", FLAGGED);
    for arguments in [
        &["add", "-A"][..],
        &["commit", "-qm", "one"],
        &["commit", "-qm", "two", "--allow-empty"],
        &["worktree", "add", "-q", "../tree"],
    ] {
        env.git(&[&["-C", "origin"], arguments].concat()).assert_code(0);
    }
    let origin = format!("file://{}", env.analysis().join("origin").display());
    env.git(&["clone", "-q", "--depth=1", &origin, "shallow"]).assert_code(0);
    for directory in ["tree", "shallow"] {
        let scan = env.scan(&[directory]);
        assert_eq!(paths(&scan), ["a.sh"], "{directory}: {}", scan["findings"]);
        assert!(scan["analysis"]["commit"].is_string(), "{directory}");
        let scan = env.scan(&[directory, "--changed", "HEAD"]);
        assert_eq!(paths(&scan), ["a.sh"], "{directory}: {}", scan["findings"]);
    }
}

#[test]
fn scan_omits_submodules() {
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
    env.git(&["clone", "-q", "main", "clone"]).assert_code(0);
    for directory in ["main", "clone"] {
        assert_eq!(paths(&env.scan(&[directory])), [".gitmodules", "own.sh"], "{directory}");
    }
}

#[test]
fn scan_ignores_the_gitignore_of_an_outer_directory() {
    let env = TestEnv::new();
    env.git(&["init", "-q"]).assert_code(0);
    env.write(".gitignore", "*\n");
    env.git(&["init", "-q", "inner"]).assert_code(0);
    for directory in ["inner", "plain"] {
        env.write(&format!("{directory}/a.sh"), FLAGGED);
        assert_eq!(paths(&env.scan(&[directory])), ["a.sh"], "{directory}");
    }
}

#[test]
fn scan_completes_with_invalid_git_files() {
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
fn scan_supports_sha256_repositories() {
    let env = TestEnv::new();
    env.git(&["init", "-q", "--object-format=sha256"]).assert_code(0);
    env.write("a.sh", FLAGGED);
    env.commit("one");
    assert_eq!(paths(&env.assert_scan_completes()), ["a.sh", NEIGHBOR]);
}

#[test]
fn scan_ignores_tracked_files_that_are_deleted() {
    let env = TestEnv::new();
    env.git(&["init", "-q"]).assert_code(0);
    env.write("gone.sh", FLAGGED);
    env.commit("one");
    fs::remove_file(env.analysis().join("gone.sh")).expect("removed");
    assert_eq!(paths(&env.assert_scan_completes()), [NEIGHBOR]);
}
