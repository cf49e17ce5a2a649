//! `--changed`: what a push brings, read from git's objects.

use std::fs;

use crate::scan::findings::{FLAGGED, paths};
use crate::support::TestEnv;

const ZEROS: &str = "0000000000000000000000000000000000000000";

/// Commits: `old.sh` and `gone.sh`; then `new.sh`, `gone.sh` removed, and `moved.sh` renamed to `here.sh`.
fn history() -> (TestEnv, String, String) {
    let env = TestEnv::new();
    env.git(&["init", "-q", "-b", "main"]).assert_code(0);
    for path in ["old.sh", "gone.sh", "moved.sh"] {
        env.write(path, FLAGGED);
    }
    let first = env.commit("one");
    env.git(&["rm", "-q", "gone.sh"]).assert_code(0);
    env.git(&["mv", "moved.sh", "here.sh"]).assert_code(0);
    env.write("new.sh", FLAGGED);
    let second = env.commit("two");
    (env, first, second)
}

#[test]
fn only_what_is_new_is_reported() {
    let (env, first, second) = history();
    let scan = env.scan(&["--changed", &format!("{first}..{second}")]);
    assert_eq!(paths(&scan), ["here.sh", "new.sh"]);
    assert_eq!(scan["analysis"]["commit"], second.as_str());
    let all = env.scan(&["--changed", &format!("{ZEROS}..{second}")]);
    assert_eq!(paths(&all), ["here.sh", "new.sh", "old.sh"]);
    assert!(paths(&env.scan(&["--changed", &format!("{first}..{ZEROS}")])).is_empty(), "a branch that is deleted");
}

#[test]
fn three_dots_start_from_where_the_two_parted() {
    let (env, first, second) = history();
    env.git(&["checkout", "-q", "-b", "side", &first]).assert_code(0);
    env.write("side.sh", FLAGGED);
    let side = env.commit("side");
    assert_eq!(paths(&env.scan(&["--changed", &format!("{second}...{side}")])), ["side.sh"]);
    assert!(paths(&env.scan(&["--changed", &format!("{second}..{side}")])).contains(&"moved.sh"));
}

#[test]
fn the_working_tree_is_not_looked_at() {
    let (env, first, second) = history();
    fs::remove_file(env.analysis().join("new.sh")).expect("removed");
    env.write("here.sh", "#!/bin/bash\n");
    env.write("dirty.sh", FLAGGED);
    let scan = env.scan(&["--changed", &format!("{first}..{second}")]);
    assert_eq!(paths(&scan), ["here.sh", "new.sh"]);
    assert_eq!(scan["analysis"]["dirty"], false);
}

#[test]
fn files_that_did_not_change_are_known() {
    let (env, ..) = history();
    env.write("lib/helper.h", "int f();\n");
    let before = env.commit("three");
    env.write("main.C", "#include \"lib/helper.h\"\n#include \"./lib/gone.h\"\n");
    env.commit("four");
    let scan = env.scan(&["--changed", &format!("{before}..HEAD")]);
    assert_eq!(paths(&scan), ["main.C"], "{} {}", scan["findings"], scan["notes"]);
}

#[test]
fn an_analysis_below_the_top_sees_its_own_files() {
    let (env, first, _) = history();
    env.write("sub/a.sh", FLAGGED);
    env.write("other/b.sh", FLAGGED);
    env.commit("three");
    assert_eq!(paths(&env.scan(&["sub", "--changed", &format!("{first}..HEAD")])), ["a.sh"]);
}

#[test]
fn commits_that_are_not_there_are_named() {
    let (env, ..) = history();
    for spec in ["gone..HEAD", "HEAD..gone", "deadbeef..HEAD", "..gone", "-x..y"] {
        let said = env.carnet(&["scan", &format!("--changed={spec}")]).assert_code(2);
        assert!(said.stderr.contains(spec), "{}", said.stderr);
    }
    let outside = TestEnv::new();
    let said = outside.carnet(&["scan", "--changed", "A..B"]).assert_code(2);
    assert!(said.stderr.contains("no git repository"), "{}", said.stderr);
}
