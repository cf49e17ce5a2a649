//! The component.

use crate::gitlab::documentation::block;
use crate::gitlab::env::{GitlabEnv, statuses};

/// A repository that uses its own component, by the commit it is at.
fn env(inputs: &str) -> GitlabEnv {
    let text = block("component");
    assert!(text.contains("/check@0.1.0"), "{text}");
    let head = text.split("    inputs:").next().expect("a head").replace("@0.1.0", "@$CI_COMMIT_SHA");
    GitlabEnv::new(&format!("{head}    inputs:\n{inputs}"))
}

fn the_component_of_the_page_runs_the_same_pipeline() {
    let inputs = block("component");
    let inputs = inputs.split("    inputs:\n").nth(1).expect("inputs").to_owned();
    let env = env(&(inputs + &bin()));
    let said = env.pipeline(&[]);
    said.assert_contains(&["carnet-scan", "cell-old", "merge"]);
    let document = env.read_json("carnet-out/carnet.json");
    assert_eq!(statuses(&document).len(), 4, "{}", said.text());
    assert_eq!(document["cells"][2]["status"], "failed");
    let child: serde_json::Value = serde_saphyr::from_str(&env.read(".carnet/child.yml")).expect("YAML");
    assert_eq!(child["cell-old"]["tags"], serde_json::json!(["docker"]));
    assert!(child["cell-old"]["script"][0].as_str().expect("a line").contains("--fail-on 'warning'"));
}

fn bin() -> String {
    format!("      bin: {}\n", crate::support::CARNET)
}

fn whatever_inputs_hold_stays_text_or_is_refused() {
    let evil = "$(touch pwned)`touch pwned`\\\"; touch pwned; '";
    for (input, words) in [
        ("path", "is no directory"),
        ("cells", "no cell `$(touch`"),
        ("bin", "CARNET_BIN names no program: $(touch pwned)"),
    ] {
        let own = if input == "bin" { String::new() } else { bin() };
        let env = env(&format!("      {input}: \"{evil}\"\n{own}"));
        let said = env.gitlab(&["--force-shell-executor", "carnet-plan"]);
        said.assert_contains(&[words]);
        said.assert_code(1);
        assert!(!env.analysis().join("pwned").exists(), "{input}");
    }
    for input in ["prefix", "version", "base_url", "fail_on", "scan_fail_on"] {
        let env = env(&format!("      {input}: \"{evil}\"\n{}", bin()));
        let said = env.gitlab(&["--force-shell-executor", "--list"]);
        said.assert_contains(&[input]);
        said.assert_code(1);
        assert!(!env.analysis().join("pwned").exists(), "{input}");
    }
    let env = env(&format!("      image: \"{evil}\"\n      tags: \"{evil}\"\n      cvmfs_tags: \"{evil}\"\n{}", bin()));
    let said = env.gitlab(&["--force-shell-executor"]);
    assert!(env.analysis().join("carnet-out/carnet.json").exists(), "{}", said.text());
    assert!(!env.analysis().join("pwned").exists());
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    the_component_of_the_page_runs_the_same_pipeline,
    whatever_inputs_hold_stays_text_or_is_refused,
);
