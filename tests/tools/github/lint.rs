//! Linters of the action and of the documented workflows.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::github::document::{VERSION, workflows};
use crate::support::engine::tool;
use crate::support::{CommandOutput, repository};

const YAMLLINT: &str = "{extends: relaxed, rules: {line-length: disable}}";

/// Runs a linter that must succeed.
#[track_caller]
fn lint(program: &str, arguments: &[&str], dir: &Path) {
    let mut command = Command::new(tool("venv/bin").join(program));
    CommandOutput::run(command.args(arguments).current_dir(dir).env("NO_COLOR", "1")).assert_code(0);
}

fn action_and_installer_pass_linters() {
    let top = repository();
    lint("check-jsonschema", &["--builtin-schema", "vendor.github-actions", "action.yml"], top);
    lint("zizmor", &["--offline", "--no-progress", "--persona", "auditor", "action.yml"], top);
    lint("yamllint", &["--strict", "-d", YAMLLINT, "action.yml"], top);
    let checks = "--enable=quote-safe-variables,check-unassigned-uppercase";
    lint("shellcheck", &["--shell=sh", checks, "ci/install.sh"], top);
}

fn documented_workflows_pass_linters() {
    let env = tempfile::tempdir().expect("a directory");
    let dir = env.path().join(".github/workflows");
    fs::create_dir_all(&dir).expect("directories");
    // actionlint looks for the top of a repository.
    fs::create_dir(env.path().join(".git")).expect("a directory");
    // The commit of the release is not known yet. Users can pin the action like this.
    let pinned = format!("@{} # v{VERSION}\n", "0123456789abcdef".repeat(3).split_at(40).0);
    for (name, yaml) in workflows() {
        let yaml = yaml.replace(&format!("@v{VERSION}\n"), &pinned);
        fs::write(dir.join(format!("{name}.yml")), yaml).expect("a file");
    }
    let paths: Vec<String> = workflows().into_iter().map(|(name, _)| format!(".github/workflows/{name}.yml")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    for (program, options) in [
        ("check-jsonschema", &["--builtin-schema", "vendor.github-workflows"][..]),
        ("actionlint", &["-no-color"]),
        ("zizmor", &["--offline", "--no-progress", "--persona", "auditor"]),
        ("yamllint", &["--strict", "-d", YAMLLINT]),
    ] {
        lint(program, &[options, &paths].concat(), env.path());
    }
}

crate::support::harness::register!(
    [Tool("venv/bin/act")]:
    action_and_installer_pass_linters,
    documented_workflows_pass_linters,
);
