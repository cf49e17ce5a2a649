//! Linters of the templates, the documented pipelines and the child pipeline.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::gitlab::documentation::block;
use crate::gitlab::env::{GitlabEnv, parse_yaml, project_file};
use crate::support::engine::tool;
use crate::support::{CommandOutput, repository};

const TEMPLATE: &str = ".gitlab-ci-template.yml";
const JOBS: &str = ".gitlab-ci-jobs.yml";
const COMPONENT: &str = "templates/check.yml";
const FILES: [&str; 3] = [TEMPLATE, JOBS, COMPONENT];

/// The jobs of a file. Those of the component follow its inputs.
fn jobs(name: &str) -> String {
    let text = project_file(name);
    match name {
        COMPONENT => text.split_once("\n---\n").expect("two documents").1.to_owned(),
        _ => text,
    }
}

/// The scripts of a file by the name of their job. Lines are joined, as a runner joins them.
pub(crate) fn scripts(name: &str) -> BTreeMap<String, String> {
    // The referenced script is checked as a job of its own.
    let text =
        jobs(name).replace("!reference [.carnet-install, script]", "':'").replace("$[[ inputs.prefix ]]", "carnet");
    let jobs = parse_yaml(&text);
    let jobs = jobs.as_object().expect("jobs").iter();
    jobs.filter(|(_, job)| job["script"].is_array()).map(|(name, job)| (name.clone(), lines(&job["script"]))).collect()
}

/// The lines of a script.
fn lines(script: &Value) -> String {
    let lines = script.as_array().expect("lines").iter().map(|line| line.as_str().expect("a line"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs a linter that must succeed.
#[track_caller]
fn lint(program: &str, arguments: &[&str], path: &Path) {
    let mut command = Command::new(tool("venv/bin").join(program));
    CommandOutput::run(command.args(arguments).arg(path)).assert_code(0);
}

fn yamllint(path: &Path) {
    let rules = "{extends: default, rules: {line-length: disable, document-start: disable}}";
    lint("yamllint", &["--strict", "-d", rules], path);
}

fn validate_schema(path: &Path) {
    lint("check-jsonschema", &["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"], path);
}

fn templates_and_documented_pipelines_are_valid() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in FILES {
        yamllint(&repository().join(name));
        let path = dir.path().join("jobs.yml");
        fs::write(&path, jobs(name)).expect("a file");
        validate_schema(&path);
    }
    for name in ["include", "override", "component", "flat", "program", "cern"] {
        let path = dir.path().join("block.yml");
        fs::write(&path, block(name)).expect("a file");
        yamllint(&path);
        validate_schema(&path);
    }
}

fn child_pipeline_is_valid() {
    let env = GitlabEnv::new("");
    env.carnet(&["ci", "gitlab", "plan", "--tags", "a b", "--image", "python:3.12-slim"]).assert_code(0);
    let child = env.analysis().join(".carnet/child.yml");
    yamllint(&child);
    validate_schema(&child);
    // The child pipeline of many facilities.
    let facility = |i| format!("[[facility]]\nid = \"site-{i}\"\nimage = \"docker://x/y:{}\"\n", i % 150);
    let facilities: String = (0..300).map(facility).collect();
    env.write("carnet.toml", format!("[test]\nrun = \"true\"\n{facilities}"));
    env.carnet(&["ci", "gitlab", "plan"]).assert_code(0);
    yamllint(&child);
    validate_schema(&child);
}

fn scripts_pass_shellcheck() {
    let dir = tempfile::tempdir().expect("a directory");
    let shellcheck = |text: &str| {
        let path = dir.path().join("script.sh");
        fs::write(&path, format!("#!/bin/sh\nset -eu\n{text}\n")).expect("a file");
        // Scripts do not assign the variables of GitLab.
        lint("shellcheck", &["--exclude=SC2154", "--severity=style"], &path);
    };
    for (file, count) in FILES.into_iter().zip([6, 4, 3]) {
        let scripts = scripts(file);
        assert_eq!(scripts.len(), count, "{file}: {:?}", scripts.keys());
        scripts.values().for_each(|script| shellcheck(script));
    }
    let env = GitlabEnv::new("");
    env.carnet(&["ci", "gitlab", "plan"]).assert_code(0);
    let child = env.child_pipeline();
    for job in ["cell-laptop", "cell-disk", "merge"] {
        shellcheck(&format!("{}\n{}", lines(&child[".cell"]["before_script"]), lines(&child[job]["script"])));
    }
}

fn files_share_their_lines() {
    let install = scripts(TEMPLATE).remove(".carnet-install").expect("a job");
    assert_eq!(scripts(JOBS)[".carnet-install"], install);
    for job in ["carnet-scan", "carnet-plan"] {
        assert!(scripts(COMPONENT)[job].starts_with(&install), "{job}");
    }
    // The files for an include share these jobs with their comments.
    let shared = |name: &str| {
        let text = project_file(name);
        let start = text.find("# Override it").expect("the first job");
        let end = text.find("# The pipeline:").unwrap_or(text.len());
        text[start..end].trim().to_owned()
    };
    assert_eq!(shared(TEMPLATE), shared(JOBS));
}

fn files_use_version_of_this_program() {
    let version = env!("CARGO_PKG_VERSION");
    for name in [TEMPLATE, JOBS] {
        assert_eq!(parse_yaml(&project_file(name))["variables"]["CARNET_VERSION"], version, "{name}");
    }
    let component = project_file(COMPONENT);
    let header = parse_yaml(component.split("\n---\n").next().expect("a header"));
    assert_eq!(header["spec"]["inputs"]["version"]["default"], version);
    let url = format!("https://raw.githubusercontent.com/carnet-hep/carnet/v{version}/{TEMPLATE}");
    assert_eq!(parse_yaml(&block("include"))["include"], json!([{ "remote": url }]));
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    child_pipeline_is_valid,
    files_share_their_lines,
    files_use_version_of_this_program,
    scripts_pass_shellcheck,
    templates_and_documented_pipelines_are_valid,
);
