//! Repositories in every state that git leaves them in.

use std::fs;

use crate::audit::{FLAGGED, paths};
use crate::room::Room;

#[test]
fn one_without_commits_is_scanned() {
    let room = Room::new();
    room.git(&["init", "-q"]);
    let scan = room.survives();
    assert!(
        scan["analysis"]["commit"].is_null() && scan["analysis"]["dirty"] == true,
        "{} {}",
        scan["findings"],
        scan["notes"]
    );
}

#[test]
fn a_bare_one_is_a_directory_like_others() {
    let room = Room::new();
    room.git(&["init", "-q", "--bare", "."]);
    room.survives();
    room.git(&["init", "-q", "--bare", "inner.git"]);
    room.run(&["scan", "inner.git"]).expect(0);
}

#[test]
fn a_worktree_and_a_shallow_clone_are_scanned() {
    let room = Room::new();
    room.git(&["init", "-q", "origin"]);
    room.write("origin/a.sh", FLAGGED);
    let inside = |arguments: &[&str]| room.git(&[&["-C", "origin"], arguments].concat());
    inside(&["add", "-A"]);
    inside(&["commit", "-qm", "one"]);
    inside(&["commit", "-qm", "two", "--allow-empty"]);
    inside(&["worktree", "add", "-q", "../tree"]);
    let origin = format!("file://{}", room.top().join("origin").display());
    room.git(&["clone", "-q", "--depth=1", &origin, "shallow"]);
    for place in ["tree", "shallow"] {
        let scan = room.scan(&[place]);
        assert_eq!(paths(&scan), ["a.sh"], "{place}: {}", scan["findings"]);
        assert!(scan["analysis"]["commit"].is_string(), "{place}");
        let scan = room.scan(&[place, "--changed", "HEAD"]);
        assert_eq!(paths(&scan), ["a.sh"], "{place}: {}", scan["findings"]);
    }
}

#[test]
fn submodules_are_left_to_their_own_scan() {
    let room = Room::new();
    room.git(&["init", "-q", "other"]);
    room.write("other/a.sh", FLAGGED);
    room.git(&["-C", "other", "add", "-A"]);
    room.git(&["-C", "other", "commit", "-qm", "one"]);
    room.git(&["init", "-q", "main"]);
    room.write("main/own.sh", FLAGGED);
    let other = room.top().join("other");
    room.git(&["-C", "main", "submodule", "--quiet", "add", other.to_str().expect("UTF-8"), "sub"]);
    room.git(&["-C", "main", "add", "-A"]);
    room.git(&["-C", "main", "commit", "-qm", "one"]);
    room.git(&["clone", "-q", "main", "without"]);
    for place in ["main", "without"] {
        let scan = room.scan(&[place]);
        assert!(paths(&scan).contains(&"own.sh"), "{place}: {}", scan["findings"]);
        assert!(!paths(&scan).iter().any(|path| path.starts_with("sub/")), "{place}: {}", scan["findings"]);
    }
}

#[test]
fn a_repository_around_that_ignores_it_does_not_hide_it() {
    let room = Room::new();
    room.git(&["init", "-q"]);
    room.write(".gitignore", "*\n");
    room.git(&["init", "-q", "inner"]);
    for place in ["inner", "plain"] {
        room.write(&format!("{place}/a.sh"), FLAGGED);
        assert_eq!(paths(&room.scan(&[place])), ["a.sh"], "{place}");
    }
}

#[test]
fn broken_files_of_git_are_survived() {
    for content in ["", "gitdir: /gone\n", "gitdir: .\n", "gitdir: .git\n", "\0\u{fffd}garbage", "ref: x\n"] {
        let room = Room::new();
        room.write(".git", content);
        room.survives();
    }
    for content in [
        "[submodule",
        "[submodule \"a\"]\npath\n=\nurl = \n",
        "path = x\n",
        "[submodule \"\"]\npath = ../..\nurl = /\n",
    ] {
        let room = Room::new();
        room.git(&["init", "-q"]);
        room.write(".gitmodules", content);
        room.survives();
    }
    let room = Room::new();
    room.git(&["init", "-q"]);
    room.write("a.sh", FLAGGED);
    room.commit("one");
    for name in ["index", "HEAD", "config"] {
        fs::write(room.top().join(".git").join(name), b"\xff\0garbage").expect("a file");
        room.survives();
    }
}

#[test]
fn one_with_other_hashes_is_scanned() {
    let room = Room::new();
    room.git(&["init", "-q", "--object-format=sha256"]);
    room.write("a.sh", FLAGGED);
    room.commit("one");
    assert!(paths(&room.survives()).contains(&"a.sh"));
}

#[test]
fn files_that_git_has_and_that_are_gone_are_nothing() {
    let room = Room::new();
    room.git(&["init", "-q"]);
    room.write("gone.sh", FLAGGED);
    room.commit("one");
    fs::remove_file(room.top().join("gone.sh")).expect("removed");
    assert!(!paths(&room.survives()).contains(&"gone.sh"));
}
