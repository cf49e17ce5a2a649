//! Fingerprints of findings are unique, and stay the same when lines move.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::TestEnv;

/// The issues of the Code Quality report: fingerprint, rule and line.
fn issues(env: &TestEnv) -> Vec<(String, String, u64)> {
    let text = env.carnet(&["scan", "--format", "gitlab", "--fail-on", "never"]).assert_code(0).stdout;
    let issues: Vec<Value> = serde_json::from_str(&text).expect("an array");
    let text = |issue: &Value, key: &str| issue[key].as_str().expect("a text").to_owned();
    let line = |issue: &Value| issue["location"]["lines"]["begin"].as_u64().expect("a line");
    issues.iter().map(|issue| (text(issue, "fingerprint"), text(issue, "check_name"), line(issue))).collect()
}

/// The fingerprints that GitHub reads from SARIF.
fn sarif_keys(env: &TestEnv) -> BTreeSet<String> {
    let text = env.carnet(&["scan", "--format", "sarif", "--fail-on", "never"]).assert_code(0).stdout;
    let log: Value = serde_json::from_str(&text).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let key = |result: &Value| result["partialFingerprints"]["primaryLocationLineHash"].as_str().map(str::to_owned);
    results.iter().map(|result| key(result).expect("a key")).collect()
}

/// A copy of the example in which every file has a finding.
fn moving_day() -> TestEnv {
    let env = TestEnv::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/moving-day");
    for entry in fs::read_dir(example).expect("the example") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_str().expect("a plain name").to_owned();
        env.write(&name, fs::read(&path).expect("a file"));
    }
    env
}

/// Inserts comments after the first line of a file, which may be a `#!` line.
fn insert_comments(env: &TestEnv, name: &str, lines: usize) {
    let path = env.analysis().join(name);
    let text = fs::read_to_string(&path).expect("a file");
    let (first, rest) = text.split_once('\n').expect("a line");
    fs::write(&path, format!("{first}\n{}{rest}", "# comment\n".repeat(lines))).expect("a file");
}

#[test]
fn fingerprints_are_unique_and_stay_the_same_when_lines_move() {
    let env = moving_day();
    let (before, keys_before) = (issues(&env), sarif_keys(&env));
    assert!(before.len() >= 12, "{before:?}");
    let fingerprints: BTreeSet<&String> = before.iter().map(|(key, _, _)| key).collect();
    assert_eq!(fingerprints.len(), before.len(), "GitLab shows only one of several issues with the same fingerprint");
    for (name, lines) in [("run.sh", 7), ("select.py", 40), ("submit.sub", 1), ("requirements.txt", 3)] {
        insert_comments(&env, name, lines);
    }
    let (after, keys_after) = (issues(&env), sarif_keys(&env));
    let without_line = |issues: &[(String, String, u64)]| -> BTreeSet<(String, String)> {
        issues.iter().map(|(key, rule, _)| (key.clone(), rule.clone())).collect()
    };
    assert_eq!(without_line(&before), without_line(&after));
    assert_eq!(keys_before, keys_after);
    let [before, after] = [before, after].map(BTreeSet::from_iter);
    assert!(before.difference(&after).count() >= 8, "the lines have not moved: {before:?} {after:?}");
}

#[test]
fn fingerprints_match_those_of_earlier_versions() {
    let issues = issues(&moving_day());
    let lines: Vec<String> = issues.iter().map(|(key, rule, line)| format!("{key} {rule} at line {line}\n")).collect();
    // A baseline of an earlier version doesn't match a fingerprint that changes here.
    assert_snapshot!(lines.concat(), @"
    4a0d78a196cbb953425522af8f2c1f19 retired-path at line 5
    f9a7e1a5e8d6e2f55a3771c054ade679 home-path at line 5
    cd547ff48c9be6f816463b765ed4fd2d xrootd-door at line 6
    a5af1aba49e50c8fdd9eb0ca138b3ec0 batch-site at line 4
    831727b4897262057a2370de86ab643a no-lock at line 1
    f31a161828d235bf6938ee1448faad72 unpinned-dependency at line 1
    c05836e6dad380d5e14af2ce72a25007 batch-site at line 2
    1507d55c095d294b823041f0d71a95d1 cvmfs-path at line 3
    49a7c94dbaddb79e700a2a09dae42450 moving-image at line 3
    cf7c7fcbfcabe79293e42bd33504f67c nounset-setup at line 3
    8bc5888390fc8c5fe3bc2eb060c4c114 cvmfs-path at line 3
    921f816584276f2644d417a6eb817c23 missing-tests at line 1
    ");
}

#[test]
fn fingerprints_of_links_match_those_of_earlier_versions() {
    let env = TestEnv::new();
    for (name, target) in [("dust", "/nfs/dust/cms/x"), ("data", "/data/x"), ("hosts", "/etc/hosts"), ("up", "../x")] {
        symlink(target, env.analysis().join(name)).expect("a link");
    }
    let keys: Vec<String> = issues(&env).iter().map(|(key, rule, _)| format!("{key} {rule}\n")).collect();
    assert_snapshot!(keys.concat(), @"
    e5d111da41315124f85ed5f8e710c74e link-out
    1ab05a0045c0ada6a8db12e121ea98cd link-out
    f9725b69d087a76d0e55650da4ff2025 link-out
    d134f41bf8c74614822e8dfedce452d9 link-out
    ");
}

#[test]
fn a_repeated_line_gets_a_different_fingerprint() {
    let env = TestEnv::new();
    let keys = |text: &str| -> Vec<String> {
        env.write("a.sh", text);
        issues(&env).into_iter().map(|(key, _, _)| key).collect()
    };
    let one = BTreeSet::from_iter(keys("#!/bin/sh\ncp x /nfs/dust/cms/user/jane/\n"));
    let two = keys("#!/bin/sh\ncp x /nfs/dust/cms/user/jane/\necho\ncp x /nfs/dust/cms/user/jane/\n");
    let unique = BTreeSet::from_iter(two.clone());
    assert_eq!((two.len(), unique.len()), (one.len() + 1, one.len() + 1), "{one:?} {two:?}");
    assert!(one.is_subset(&unique), "the first finding keeps its fingerprint: {one:?} {two:?}");
}
