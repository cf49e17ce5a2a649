//! `--changed`: what a push brings, read from git's objects.

use std::fs;

use crate::audit::{FLAGGED, paths};
use crate::room::Room;

const ZEROS: &str = "0000000000000000000000000000000000000000";

/// Commits: `old.sh` and `gone.sh`; then `new.sh`, `gone.sh` removed, and `moved.sh` renamed to `here.sh`.
fn history() -> (Room, String, String) {
    let room = Room::new();
    room.git(&["init", "-q", "-b", "main"]);
    for path in ["old.sh", "gone.sh", "moved.sh"] {
        room.write(path, FLAGGED);
    }
    let first = room.commit("one");
    room.git(&["rm", "-q", "gone.sh"]);
    room.git(&["mv", "moved.sh", "here.sh"]);
    room.write("new.sh", FLAGGED);
    let second = room.commit("two");
    (room, first, second)
}

#[test]
fn only_what_is_new_is_reported() {
    let (room, first, second) = history();
    let scan = room.scan(&["--changed", &format!("{first}..{second}")]);
    assert_eq!(paths(&scan), ["here.sh", "new.sh"]);
    assert_eq!(scan["analysis"]["commit"], second.as_str());
    let all = room.scan(&["--changed", &format!("{ZEROS}..{second}")]);
    assert_eq!(paths(&all), ["here.sh", "new.sh", "old.sh"]);
    assert!(paths(&room.scan(&["--changed", &format!("{first}..{ZEROS}")])).is_empty(), "a branch that is deleted");
}

#[test]
fn three_dots_start_from_where_the_two_parted() {
    let (room, first, second) = history();
    room.git(&["checkout", "-q", "-b", "side", &first]);
    room.write("side.sh", FLAGGED);
    let side = room.commit("side");
    assert_eq!(paths(&room.scan(&["--changed", &format!("{second}...{side}")])), ["side.sh"]);
    assert!(paths(&room.scan(&["--changed", &format!("{second}..{side}")])).contains(&"moved.sh"));
}

#[test]
fn the_working_tree_is_not_looked_at() {
    let (room, first, second) = history();
    fs::remove_file(room.top().join("new.sh")).expect("removed");
    room.write("here.sh", "#!/bin/bash\n");
    room.write("dirty.sh", FLAGGED);
    let scan = room.scan(&["--changed", &format!("{first}..{second}")]);
    assert_eq!(paths(&scan), ["here.sh", "new.sh"]);
    assert_eq!(scan["analysis"]["dirty"], false);
}

#[test]
fn files_that_did_not_change_are_known() {
    let (room, ..) = history();
    room.write("lib/helper.h", "int f();\n");
    let before = room.commit("three");
    room.write("main.C", "#include \"lib/helper.h\"\n#include \"./lib/gone.h\"\n");
    room.commit("four");
    let scan = room.scan(&["--changed", &format!("{before}..HEAD")]);
    assert_eq!(paths(&scan), ["main.C"], "{} {}", scan["findings"], scan["notes"]);
}

#[test]
fn an_analysis_below_the_top_sees_its_own_files() {
    let (room, first, _) = history();
    room.write("sub/a.sh", FLAGGED);
    room.write("other/b.sh", FLAGGED);
    room.commit("three");
    assert_eq!(paths(&room.scan(&["sub", "--changed", &format!("{first}..HEAD")])), ["a.sh"]);
}

#[test]
fn commits_that_are_not_there_are_named() {
    let (room, ..) = history();
    for spec in ["gone..HEAD", "HEAD..gone", "deadbeef..HEAD", "..gone", "-x..y"] {
        let said = room.run(&["scan", &format!("--changed={spec}")]).expect(2);
        assert!(said.err.contains(spec), "{}", said.err);
    }
    let outside = Room::new();
    let said = outside.run(&["scan", "--changed", "A..B"]).expect(2);
    assert!(said.err.contains("no git repository"), "{}", said.err);
}
