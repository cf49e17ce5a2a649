//! `--changed`: the changes of a commit range, read from git objects.

use std::fs;

use insta::assert_snapshot;

use crate::scan::findings::{FLAGGED, paths, redacted};
use crate::support::TestEnv;

const ZEROS: &str = "0000000000000000000000000000000000000000";

/// A repository with two commits, and their ids. The second adds `new.sh`, removes `gone.sh` and renames `before.sh` to `after.sh`.
fn two_commits() -> (TestEnv, String, String) {
    let env = TestEnv::new();
    env.git(&["init", "-q", "-b", "main"]).assert_code(0);
    for path in ["old.sh", "gone.sh", "before.sh"] {
        env.write(path, FLAGGED);
    }
    let first = env.commit("one");
    env.git(&["rm", "-q", "gone.sh"]).assert_code(0);
    env.git(&["mv", "before.sh", "after.sh"]).assert_code(0);
    env.write("new.sh", FLAGGED);
    let second = env.commit("two");
    (env, first, second)
}

#[test]
fn changed_reports_only_new_and_renamed_files() {
    let (env, first, second) = two_commits();
    let scan = env.scan(&["--changed", &format!("{first}..{second}")]);
    assert_eq!(paths(&scan), ["after.sh", "new.sh"]);
    assert_eq!(scan["analysis"]["commit"], second.as_str());
    let all = env.scan(&["--changed", &format!("{ZEROS}..{second}")]);
    assert_eq!(paths(&all), ["after.sh", "new.sh", "old.sh"]);
    assert!(paths(&env.scan(&["--changed", &format!("{first}..{ZEROS}")])).is_empty(), "a deleted branch");
}

#[test]
fn three_dots_compare_with_the_merge_base() {
    let (env, first, second) = two_commits();
    env.git(&["checkout", "-q", "-b", "side", &first]).assert_code(0);
    env.write("side.sh", FLAGGED);
    let side = env.commit("side");
    assert_eq!(paths(&env.scan(&["--changed", &format!("{second}...{side}")])), ["side.sh"]);
    assert_eq!(paths(&env.scan(&["--changed", &format!("{second}..{side}")])), ["before.sh", "gone.sh", "side.sh"]);
}

#[test]
fn changed_ignores_the_working_tree() {
    let (env, first, second) = two_commits();
    fs::remove_file(env.analysis().join("new.sh")).expect("removed");
    env.write("after.sh", "#!/bin/bash\n");
    env.write("dirty.sh", FLAGGED);
    let scan = env.scan(&["--changed", &format!("{first}..{second}")]);
    assert_eq!(paths(&scan), ["after.sh", "new.sh"]);
    assert_eq!(scan["analysis"]["dirty"], false);
}

#[test]
fn changed_resolves_references_to_unchanged_files() {
    let (env, ..) = two_commits();
    env.write("lib/helper.h", "int f();\n");
    let before = env.commit("three");
    env.write("main.C", "#include \"lib/helper.h\"\n#include \"./lib/gone.h\"\n");
    env.commit("four");
    let scan = env.scan(&["--changed", &format!("{before}..HEAD")]);
    assert_eq!(paths(&scan), ["main.C"], "{} {}", scan["findings"], scan["notes"]);
}

#[test]
fn changed_is_limited_to_the_directory_of_the_analysis() {
    let (env, first, _) = two_commits();
    env.write("sub/a.sh", FLAGGED);
    env.write("other/b.sh", FLAGGED);
    env.commit("three");
    assert_eq!(paths(&env.scan(&["sub", "--changed", &format!("{first}..HEAD")])), ["a.sh"]);
}

#[test]
fn changed_reports_unknown_commits() {
    let (env, ..) = two_commits();
    let output = ["gone..HEAD", "HEAD..gone", "deadbeef..HEAD", "..gone", "-x..y"]
        .map(|range| env.carnet(&["scan", &format!("--changed={range}")]).assert_code(2).stderr);
    assert_snapshot!(output.concat(), @"
    error: failed to read commits `gone..HEAD`: revspec 'gone' not found
     |
     = help: pass two commits as `A..B`; a shallow clone may not contain the first
    error: failed to read commits `HEAD..gone`: revspec 'gone' not found
     |
     = help: pass two commits as `A..B`; a shallow clone may not contain the first
    error: failed to read commits `deadbeef..HEAD`: revspec 'deadbeef' not found
     |
     = help: pass two commits as `A..B`; a shallow clone may not contain the first
    error: failed to read commits `..gone`: revspec 'gone' not found
     |
     = help: pass two commits as `A..B`; a shallow clone may not contain the first
    error: failed to read commits `-x..y`: revspec '-x' not found
     |
     = help: pass two commits as `A..B`; a shallow clone may not contain the first
    ");
}

#[test]
fn changed_requires_a_git_repository() {
    let env = TestEnv::new();
    let output = env.carnet(&["scan", "--changed", "A..B"]).assert_code(2);
    assert_snapshot!(redacted(&env, &output.stderr), @"
    error: failed to read commits `A..B`: [ANALYSIS] is not in a readable git repository
     |
     = help: pass two commits as `A..B`; a shallow clone may not contain the first
    ");
}
