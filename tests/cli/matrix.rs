//! `carnet plan`, cells run in place, and the report that knows what should have come back.

use serde_json::Value;

use crate::support::{TestEnv, read_json};

/// Two facilities in images that nobody has, and tests that need the set-up and no network.
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
fn a_plan_names_cells_images_and_what_they_need() {
    let env = env();
    let plan: Value =
        serde_json::from_str(&env.carnet(&["plan", "--format", "json"]).assert_code(0).stdout).expect("JSON");
    assert_eq!((&plan["schema"], &plan["tests"]), (&"carnet/matrix@1".into(), &serde_json::json!(["./t.sh"])));
    let cells = plan["cells"].as_array().expect("cells");
    assert_eq!(cells[0]["needs"], serde_json::json!(["/cvmfs"]));
    assert_eq!((&cells[1]["id"], &cells[1]["slug"]), (&"b/worker".into(), &"b__worker".into()));
    assert_eq!(cells[1]["pull"], "registry.invalid/b:1");
    let said = env.carnet(&["plan", "--cell", "b", "--format", "github"]).assert_code(0).stdout;
    let jobs: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(jobs["include"].as_array().expect("jobs").len(), 1);
    assert!(env.carnet(&["plan"]).assert_code(0).stdout.contains("docker://registry.invalid/a:1  needs /cvmfs"));
    assert!(!env.analysis().join("carnet-out").exists(), "a plan runs nothing");
}

#[test]
fn a_cell_in_place_sets_up_tests_and_says_what_it_can_not_give() {
    let env = env();
    env.carnet(&["cell", "b", "--out", "carnet-out/b"]).assert_code(0);
    let document = read_json(&env.analysis().join("carnet-out/b/carnet.json"));
    let b = cell(&document, "b/worker");
    assert_eq!((&b["status"], &b["image"]["reference"]), (&"passed".into(), &"docker://registry.invalid/b:1".into()));
    let steps: Vec<_> = b["steps"].as_array().expect("steps").iter().map(|step| step["name"].clone()).collect();
    assert_eq!(steps, ["setup", "t.sh"]);
    let lacks = b["not_enforced"].to_string();
    assert!(lacks.contains("image: taken on trust") && lacks.contains("read-only"), "{lacks}");
    assert!(!env.analysis().join("made").exists(), "the checkout stays as it is");
}

#[test]
fn a_set_up_that_fails_in_place_ends_the_cell() {
    let env = env();
    let text = std::fs::read_to_string(env.analysis().join("carnet.toml")).expect("text");
    env.write("carnet.toml", text.replace("touch made", "exit 3"));
    env.carnet(&["cell", "b"]).assert_code(1);
    let document = env.document();
    assert_eq!(cell(&document, "b/worker")["reason"], "setup: exit code 3");
    assert_eq!(cell(&document, "b/worker")["steps"].as_array().expect("steps").len(), 1);
}

#[test]
fn what_never_came_back_is_an_error_of_the_report() {
    let env = env();
    env.carnet(&["plan", "--format", "json", "-o", "../plan.json"]).assert_code(0);
    env.carnet(&["cell", "b", "--out", "../docs/b"]).assert_code(0);
    let arguments = ["report", "../docs", "--plan", "../plan.json", "--out", "carnet-out"];
    env.carnet(&arguments).assert_code(0);
    let document = env.document();
    assert_eq!(cell(&document, "a")["reason"], "no result came back");
    assert_eq!(cell(&document, "b/worker")["status"], "passed");
    env.carnet(&[&arguments[..], &["--fail-on", "error"]].concat()).assert_code(4);
    // Of a job that was never started there is not even a directory with documents.
    std::fs::remove_dir_all(env.analysis().join("../docs")).expect("removed");
    std::fs::create_dir(env.analysis().join("../docs")).expect("made");
    let said = env.carnet(&arguments).assert_code(0);
    assert!(said.stdout.contains("2 cells: 2 error"), "{}", said.stdout);
}

#[test]
fn a_plan_that_is_none_is_refused_by_name() {
    let env = env();
    env.write("plan.json", "{\"schema\":\"carnet/document@1\"}");
    assert!(env.carnet(&["report", "--plan", "plan.json"]).assert_code(2).stderr.contains("plan.json"));
    let said = env.carnet(&["cell", "c"]).assert_code(2);
    assert!(said.stderr.contains("no cell `c`: there are a, b/worker"), "{}", said.stderr);
}
