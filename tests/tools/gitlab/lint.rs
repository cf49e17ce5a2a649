//! The templates and a child pipeline in the eyes of linters.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::gitlab::documentation::block;
use crate::gitlab::env::{GitlabEnv, project};
use crate::support::engine::tool;

const FILES: [&str; 3] = [".gitlab-ci-template.yml", ".gitlab-ci-jobs.yml", "templates/check.yml"];

/// The jobs of a file: the component's come after its inputs.
fn jobs(name: &str) -> String {
    let text = project(name);
    match name {
        "templates/check.yml" => text.split_once("\n---\n").expect("two documents").1.to_owned(),
        _ => text,
    }
}

/// Every script in a file, with the name of its job, lines joined as a runner does.
pub(crate) fn scripts(name: &str) -> Vec<(String, String)> {
    // A tag of GitLab's own, whose job is among these.
    let text =
        jobs(name).replace("!reference [.carnet-install, script]", "':'").replace("$[[ inputs.prefix ]]", "carnet");
    let value: serde_json::Value = serde_saphyr::from_str(&text).expect("YAML");
    let jobs = value.as_object().expect("jobs").iter();
    let lines = |script: &serde_json::Value| {
        let lines = script.as_array()?.iter().filter_map(|line| line.as_str());
        Some(lines.collect::<Vec<_>>().join("\n"))
    };
    jobs.filter_map(|(job, value)| Some((job.clone(), lines(&value["script"])?))).collect()
}

#[track_caller]
fn clean(command: &mut Command) {
    let output = command.output().expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&said));
}

fn yamllint(path: &Path) {
    let rules = "{extends: default, rules: {line-length: disable, document-start: disable}}";
    clean(Command::new(tool("venv/bin/yamllint")).args(["--strict", "-d", rules]).arg(path));
}

fn schema(path: &Path) {
    let arguments = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"];
    clean(Command::new(tool("venv/bin/check-jsonschema")).args(arguments).arg(path));
}

fn templates_and_what_the_page_shows_are_valid() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in FILES {
        yamllint(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name));
        let path = dir.path().join("jobs.yml");
        fs::write(&path, jobs(name)).expect("a file");
        schema(&path);
    }
    for name in ["include", "override", "component", "flat", "program", "cern"] {
        let path = dir.path().join("block.yml");
        fs::write(&path, block(name)).expect("a file");
        yamllint(&path);
        schema(&path);
    }
}

fn a_child_pipeline_is_valid() {
    let env = GitlabEnv::new("");
    env.carnet(&["ci", "gitlab", "plan", "--tags", "a b", "--image", "python:3.12-slim"]).assert_code(0);
    let child = env.analysis().join(".carnet/child.yml");
    yamllint(&child);
    schema(&child);
    // Of a grown-up size too.
    let facility = |i| format!("[[facility]]\nid = \"site-{i}\"\nimage = \"docker://x/y:{}\"\n", i % 150);
    let facilities: String = (0..300).map(facility).collect();
    env.write("carnet.toml", format!("[test]\nrun = \"true\"\n{facilities}"));
    env.carnet(&["ci", "gitlab", "plan"]).assert_code(0);
    yamllint(&child);
    schema(&child);
}

fn scripts_are_portable_shell() {
    let dir = tempfile::tempdir().expect("a directory");
    let shellcheck = |name: &str, text: &str| {
        let path = dir.path().join("script.sh");
        fs::write(&path, format!("#!/bin/sh\nset -eu\n{text}\n")).expect("a file");
        // Variables that GitLab sets are assigned nowhere.
        clean(Command::new(tool("venv/bin/shellcheck")).args(["--exclude=SC2154", "--severity=style"]).arg(&path));
        assert!(!text.is_empty(), "{name}");
    };
    let mut seen = 0;
    for file in FILES {
        for (name, text) in scripts(file) {
            shellcheck(&name, &text);
            seen += 1;
        }
    }
    assert!(seen >= 9, "{seen} scripts");
    let env = GitlabEnv::new("");
    env.carnet(&["ci", "gitlab", "plan"]).assert_code(0);
    let child: serde_json::Value = serde_saphyr::from_str(&env.read(".carnet/child.yml")).expect("YAML");
    for job in ["cell-laptop", "cell-disk", "merge"] {
        let before = child[".cell"]["before_script"].as_array().expect("lines").iter();
        let lines = before.chain(child[job]["script"].as_array().expect("lines")).filter_map(|line| line.as_str());
        let lines: Vec<&str> = lines.collect();
        shellcheck(job, &lines.join("\n"));
    }
}

fn the_same_lines_get_the_program_in_every_file() {
    let of = |name: &str, job: &str| {
        let found = scripts(name).into_iter().find(|(known, _)| known.contains(job)).map(|(_, text)| text);
        found.unwrap_or_else(|| panic!("{name} has no {job}"))
    };
    let install = of(".gitlab-ci-template.yml", ".carnet-install");
    assert_eq!(of(".gitlab-ci-jobs.yml", ".carnet-install"), install);
    for job in ["-scan", "-plan"] {
        assert!(of("templates/check.yml", job).starts_with(&install), "{job}");
    }
    // What the two files for an include share is the same, down to the comments.
    let shared = |name: &str| {
        let text = project(name);
        let start = text.find("# Override it").expect("the first job");
        let end = text.find("# The pipeline:").unwrap_or(text.len());
        text[start..end].trim().to_owned()
    };
    assert_eq!(shared(".gitlab-ci-template.yml"), shared(".gitlab-ci-jobs.yml"));
}

fn templates_name_the_version_of_this_program() {
    let version = env!("CARGO_PKG_VERSION");
    for name in [".gitlab-ci-template.yml", ".gitlab-ci-jobs.yml"] {
        assert!(project(name).contains(&format!("CARNET_VERSION: \"{version}\"")), "{name}");
    }
    assert!(project("templates/check.yml").contains(&format!("version: {{default: \"{version}\"")));
    assert!(block("include").contains(&format!("/v{version}/")));
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    templates_and_what_the_page_shows_are_valid,
    a_child_pipeline_is_valid,
    scripts_are_portable_shell,
    the_same_lines_get_the_program_in_every_file,
    templates_name_the_version_of_this_program,
);
