//! `carnet plan`, `carnet cell`, and reports that combine the results of separate jobs.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{TestEnv, read_json};

/// Two facilities with images that can't be pulled. The test requires the setup, and fails if the network is available.
fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write_script("t.sh", "test -e made && ! grep -q : /proc/net/route");
    env.write(
        "carnet.toml",
        "[test]\nrun = \"./t.sh\"\nsetup = \"touch made\"\n\
         [[facility]]\nid = \"a\"\nimage = \"docker://registry.invalid/a:1\"\nsetup = \"source /cvmfs/x/setup.sh\"\n\
         [[facility]]\nid = \"b\"\nrole = \"worker\"\nimage = \"docker://registry.invalid/b:1\"\nread_only = true\n",
    );
    env
}

fn cell<'a>(document: &'a Value, id: &str) -> &'a Value {
    let cells = document["cells"].as_array().expect("cells");
    cells.iter().find(|cell| cell["id"] == id).expect("the cell")
}

#[test]
fn plan_lists_cells_images_and_requirements() {
    let env = env();
    let plan = env.carnet(&["plan", "--format", "json"]).assert_code(0).stdout;
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    assert_eq!((&plan["schema"], &plan["tests"]), (&json!("carnet/matrix@1"), &json!(["./t.sh"])));
    assert_eq!(plan["cells"][0]["needs"], json!(["/cvmfs"]));
    let worker = &plan["cells"][1];
    let values = [&worker["id"], &worker["slug"], &worker["pull"]];
    assert_eq!(values, ["b/worker", "b__worker", "registry.invalid/b:1"]);
    assert_snapshot!(env.redact(&env.carnet(&["plan"]).assert_code(0).text()), @r"
    analysis
      a         docker://registry.invalid/a:1  needs /cvmfs
      b/worker  docker://registry.invalid/b:1
      test: ./t.sh
    ");
    assert!(!env.analysis().join("carnet-out").exists(), "the plan wrote reports");
}

#[test]
fn github_plan_has_one_job_per_selected_cell() {
    let plan = env().carnet(&["plan", "--cell", "b", "--format", "github"]).assert_code(0).stdout;
    let jobs: Value = serde_json::from_str(&plan).expect("JSON");
    assert_eq!(jobs["include"].as_array().map(Vec::len), Some(1));
}

#[test]
fn cell_runs_setup_and_tests_in_place() {
    let env = env();
    env.carnet(&["cell", "b", "--out", "carnet-out/b"]).assert_code(0);
    let document = read_json(&env.analysis().join("carnet-out/b/carnet.json"));
    let worker = cell(&document, "b/worker");
    assert_eq!(worker["status"], "passed");
    assert_eq!(worker["image"]["reference"], "docker://registry.invalid/b:1");
    let steps: Vec<_> = worker["steps"].as_array().expect("steps").iter().map(|step| &step["name"]).collect();
    assert_eq!(steps, ["setup", "t.sh"]);
    let limits = worker["not_enforced"].as_array().expect("limits");
    let limits: Vec<&str> = limits.iter().filter_map(Value::as_str).collect();
    assert_snapshot!(limits.join("\n"), @r"
    image: not verified because carnet was started inside it
    read-only root: the root file system of this machine remains writable
    ");
    assert!(!env.analysis().join("made").exists(), "the setup changed the analysis");
}

#[test]
fn cell_runs_no_tests_if_the_setup_fails() {
    let env = env();
    env.write("carnet.toml", env.read("carnet.toml").replace("touch made", "exit 3"));
    env.carnet(&["cell", "b"]).assert_code(1);
    let document = env.document();
    let worker = cell(&document, "b/worker");
    assert_eq!(worker["reason"], "setup: exit code 3");
    assert_eq!(worker["steps"].as_array().map(Vec::len), Some(1));
}

#[test]
fn report_with_a_plan_contains_missing_results_as_errors() {
    let env = env();
    env.carnet(&["plan", "--format", "json", "-o", "../plan.json"]).assert_code(0);
    env.carnet(&["cell", "b", "--out", "../results/b"]).assert_code(0);
    let arguments = ["report", "../results", "--plan", "../plan.json", "--out", "carnet-out"];
    env.carnet(&arguments).assert_code(0);
    let document = env.document();
    assert_snapshot!(cell(&document, "a")["reason"].as_str().expect("a reason"), @"no result");
    assert_eq!(cell(&document, "b/worker")["status"], "passed");
    env.carnet(&[&arguments[..], &["--fail-on", "error"]].concat()).assert_code(4);
    // If no job was started, the directory is empty.
    let results = env.path("results");
    fs::remove_dir_all(&results).expect("the directory exists");
    fs::create_dir(&results).expect("a directory");
    let output = env.carnet(&arguments).assert_code(0);
    assert_snapshot!(env.redact(&output.text()), @r"
    analysis at tree [ID]
      a         ! infrastructure error
                no result
                help: the job did not start, was cancelled, or did not upload its document; check its
                      log
      b/worker  ! infrastructure error
                no result
                help: the job did not start, was cancelled, or did not upload its document; check its
                      log

    2 cells: 2 infrastructure errors, in [TIME] s
    ! the analysis did not fail, but could not be tested at a, b/worker
    ");
}

#[test]
fn invalid_plan_is_a_usage_error() {
    let env = env();
    env.write("plan.json", "{\"schema\":\"carnet/document@1\"}");
    let output = env.carnet(&["report", "--plan", "plan.json"]).assert_code(2);
    assert_snapshot!(env.redact(&output.text()), @"error: failed to read `plan.json`: unexpected schema `carnet/document@1`; expected `carnet/matrix@1`");
}

#[test]
fn unknown_cell_is_a_usage_error() {
    let output = env().carnet(&["cell", "c"]).assert_code(2);
    assert_snapshot!(output.text(), @r"
    error: unknown cell `c`
     |
     = help: available cells: a, b/worker
    ");
}
