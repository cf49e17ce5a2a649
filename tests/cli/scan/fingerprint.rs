//! Fingerprints of findings are unique, and stay the same when lines move.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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
    fs::write(&path, format!("{first}\n{}{rest}", "# moved down\n".repeat(lines))).expect("a file");
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
    let moved = before.iter().filter(|issue| !after.contains(issue)).count();
    assert!(moved >= 8, "the lines have moved: {before:?} {after:?}");
}

#[test]
fn a_repeated_line_gets_a_different_fingerprint() {
    let env = TestEnv::new();
    env.write("a.sh", "#!/bin/sh\ncp x /nfs/dust/cms/user/jane/\n");
    let one = issues(&env);
    env.write("a.sh", "#!/bin/sh\ncp x /nfs/dust/cms/user/jane/\necho\ncp x /nfs/dust/cms/user/jane/\n");
    let two = issues(&env);
    let keys: BTreeSet<&String> = two.iter().map(|(key, _, _)| key).collect();
    assert_eq!(keys.len(), two.len());
    assert!(
        one.iter().all(|(key, _, _)| keys.contains(key)),
        "the first finding keeps its fingerprint: {one:?} {two:?}"
    );
}
