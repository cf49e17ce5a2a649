//! Linters over the action and over the workflows that the documentation shows, as an auditor would run them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::github::document::{tool, top, version, workflows};

fn run(program: &str, arguments: &[&str], dir: &Path) {
    let mut command = Command::new(tool(program));
    command.args(arguments).current_dir(dir).env("NO_COLOR", "1");
    let output = command.output().expect("it starts");
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{program} {arguments:?}\n{said}");
}

const YAMLLINT: &str = "{extends: relaxed, rules: {line-length: disable}}";

fn the_action_and_its_installer_are_clean() {
    run("check-jsonschema", &["--builtin-schema", "vendor.github-actions", "action.yml"], top());
    run("zizmor", &["--offline", "--no-progress", "--persona", "auditor", "action.yml"], top());
    run("yamllint", &["--strict", "-d", YAMLLINT, "action.yml"], top());
    run(
        "shellcheck",
        &["--shell=sh", "--enable=quote-safe-variables,check-unassigned-uppercase", "ci/install.sh"],
        top(),
    );
}

fn the_workflows_of_the_documentation_are_clean() {
    let env = tempfile::tempdir().expect("a directory");
    let dir = env.path().join(".github/workflows");
    fs::create_dir_all(&dir).expect("directories");
    // actionlint wants to know where the project begins.
    fs::create_dir(env.path().join(".git")).expect("a directory");
    // The SHA of a release is known when it is there; users who pin write it like this.
    let pinned = format!("@{} # v{}\n", "0123456789abcdef".repeat(3).split_at(40).0, version());
    for (name, yaml) in workflows() {
        let yaml = yaml.replace(&format!("@v{}\n", version()), &pinned);
        fs::write(dir.join(format!("{name}.yml")), yaml).expect("a file");
    }
    let names: Vec<String> = workflows().into_iter().map(|(name, _)| format!(".github/workflows/{name}.yml")).collect();
    let with = |options: &[&str]| -> Vec<String> {
        options.iter().map(|option| (*option).to_owned()).chain(names.iter().cloned()).collect()
    };
    for (program, options) in [
        ("check-jsonschema", &["--builtin-schema", "vendor.github-workflows"][..]),
        ("actionlint", &["-no-color"]),
        ("zizmor", &["--offline", "--no-progress", "--persona", "auditor"]),
        ("yamllint", &["--strict", "-d", YAMLLINT]),
    ] {
        let arguments = with(options);
        run(program, &arguments.iter().map(String::as_str).collect::<Vec<_>>(), env.path());
    }
}

crate::support::harness::register!(
    [Tool("venv/bin/act")]:
    the_action_and_its_installer_are_clean,
    the_workflows_of_the_documentation_are_clean,
);
