//! The pipeline of the template.

use std::path::Path;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::gitlab::documentation::block;
use crate::gitlab::env::{GitlabEnv, job_output, parse_yaml, statuses};
use crate::support::{CARNET, CommandOutput};

/// A configuration with one facility that needs CVMFS.
const CVMFS: &str = "[test]\nrun = \"ls /cvmfs\"\n[[facility]]\nid = \"lxplus\"\nimage = \"docker://x/y:1\"\n";

fn parse(json: &str) -> Value {
    serde_json::from_str(json).expect("JSON")
}

/// The totals of a report, without its duration.
fn totals(output: &str) -> &str {
    let line = output.lines().find(|line| line.split(' ').nth(1) == Some("cells:")).expect("a line with totals");
    line.split(", in ").next().unwrap_or_default()
}

fn template_runs_each_cell_in_a_job_and_merges_documents() {
    let env = GitlabEnv::new(&block("include"));
    let tree = parse(&env.carnet(&["plan", "--format", "json"]).assert_code(0).stdout)["analysis"]["tree"].take();

    let output = env.pipeline(&[]);
    let document = env.read_json("carnet-out/carnet.json");
    let expected = [("laptop", "passed"), ("group", "passed"), ("old", "failed"), ("disk", "error")];
    assert_eq!(statuses(&document), expected, "{}", output.text());
    let merge = job_output(&output, "[carnet-cells] -> merge");
    assert_eq!(totals(&merge), "4 cells: 2 passed, 1 failed, 1 infrastructure error");
    // The artifacts of other jobs are not part of the analysis.
    assert_eq!(env.read_json(".carnet/plan.json")["analysis"]["tree"], tree);
    for (cell, _) in expected {
        let own = env.read_json(&format!("carnet-cells/{cell}/carnet.json"));
        assert_eq!(own["analysis"]["tree"]["digest"], tree["digest"], "{cell}");
    }
    let junit = env.read("carnet-out/junit.xml");
    assert_eq!(junit.matches("classname=\"old.").count(), 1, "{junit}");
    assert_eq!(junit.matches("<error ").count(), 1, "{junit}");
    assert!(env.read_json("carnet-out/codequality.json").is_array());
    assert!(env.read("carnet-out/report.html").starts_with("<!DOCTYPE html>"));
    assert!(env.read_json(".carnet/codequality.json").is_array());
}

fn template_does_not_evaluate_variables() {
    // gitlab-ci-local evaluates backticks in the commands that it prints, so a unit test covers them.
    let directory = "it's $(touch pwned) $HOME; touch pwned #";
    let pipeline = block("include")
        + "variables:\n  CARNET_PATH: \"it's $(touch pwned) $$HOME; touch pwned #\"\n  \
           CARNET_TAGS: \"$(touch pwned);`touch pwned`, 'b'\"\n  CARNET_FAIL_ON: never\n  CARNET_CELLS: \"group, laptop\"\n\
           default:\n  before_script:\n    - set -u\n";
    let env = GitlabEnv::new(&pipeline);
    let path = |name: &str| env.analysis().join(name);
    std::fs::create_dir(path(directory)).expect("a directory");
    for name in ["carnet.toml", "check.sh"] {
        std::fs::rename(path(name), path(directory).join(name)).expect("a file");
        env.write(name, "");
    }
    env.commit();
    let output = env.pipeline(&[]);
    let document = env.read_json("carnet-out/carnet.json");
    assert_eq!(statuses(&document), [("laptop", "passed"), ("group", "passed")], "{}", output.text());
    assert_eq!(document["analysis"]["directory"], directory);
    assert_eq!(env.child_pipeline()["merge"]["tags"], json!(["$$(touch", "pwned);`touch", "pwned`", "'b'"]));
    let files = ignore::WalkBuilder::new(env.analysis()).standard_filters(false).build().flatten();
    let created: Vec<_> = files.filter(|entry| entry.file_name() == "pwned").collect();
    assert!(created.is_empty(), "{created:?}\n{}", output.text());
}

fn template_reports_invalid_variables() {
    let env = GitlabEnv::new(&block("include"));
    let errors = |variable: &str| {
        let output = env.pipeline(&["--variable", variable, "carnet-plan"]).assert_code(1);
        job_output(&output, "carnet-plan")
    };
    assert_snapshot!(errors("CARNET_FAIL_ON=$(id)"), @"
    error: invalid failure level `$(id)`; expected error, warning or never
     |
     = help: set CARNET_FAIL_ON to one of these levels
    ");
    assert_snapshot!(errors("CARNET_PATH=/etc"), @"
    error: path `/etc` is not relative to the repository root
     |
     = help: set CARNET_PATH to a relative path such as `analysis`, because jobs use different checkout directories
    ");
    assert_snapshot!(errors("CARNET_CELLS=--help"), @"
    error: unknown cell `--help`
     |
     = help: available cells: laptop, group, old, disk
    ");
    assert_snapshot!(errors("CARNET_BIN=/missing/carnet"), @"carnet: CARNET_BIN is not an executable file: /missing/carnet");
}

/// Replaces the durations of a report.
fn redact_times(output: &CommandOutput) -> String {
    let is_number = |word: &str| word.parse::<f64>().is_ok();
    let line = |line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        for index in 1..words.len() {
            if words[index] == "s" && is_number(words[index - 1]) {
                (words[index - 1], words[index]) = ("[TIME]", "");
            }
        }
        format!("{}\n", words.join(" ").trim_end())
    };
    output.text().lines().map(line).collect()
}

fn merge_reports_cells_without_document() {
    let env = GitlabEnv::new("");
    env.carnet(&["ci", "gitlab", "plan"]).assert_code(0);
    for cell in ["laptop", "group"] {
        env.carnet(&["cell", cell, "--out", &format!("carnet-cells/{cell}")]).assert_code(0);
    }
    env.write("carnet-cells/group/carnet.json", "{\"schema\": \"carnet/document@1\", \"analysis\": ");
    let output = env.carnet(&["ci", "gitlab", "merge"]).assert_code(4);
    // The environment of this machine varies.
    let merged: String = redact_times(&output)
        .lines()
        .skip(2)
        .filter(|line| !line.starts_with("  laptop"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_snapshot!(merged, @"
      group   ! infrastructure error
              no result
              help: the job did not start, was cancelled, or did not upload its document; check its log
      old     ! infrastructure error
              no result
              help: the job did not start, was cancelled, or did not upload its document; check its log
      disk    ! infrastructure error
              no result
              help: the job did not start, was cancelled, or did not upload its document; check its log

    4 cells: 1 passed, 3 infrastructure errors, in [TIME]
    ! the analysis did not fail, but could not be tested at group, old, disk
    skipped a document: failed to read `carnet-cells/group/carnet.json`: not JSON: EOF while parsing a value at line 1, column 44; its cells are reported as missing
    reports written to carnet-out
    ");
    let document = env.read_json("carnet-out/carnet.json");
    assert_eq!(statuses(&document), [("laptop", "passed"), ("group", "error"), ("old", "error"), ("disk", "error")]);

    std::fs::remove_dir_all(env.analysis().join("carnet-cells")).expect("a directory");
    let output = env.carnet(&["ci", "gitlab", "merge", "--fail-on", "never"]).assert_code(4);
    assert_eq!(totals(&output.text()), "4 cells: 4 infrastructure errors");
}

fn plan_selects_runners_with_cvmfs() {
    let env = GitlabEnv::new("");
    env.write("carnet.toml", CVMFS);
    let tags = |variables: &[(&str, &str)]| {
        let mut command = env.command(CARNET, &["plan", "--format", "gitlab"]);
        let child = CommandOutput::run(command.envs(variables.iter().copied())).assert_code(0).stdout;
        parse_yaml(&child)["cell-lxplus"]["tags"].take()
    };
    assert_eq!(tags(&[("CI_SERVER_HOST", "gitlab.cern.ch")]), json!(["k8s-cvmfs"]));
    assert_eq!(
        tags(&[("CI_SERVER_HOST", "gitlab.cern.ch"), ("CARNET_CVMFS_TAGS", "own"), ("CARNET_TAGS", "a b")]),
        json!(["a", "b", "own"])
    );
    assert_eq!(tags(&[("CI_SERVER_HOST", "gitlab.com")]), Value::Null);
    let output = env.carnet(&["ci", "gitlab", "plan"]).assert_code(0);
    assert_snapshot!(output.stderr, @"note: lxplus needs /cvmfs; unless all runners have it, set CARNET_CVMFS_TAGS to the tags of runners with /cvmfs");
}

fn documented_override_changes_jobs() {
    let env = GitlabEnv::new(&block("override"));
    let list = env.pipeline(&["--list-csv"]).assert_code(0).stdout;
    // Name, stage, condition, whether the job is allowed to fail, and needed jobs.
    let jobs: String =
        list.lines().filter(|line| line.starts_with("carnet-")).map(|line| format!("{line}\n")).collect();
    assert_snapshot!(jobs, @"
    carnet-scan;portability;on_success;false;;[]
    carnet-plan;portability;on_success;false;;[]
    carnet-program;portability;on_success;false;;[]
    carnet-cells;portability;on_success;false;;[carnet-plan,carnet-program]
    ");
}

fn documented_pipeline_of_cern_gets_submodules_and_cvmfs() {
    let env = GitlabEnv::new(&block("cern"));
    env.write("carnet.toml", CVMFS);
    env.pipeline(&["--variable", "CI_SERVER_HOST=gitlab.cern.ch", "carnet-plan"]).assert_code(0);
    let child = env.child_pipeline();
    assert_eq!(child["variables"], json!({"GIT_SUBMODULE_STRATEGY": "recursive"}));
    assert_eq!(child["cell-lxplus"]["tags"], json!(["k8s-cvmfs"]));
    assert_eq!(child["merge"]["image"]["name"], "gitlab-registry.cern.ch/my-group/python:3.12");
    assert_eq!(child[".cell"]["needs"][0]["job"], "carnet-program");
}

/// Changes the owner of a directory and of everything in it.
fn change_owner(directory: &Path, id: u32) {
    for entry in ignore::WalkBuilder::new(directory).standard_filters(false).build() {
        let path = entry.expect("an entry").into_path();
        std::os::unix::fs::lchown(path, Some(id), Some(id)).expect("the user is root");
    }
}

fn plan_reads_repository_of_another_user() {
    let env = GitlabEnv::new("");
    let other = GitlabEnv::new("");
    other.commit();
    let url = other.analysis().to_str().expect("UTF-8").to_owned();
    env.git(&["submodule", "--quiet", "add", "--name", "tools", &url, "lib/tools"]).assert_code(0);
    env.commit();
    let analysis = || parse(&env.carnet(&["plan", "--format", "json"]).assert_code(0).stdout)["analysis"].take();
    let own = analysis();
    assert!(own["commit"].is_string() && own["tree"]["left_out"].is_null(), "{own}");
    change_owner(&env.analysis(), 1234);
    assert_eq!(analysis(), own);
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    documented_override_changes_jobs,
    documented_pipeline_of_cern_gets_submodules_and_cvmfs,
    merge_reports_cells_without_document,
    plan_selects_runners_with_cvmfs,
    template_does_not_evaluate_variables,
    template_reports_invalid_variables,
    template_runs_each_cell_in_a_job_and_merges_documents,
);
crate::support::harness::register!([Root]: plan_reads_repository_of_another_user);
