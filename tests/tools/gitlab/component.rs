//! The CI/CD component.

use insta::assert_snapshot;
use serde_json::json;

use crate::gitlab::documentation::block;
use crate::gitlab::env::{GitlabEnv, job_output, statuses};
use crate::support::CARNET;

/// A repository that uses its own component at its own commit.
fn env(inputs: &str) -> GitlabEnv {
    let text = block("component");
    let head = text.split("    inputs:").next().expect("a head");
    let component = format!("/check@{}", env!("CARGO_PKG_VERSION"));
    let own = head.replace(&component, "/check@$CI_COMMIT_SHA");
    assert_ne!(own, head, "the page uses another version");
    GitlabEnv::new(&format!("{own}    inputs:\n{inputs}"))
}

/// The input with the binary under test.
fn bin() -> String {
    format!("      bin: {CARNET}\n")
}

fn component_runs_pipeline_of_template() {
    let block = block("component");
    let (_, inputs) = block.split_once("    inputs:\n").expect("inputs");
    let env = env(&format!("{inputs}{}", bin()));
    let output = env.pipeline(&[]);
    let document = env.read_json("carnet-out/carnet.json");
    assert_eq!(
        statuses(&document),
        [("laptop", "passed"), ("group", "passed"), ("old", "failed"), ("disk", "error")],
        "{}",
        output.text()
    );
    assert!(env.read_json(".carnet/codequality.json").is_array());
    let cell = &env.child_pipeline()["cell-old"];
    assert_eq!(cell["tags"], json!(["docker"]));
    assert_snapshot!(cell["script"][0].as_str().expect("a line"), @".carnet/carnet --color always cell --out 'carnet-cells/old' --fail-on 'warning' -- 'old' '.'");
}

/// An input that runs a program if a shell evaluates it.
const HOSTILE: &str = "$(touch pwned)`touch pwned`\\\"; touch pwned; '";

/// The errors that the job `carnet-plan` prints for an input with hostile text.
fn plan_errors(input: &str, more: &str) -> String {
    let env = env(&format!("      {input}: \"{HOSTILE}\"\n{more}"));
    let output = env.gitlab(&["--force-shell-executor", "carnet-plan"]).assert_code(1);
    assert!(!env.analysis().join("pwned").exists(), "{input}");
    job_output(&output, "carnet-plan")
}

fn component_reports_invalid_inputs() {
    assert_snapshot!(plan_errors("path", &bin()), @r#"
    error: `$(touch pwned)`touch pwned`"; touch pwned; '` is not a directory
     |
     = help: pass the directory of the analysis
    "#);
    assert_snapshot!(plan_errors("cells", &bin()), @"
    error: unknown cell `$(touch`
     |
     = help: available cells: laptop, group, old, disk
    ");
    assert_snapshot!(plan_errors("bin", ""), @r#"carnet: CARNET_BIN is not an executable file: $(touch pwned)`touch pwned`"; touch pwned; '"#);
}

fn component_restricts_inputs_by_pattern() {
    for input in ["prefix", "version", "base_url", "fail_on", "scan_fail_on"] {
        let env = env(&format!("      {input}: \"{HOSTILE}\"\n{}", bin()));
        let output = env.gitlab(&["--force-shell-executor", "--list"]).assert_code(1);
        output.assert_contains(&[input]);
        assert!(!env.analysis().join("pwned").exists(), "{input}");
    }
}

fn component_does_not_evaluate_inputs() {
    let env = env(&format!(
        "      image: \"{HOSTILE}\"\n      tags: \"{HOSTILE}\"\n      cvmfs_tags: \"{HOSTILE}\"\n{}",
        bin()
    ));
    let output = env.gitlab(&["--force-shell-executor"]);
    assert!(env.analysis().join("carnet-out/carnet.json").exists(), "{}", output.text());
    assert!(!env.analysis().join("pwned").exists());
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    component_does_not_evaluate_inputs,
    component_reports_invalid_inputs,
    component_restricts_inputs_by_pattern,
    component_runs_pipeline_of_template,
);
