//! `carnet rules`: the list and the pages.

use serde_json::Value;

use crate::room::Room;

#[test]
fn the_list_has_every_rule_in_a_line_of_its_own() {
    let said = Room::new().run(&["rules"]).expect(0);
    assert_eq!(said.out.lines().count(), carnet::scan::rules::all().count());
    assert!(said.out.lines().any(|line| line.starts_with("unused-ignore") && line.contains("warning")), "{}", said.out);
}

#[test]
fn a_page_is_printed_whole() {
    let said = Room::new().run(&["rules", "unused-ignore"]).expect(0);
    assert!(said.out.starts_with("# unused-ignore\n") && said.out.contains("## How to fix"), "{}", said.out);
}

#[test]
fn the_list_is_json_too() {
    let said = Room::new().run(&["rules", "--format", "json"]).expect(0);
    let list: Vec<Value> = serde_json::from_str(&said.out).expect("an array");
    let ids: Vec<&str> = list.iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert!(ids.contains(&"unused-ignore") && ids.is_sorted(), "{ids:?}");
}

#[test]
fn a_rule_that_is_not_there_is_refused_with_the_nearest() {
    let said = Room::new().run(&["rules", "unused-ignores"]).expect(2);
    assert!(
        said.err.contains("no rule `unused-ignores`") && said.err.contains("did you mean `unused-ignore`?"),
        "{}",
        said.err
    );
    let said = Room::new().run(&["rules", "zzz"]).expect(2);
    assert!(said.err.contains("carnet rules lists"), "{}", said.err);
}
