//! The pipeline that an include alone makes.

use crate::gitlab::documentation::block;
use crate::gitlab::env::{GitlabEnv, statuses};

fn two_lines_check_every_cell_in_a_job_of_its_own_and_merge_what_they_bring() {
    let env = GitlabEnv::new(&block("include"));
    let before = env.carnet(&["plan", "--format", "json"]).text();
    let before: serde_json::Value = serde_json::from_str(&before).expect("a plan");

    let said = env.pipeline(&[]);
    said.assert_contains(&[
        "carnet-scan",
        "cell-laptop",
        "cell-group",
        "cell-old",
        "cell-disk",
        // The lines of the child pipeline: gitlab-ci-local calls the job that starts it good whatever comes.
        "disk: could not be run: image `oci:",
        "4 cells: 2 passed, 1 failed, 1 error",
    ]);
    let document = env.read_json("carnet-out/carnet.json");
    assert_eq!(
        statuses(&document),
        [("laptop", "passed"), ("group", "passed"), ("old", "failed"), ("disk", "error")],
        "{}",
        said.text()
    );
    // What travels with the jobs is no part of the analysis: all of them saw what the plan saw, and that what is committed.
    let tree = &before["analysis"]["tree"]["digest"];
    assert_eq!(env.read_json(".carnet/plan.json")["analysis"]["tree"]["digest"], *tree);
    for cell in ["laptop", "group", "old", "disk"] {
        let own = env.read_json(&format!("carnet-cells/{cell}/carnet.json"));
        assert_eq!(own["analysis"]["tree"]["digest"], *tree, "{cell}");
    }
    let junit = env.read("carnet-out/junit.xml");
    assert!(junit.contains("classname=\"old.") && junit.contains("<error"), "{junit}");
    assert!(env.read_json("carnet-out/codequality.json").is_array());
    assert!(env.read("carnet-out/report.html").starts_with("<!DOCTYPE html>"));
    assert!(env.read_json(".carnet/codequality.json").is_array());
}

fn whatever_variables_hold_stays_text() {
    // No backticks: gitlab-ci-local itself runs those in the command that it shows. A unit test has them.
    let odd = "it's $(touch pwned) $HOME; touch pwned #";
    let pipeline = block("include")
        + "variables:\n  CARNET_PATH: \"it's $(touch pwned) $$HOME; touch pwned #\"\n  \
           CARNET_TAGS: \"$(touch pwned);`touch pwned`, 'b'\"\n  CARNET_FAIL_ON: never\n  CARNET_CELLS: \"group, laptop\"\n\
           default:\n  before_script:\n    - set -u\n";
    let env = GitlabEnv::new(&pipeline);
    std::fs::create_dir(env.analysis().join(odd)).expect("a directory");
    for name in ["carnet.toml", "check.sh"] {
        std::fs::rename(env.analysis().join(name), env.analysis().join(odd).join(name)).expect("it is there");
        env.write(name, "");
    }
    std::fs::remove_file(env.analysis().join("carnet.toml")).expect("it is there");
    env.write("carnet.toml", "");
    env.commit();
    let said = env.pipeline(&[]);
    let document = env.read_json("carnet-out/carnet.json");
    assert_eq!(statuses(&document), [("laptop", "passed"), ("group", "passed")], "{}", said.text());
    assert_eq!(document["analysis"]["directory"], odd);
    let child: serde_json::Value = serde_saphyr::from_str(&env.read(".carnet/child.yml")).expect("YAML");
    assert_eq!(child["merge"]["tags"], serde_json::json!(["$$(touch", "pwned);`touch", "pwned`", "'b'"]));
    let walk = ignore::WalkBuilder::new(env.analysis()).standard_filters(false).build();
    let touched: Vec<_> = walk.flatten().filter(|entry| entry.file_name() == "pwned").collect();
    assert!(touched.is_empty(), "{touched:?}\n{}", said.text());
}

fn values_that_mean_nothing_are_refused_by_name() {
    let env = GitlabEnv::new(&block("include"));
    for (variable, words) in [
        ("CARNET_FAIL_ON=$(id)", "`$(id)` is no level to fail on"),
        ("CARNET_PATH=/etc", "`/etc` is no path from the top"),
        ("CARNET_CELLS=--help", "no cell `--help`: there are laptop, group, old, disk"),
        ("CARNET_BIN=/nowhere/carnet", "CARNET_BIN names no program: /nowhere/carnet"),
    ] {
        env.pipeline(&["--variable", variable, "carnet-plan"]).assert_code(1).assert_contains(&[words]);
    }
}

fn a_cell_of_which_nothing_usable_came_back_is_an_error_and_the_others_are_told() {
    let env = GitlabEnv::new("");
    env.carnet(&["ci", "gitlab", "plan"]).assert_code(0);
    for cell in ["laptop", "group"] {
        env.carnet(&["cell", cell, "--out", &format!("carnet-cells/{cell}")]).assert_code(0);
    }
    env.write("carnet-cells/group/carnet.json", "{\"schema\": \"carnet/document@1\", \"cut\": ");
    let said = env.carnet(&["ci", "gitlab", "merge"]);
    said.assert_code(4).assert_contains(&["left out: carnet-cells/group/carnet.json", "no result came back"]);
    let document = env.read_json("carnet-out/carnet.json");
    assert_eq!(statuses(&document), [("laptop", "passed"), ("group", "error"), ("old", "error"), ("disk", "error")]);

    std::fs::remove_dir_all(env.analysis().join("carnet-cells")).expect("it is there");
    env.carnet(&["ci", "gitlab", "merge", "--fail-on", "never"]).assert_contains(&["4 cells: 4 error"]);
}

fn at_cern_cells_that_need_cvmfs_ask_for_its_runners() {
    let env = GitlabEnv::new("");
    env.write(
        "carnet.toml",
        "[test]\nrun = \"ls /cvmfs\"\n[[facility]]\nid = \"lxplus\"\nimage = \"docker://x/y:1\"\n",
    );
    let plan = |variables: &[(&str, &str)]| {
        let mut command = env.command(crate::support::CARNET, &[]);
        let output = command.args(["plan", "--format", "gitlab"]).envs(variables.iter().copied()).output();
        let child = String::from_utf8(output.expect("it starts").stdout).expect("UTF-8");
        serde_saphyr::from_str::<serde_json::Value>(&child).expect("YAML")["cell-lxplus"]["tags"].clone()
    };
    assert_eq!(plan(&[("CI_SERVER_HOST", "gitlab.cern.ch")]), serde_json::json!(["k8s-cvmfs"]));
    assert_eq!(
        plan(&[("CI_SERVER_HOST", "gitlab.cern.ch"), ("CARNET_CVMFS_TAGS", "ours"), ("CARNET_TAGS", "a b")]),
        serde_json::json!(["a", "b", "ours"])
    );
    assert_eq!(plan(&[("CI_SERVER_HOST", "gitlab.com")]), serde_json::Value::Null);
    env.carnet(&["ci", "gitlab", "plan"])
        .assert_code(0)
        .assert_contains(&["lxplus needs /cvmfs: set CARNET_CVMFS_TAGS"]);
}

fn what_the_page_overrides_is_overridden() {
    let env = GitlabEnv::new(&block("override"));
    let list = env.pipeline(&["--list-csv"]).assert_code(0).text().clone();
    let of = |job: &str| list.lines().find(|line| line.starts_with(job)).unwrap_or_else(|| panic!("{job}\n{list}"));
    for job in ["carnet-scan;", "carnet-plan;", "carnet-program;", "carnet-cells;"] {
        assert!(of(job).contains(";portability;"), "{list}");
    }
    assert!(of("carnet-scan;").contains(";false;"), "{list}");
}

fn the_pipeline_for_cern_gets_submodules_and_runners_with_cvmfs() {
    let env = GitlabEnv::new(&block("cern"));
    env.write(
        "carnet.toml",
        "[test]\nrun = \"ls /cvmfs\"\n[[facility]]\nid = \"lxplus\"\nimage = \"docker://x/y:1\"\n",
    );
    env.pipeline(&["--variable", "CI_SERVER_HOST=gitlab.cern.ch", "carnet-plan"]).assert_code(0);
    let child: serde_json::Value = serde_saphyr::from_str(&env.read(".carnet/child.yml")).expect("YAML");
    assert_eq!(child["variables"], serde_json::json!({"GIT_SUBMODULE_STRATEGY": "recursive"}));
    assert_eq!(child["cell-lxplus"]["tags"], serde_json::json!(["k8s-cvmfs"]));
    assert_eq!(child["merge"]["image"]["name"], "gitlab-registry.cern.ch/my-group/python:3.12");
    assert_eq!(child[".cell"]["needs"][0]["job"], "carnet-program");
}

fn a_repository_that_another_user_checked_out_is_read_as_git_has_it() {
    let env = GitlabEnv::new("");
    let other = GitlabEnv::new("");
    other.commit();
    let from = other.analysis();
    let from = from.to_str().expect("UTF-8");
    env.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--name", "tools", from, "lib/tools"])
        .assert_code(0);
    env.commit();
    let plan = || -> serde_json::Value {
        let mut plan: serde_json::Value =
            serde_json::from_str(&env.carnet(&["plan", "--format", "json"]).text()).expect("a plan");
        plan["analysis"].take()
    };
    let own = plan();
    assert!(own["commit"].is_string() && own["tree"]["left_out"].is_null(), "{own}");
    for entry in ignore::WalkBuilder::new(env.analysis()).standard_filters(false).build() {
        let path = entry.expect("an entry").into_path();
        std::os::unix::fs::lchown(path, Some(1234), Some(1234)).expect("tests run as root, as `make test` says");
    }
    assert_eq!(plan(), own);
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    two_lines_check_every_cell_in_a_job_of_its_own_and_merge_what_they_bring,
    whatever_variables_hold_stays_text,
    values_that_mean_nothing_are_refused_by_name,
    a_cell_of_which_nothing_usable_came_back_is_an_error_and_the_others_are_told,
    at_cern_cells_that_need_cvmfs_ask_for_its_runners,
    what_the_page_overrides_is_overridden,
    the_pipeline_for_cern_gets_submodules_and_runners_with_cvmfs,
    a_repository_that_another_user_checked_out_is_read_as_git_has_it,
);
