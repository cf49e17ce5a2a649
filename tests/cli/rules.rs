//! `carnet rules`: the list and the pages.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::TestEnv;

#[test]
fn list_has_one_line_per_rule() {
    let output = TestEnv::new().carnet(&["rules"]).assert_code(0);
    assert_eq!(output.stdout.lines().count(), carnet::scan::rules::all().count());
    let line = output.stdout.lines().find(|line| line.starts_with("unused-ignore ")).expect("a line");
    assert_snapshot!(line, @"unused-ignore              warning  ignore comment or entry that does not suppress a finding, has expired, or names an unknown rule");
}

#[test]
fn page_of_a_rule_is_printed() {
    let output = TestEnv::new().carnet(&["rules", "unused-ignore"]).assert_code(0);
    let headings: Vec<&str> = output.stdout.lines().filter(|line| line.starts_with('#')).collect();
    assert_snapshot!(headings.join("\n"), @r"
    # unused-ignore
    ## What it does
    ## Why it breaks elsewhere
    ## Example
    ## How to fix
    ## Limits
    ");
}

#[test]
fn json_list_is_sorted_by_id() {
    let output = TestEnv::new().carnet(&["rules", "--format", "json"]).assert_code(0);
    let list: Vec<Value> = serde_json::from_str(&output.stdout).expect("an array");
    let ids: Vec<&str> = list.iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert_eq!(ids.len(), carnet::scan::rules::all().count());
    assert!(ids.is_sorted(), "{ids:?}");
}

#[test]
fn unknown_rule_is_a_usage_error_with_a_suggestion() {
    let env = TestEnv::new();
    assert_snapshot!(env.carnet(&["rules", "unused-ignores"]).assert_code(2).text(), @r"
    error: unknown rule `unused-ignores`
     |
     = help: did you mean `unused-ignore`? Run `carnet rules` to list all ids
    ");
    assert_snapshot!(env.carnet(&["rules", "zzz"]).assert_code(2).text(), @r"
    error: unknown rule `zzz`
     |
     = help: run `carnet rules` to list all ids
    ");
}
