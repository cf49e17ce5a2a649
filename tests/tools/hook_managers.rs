//! Hook managers that start carnet: pre-commit, lefthook and husky.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use insta::assert_snapshot;

use crate::support::engine::tool;
use crate::support::hook::{CLEAN, HookEnv};
use crate::support::{CARNET, CommandOutput, repository};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A repository with the configuration file of a hook manager, and with `carnet` on `PATH`.
fn managed_env(file: &str, text: &str) -> HookEnv {
    let mut env = HookEnv::without_hook("sha1");
    let bin = env.root().join("bin");
    fs::create_dir(&bin).expect("a directory");
    symlink(CARNET, bin.join("carnet")).expect("a link");
    env.prepend_path(&bin);
    env.prepend_path(tool("venv/bin/python").parent().expect("a directory"));
    env.write(file, text);
    env
}

/// The lines that `carnet hook install` prints for the configuration of the hook manager.
fn snippet(output: &CommandOutput) -> String {
    let snippet = output.stdout.split("\n\n").nth(2).expect("the snippet is the third paragraph");
    format!("{snippet}\n")
}

/// Replaces the only occurrence of `from`.
#[track_caller]
fn replace_once(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "`{from}` in {text}");
    text.replace(from, to)
}

fn hook(env: &HookEnv) -> PathBuf {
    env.analysis().join(".git/hooks/pre-push")
}

/// The verdict of carnet on a push: the lines that it marks as its own.
fn verdict(push: &CommandOutput) -> Vec<String> {
    push.text().lines().filter(|line| line.starts_with("carnet: ")).map(str::to_owned).collect()
}

/// Pushes a clean commit, a commit with a finding, and a new branch.
fn check_pushes(env: &HookEnv) {
    const BLOCKED: &str = "carnet: push blocked; fix or accept the findings or use `git push --no-verify`";
    env.write("old.sh", CLEAN);
    env.commit("one");
    assert_eq!(verdict(&env.push(&["main"]).assert_code(0)), [""; 0]);
    env.commit_flagged("run.sh");
    let push = env.push(&["main"]).assert_code(1);
    assert_eq!(verdict(&push), ["carnet: 1 error in 1 changed file (main)", BLOCKED]);
    let push = env.push(&["HEAD:refs/heads/side"]).assert_code(1);
    assert_eq!(verdict(&push), ["carnet: 1 error in 1 changed file (side)", BLOCKED]);
    assert!(!env.remote_has("side"));
}

fn pre_commit_runs_local_hook() {
    let env = managed_env(
        ".pre-commit-config.yaml",
        "repos:\n  - repo: local\n    hooks:\n      - id: carnet\n        name: analysis portability\n        \
         entry: carnet hook run pre-commit --budget 60s\n        language: system\n        stages: [pre-push]\n        \
         always_run: true\n        pass_filenames: false\n",
    );
    let output = env.install(&[]).assert_code(0);
    assert_snapshot!(output.stdout, @"
    .pre-commit-config.yaml already runs carnet; no hook was installed.
    Then run: pre-commit install --hook-type pre-push
    ");
    assert!(!hook(&env).exists());
    env.run("pre-commit", &["install", "--hook-type", "pre-push"]).assert_code(0);
    check_pushes(&env);
}

fn pre_commit_runs_hook_of_this_project() {
    let env = managed_env(".pre-commit-config.yaml", "repos:\n");
    let output = env.install(&[]).assert_code(0);
    assert_snapshot!(output.stdout.replace(VERSION, "[VERSION]"), @"
    pre-commit manages the hooks of this repository (.pre-commit-config.yaml); no hook was installed.

    Add this to .pre-commit-config.yaml:

      - repo: https://github.com/carnet-hep/carnet
        rev: v[VERSION]
        hooks:
          - id: carnet-system    # uses carnet from PATH; `carnet` builds it from source

    Then run: pre-commit install --hook-type pre-push
    To install a separate hook anyway, run: carnet hook install --force
    ");
    assert!(!hook(&env).exists());
    // pre-commit clones the project. A hook of an installed program needs only this file.
    let project = env.root().join("project");
    fs::create_dir(&project).expect("a directory");
    fs::copy(repository().join(".pre-commit-hooks.yaml"), project.join(".pre-commit-hooks.yaml")).expect("a file");
    let tag = format!("v{VERSION}");
    for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "hooks"], &["tag", tag.as_str()]] {
        env.git(&[&["-C", "../project"], arguments].concat()).assert_code(0);
    }
    let project = project.to_str().expect("UTF-8");
    let config = replace_once(&snippet(&output), "https://github.com/carnet-hep/carnet", project);
    let config = replace_once(&config, "id: carnet-system", "id: carnet-system\n        args: [--budget, 60s]");
    env.write(".pre-commit-config.yaml", format!("repos:\n{config}"));
    env.run("pre-commit", &["validate-manifest", "../project/.pre-commit-hooks.yaml"]).assert_code(0);
    env.run("pre-commit", &["install", "--hook-type", "pre-push"]).assert_code(0);
    check_pushes(&env);
}

fn lefthook_runs_carnet() {
    let env = managed_env("lefthook.yml", "");
    let output = env.install(&[]).assert_code(0);
    assert_snapshot!(output.stdout, @"
    lefthook manages the hooks of this repository (lefthook.yml); no hook was installed.

    Add this to lefthook.yml:

    pre-push:
      commands:
        carnet:
          run: carnet hook run pre-push {1} {2}
          use_stdin: true

    Then run: lefthook install
    To install a separate hook anyway, run: carnet hook install --force
    ");
    env.write("lefthook.yml", replace_once(&snippet(&output), "pre-push {1}", "pre-push --budget 60s {1}"));
    env.run("lefthook", &["install"]).assert_code(0);
    assert_snapshot!(env.install(&[]).assert_code(0).stdout, @"
    lefthook.yml already runs carnet; no hook was installed.
    Then run: lefthook install
    ");
    check_pushes(&env);
}

/// Version 9 of husky installs `.husky/_/pre-push`, which runs the user's `.husky/pre-push`.
fn husky_runs_carnet() {
    let env = managed_env(".husky/pre-commit", "true\n");
    env.install_script(
        &env.analysis().join(".husky/_/pre-push"),
        "exec sh -e \"$(dirname \"$(dirname \"$0\")\")/pre-push\" \"$@\"",
    );
    env.git(&["config", "core.hooksPath", ".husky/_"]).assert_code(0);
    let output = env.install(&[]).assert_code(0);
    assert_snapshot!(output.stdout, @r#"
    husky manages the hooks of this repository (.husky); no hook was installed.

    Add this to .husky/pre-push:

    carnet hook run pre-push "$1" "$2"

    To install a separate hook anyway, run: carnet hook install --force
    "#);
    env.write(".husky/pre-push", replace_once(&snippet(&output), "pre-push \"", "pre-push --budget 60s \""));
    check_pushes(&env);
    assert_snapshot!(env.carnet(&["hook", "remove"]).assert_code(0).stderr, @"note: husky still runs carnet; remove it from .husky/pre-push");
}

fn forced_hook_runs_hook_of_manager_first() {
    let env = managed_env("lefthook.yml", "pre-push:\n  commands:\n    other:\n      run: echo other > ../other\n");
    env.run("lefthook", &["install"]).assert_code(0);
    let of_lefthook = fs::read_to_string(hook(&env)).expect("the hook of lefthook");
    env.install(&["--force"]).assert_code(0);
    check_pushes(&env);
    assert!(env.root().join("other").exists(), "the command of lefthook.yml did not run");
    env.carnet(&["hook", "remove"]).assert_code(0);
    assert_eq!(fs::read_to_string(hook(&env)).expect("the hook of lefthook"), of_lefthook);
}

fn installed_hook_passes_shellcheck() {
    let env = HookEnv::new();
    let checked = env.run(tool("venv/bin/shellcheck"), &[".git/hooks/pre-push"]).assert_code(0);
    assert_eq!(checked.stdout, "");
}

crate::support::harness::register!(
    [Tool("venv/bin/python")]:
    forced_hook_runs_hook_of_manager_first,
    husky_runs_carnet,
    installed_hook_passes_shellcheck,
    lefthook_runs_carnet,
    pre_commit_runs_hook_of_this_project,
    pre_commit_runs_local_hook,
);
