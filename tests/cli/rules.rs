//! `carnet rules`: the list and the pages.

use serde_json::Value;

use crate::support::TestEnv;

#[test]
fn the_list_has_every_rule_in_a_line_of_its_own() {
    let said = TestEnv::new().carnet(&["rules"]).assert_code(0);
    assert_eq!(said.stdout.lines().count(), carnet::scan::rules::all().count());
    assert!(
        said.stdout.lines().any(|line| line.starts_with("unused-ignore") && line.contains("warning")),
        "{}",
        said.stdout
    );
}

#[test]
fn a_page_is_printed_whole() {
    let said = TestEnv::new().carnet(&["rules", "unused-ignore"]).assert_code(0);
    assert!(said.stdout.starts_with("# unused-ignore\n") && said.stdout.contains("## How to fix"), "{}", said.stdout);
}

#[test]
fn the_list_is_json_too() {
    let said = TestEnv::new().carnet(&["rules", "--format", "json"]).assert_code(0);
    let list: Vec<Value> = serde_json::from_str(&said.stdout).expect("an array");
    let ids: Vec<&str> = list.iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert!(ids.contains(&"unused-ignore") && ids.is_sorted(), "{ids:?}");
}

#[test]
fn a_rule_that_is_not_there_is_refused_with_the_nearest() {
    let said = TestEnv::new().carnet(&["rules", "unused-ignores"]).assert_code(2);
    assert!(
        said.stderr.contains("no rule `unused-ignores`") && said.stderr.contains("did you mean `unused-ignore`?"),
        "{}",
        said.stderr
    );
    let said = TestEnv::new().carnet(&["rules", "zzz"]).assert_code(2);
    assert!(said.stderr.contains("carnet rules lists"), "{}", said.stderr);
}
