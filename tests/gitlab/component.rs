//! The component.

use crate::documentation::block;
use crate::room::{Room, statuses};

/// A repository that uses its own component, by the commit it is at.
fn room(inputs: &str) -> Room {
    let text = block("component");
    assert!(text.contains("/check@0.1.0"), "{text}");
    let head = text.split("    inputs:").next().expect("a head").replace("@0.1.0", "@$CI_COMMIT_SHA");
    Room::new(&format!("{head}    inputs:\n{inputs}"))
}

#[test]
fn the_component_of_the_page_runs_the_same_pipeline() {
    let inputs = block("component");
    let inputs = inputs.split("    inputs:\n").nth(1).expect("inputs").to_owned();
    let room = room(&(inputs + &bin()));
    let said = room.pipeline(&[]);
    said.has(&["carnet-scan", "cell-old", "merge"]);
    let document = room.json("carnet-out/carnet.json");
    assert_eq!(statuses(&document).len(), 4, "{}", said.text);
    assert_eq!(document["cells"][2]["status"], "failed");
    let child: serde_json::Value = serde_saphyr::from_str(&room.read(".carnet/child.yml")).expect("YAML");
    assert_eq!(child["cell-old"]["tags"], serde_json::json!(["docker"]));
    assert!(child["cell-old"]["script"][0].as_str().expect("a line").contains("--fail-on 'warning'"));
}

fn bin() -> String {
    format!("      bin: {}\n", crate::room::CARNET)
}

#[test]
fn whatever_inputs_hold_stays_text_or_is_refused() {
    let evil = "$(touch pwned)`touch pwned`\\\"; touch pwned; '";
    for (input, words) in [
        ("path", "is no directory"),
        ("cells", "no cell `$(touch`"),
        ("bin", "CARNET_BIN names no program: $(touch pwned)"),
    ] {
        let own = if input == "bin" { String::new() } else { bin() };
        let room = room(&format!("      {input}: \"{evil}\"\n{own}"));
        let said = room.gitlab(&["--force-shell-executor", "carnet-plan"]);
        said.has(&[words]).ends(1);
        assert!(!room.top().join("pwned").exists(), "{input}");
    }
    for input in ["prefix", "version", "base_url", "fail_on", "scan_fail_on"] {
        let room = room(&format!("      {input}: \"{evil}\"\n{}", bin()));
        let said = room.gitlab(&["--force-shell-executor", "--list"]);
        said.has(&[input]).ends(1);
        assert!(!room.top().join("pwned").exists(), "{input}");
    }
    let room =
        room(&format!("      image: \"{evil}\"\n      tags: \"{evil}\"\n      cvmfs_tags: \"{evil}\"\n{}", bin()));
    let said = room.gitlab(&["--force-shell-executor"]);
    assert!(room.top().join("carnet-out/carnet.json").exists(), "{}", said.text);
    assert!(!room.top().join("pwned").exists());
}
