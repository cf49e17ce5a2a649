//! Programs that keep hooks themselves: told what to add, and then they start carnet, the real ones.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::engine::tool;
use crate::support::hook::{CLEAN, FLAGGED_RULE, HookEnv};
use crate::support::{CARNET, CommandOutput};

/// A env in which `carnet` is found on `PATH`, with a file that shows a manager.
fn managed(file: &str, text: &str) -> HookEnv {
    let mut env = HookEnv::without_hook("sha1");
    let bin = env.root().join("bin");
    fs::create_dir(&bin).expect("a directory");
    symlink(CARNET, bin.join("carnet")).expect("a link");
    env.prepend_path(&bin);
    env.write(file, text);
    env
}

/// What `carnet hook install` says to add.
fn snippet(said: &CommandOutput) -> String {
    let mut parts = said.stdout.splitn(3, "\n\n");
    assert!(parts.next().is_some_and(|text| text.contains("nothing was written")), "{}", said.stdout);
    said.stdout.split("\n\n").nth(1).map(|text| format!("{text}\n")).expect("a snippet")
}

/// The snippet with more time than it has in life.
fn patient(snippet: &str, part: &str, with: &str) -> String {
    assert!(snippet.contains(part), "{snippet}");
    snippet.replacen(part, with, 1)
}

fn hook(env: &HookEnv) -> PathBuf {
    env.analysis().join(".git/hooks/pre-push")
}

/// Pushes a clean commit, a first one, and a flagged one.
fn pushes(env: &HookEnv) {
    env.write("old.sh", CLEAN);
    env.commit("one");
    let said = env.push(&["main"]).assert_code(0);
    assert!(!said.stderr.contains("carnet: "), "{}", said.stderr);
    env.commit_flagged("run.sh");
    let said = env.push(&["main"]).assert_code(1);
    let text = format!("{}{}", said.stdout, said.stderr);
    assert!(text.contains(FLAGGED_RULE) && text.contains("in 1 changed file"), "{text}");
    let said = env.push(&["HEAD:refs/heads/side"]).assert_code(1);
    assert!(format!("{}{}", said.stdout, said.stderr).contains(FLAGGED_RULE), "{}", said.stderr);
    assert!(!env.remote_has("side"));
}

fn pre_commit_starts_it_with_a_hook_of_the_repository() {
    let mut env = managed(
        ".pre-commit-config.yaml",
        "repos:\n  - repo: local\n    hooks:\n      - id: carnet\n        name: analysis portability\n        \
         entry: carnet hook run pre-commit --budget 60s\n        language: system\n        stages: [pre-push]\n        \
         always_run: true\n        pass_filenames: false\n",
    );
    env.prepend_path(tool("venv/bin/pre-commit").parent().expect("a directory"));
    let said = env.install(&[]).assert_code(0);
    assert!(said.stdout.contains("names carnet already") && !hook(&env).exists(), "{}", said.stdout);
    env.run("pre-commit", &["install", "--hook-type", "pre-push"]).assert_code(0);
    pushes(&env);
}

fn pre_commit_starts_it_with_the_hooks_that_this_project_offers() {
    let mut env = managed(".pre-commit-config.yaml", "repos:\n");
    env.prepend_path(tool("venv/bin/pre-commit").parent().expect("a directory"));
    let snippet = snippet(&env.install(&[]).assert_code(0));
    assert!(!hook(&env).exists(), "nothing is written");
    // The project as pre-commit would clone it: nothing of it but the file counts for a program that is installed.
    let project = env.root().join("project");
    fs::create_dir(&project).expect("a directory");
    let offered = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    fs::copy(offered, project.join(".pre-commit-hooks.yaml")).expect("the project offers hooks");
    let version = format!("v{}", env!("CARGO_PKG_VERSION"));
    for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "hooks"], &["tag", version.as_str()]] {
        env.git(&[&["-C", "../project"], arguments].concat()).assert_code(0);
    }
    let here = snippet.replace("https://github.com/carnet-hep/carnet", project.to_str().expect("UTF-8"));
    assert_ne!(here, snippet);
    env.write(
        ".pre-commit-config.yaml",
        format!("repos:\n{}", patient(&here, "carnet-system", "carnet-system\n        args: [--budget, 60s]")),
    );
    env.run("pre-commit", &["validate-manifest", "../project/.pre-commit-hooks.yaml"]).assert_code(0);
    env.run("pre-commit", &["install", "--hook-type", "pre-push"]).assert_code(0);
    pushes(&env);
}

fn lefthook_starts_it() {
    let mut env = managed("lefthook.yml", "");
    env.prepend_path(tool("venv/bin/lefthook").parent().expect("a directory"));
    let snippet = snippet(&env.install(&[]).assert_code(0));
    env.write("lefthook.yml", patient(&snippet, "pre-push {1}", "pre-push --budget 60s {1}"));
    env.run("lefthook", &["install"]).assert_code(0);
    let said = env.install(&[]).assert_code(0);
    assert!(said.stdout.contains("names carnet already"), "{}", said.stdout);
    pushes(&env);
}

/// Husky's own part, as version 9 of it writes it in short: git runs `.husky/_/pre-push`, and that the user's file.
fn husky_starts_it() {
    let env = managed(".husky/pre-commit", "true\n");
    env.install_script(
        &env.analysis().join(".husky/_/pre-push"),
        "exec sh -e \"$(dirname \"$(dirname \"$0\")\")/pre-push\" \"$@\"",
    );
    env.git(&["config", "core.hooksPath", ".husky/_"]).assert_code(0);
    let said = env.install(&[]).assert_code(0);
    assert!(said.stdout.contains("husky keeps the hooks"), "{}", said.stdout);
    env.write(".husky/pre-push", patient(&snippet(&said), "pre-push \"", "pre-push --budget 60s \""));
    pushes(&env);
    let said = env.carnet(&["hook", "remove"]).assert_code(0);
    assert!(said.stderr.contains("husky starts carnet by .husky/pre-push"), "{}", said.stderr);
}

fn a_hook_can_be_written_beside_them() {
    let mut env = managed("lefthook.yml", "pre-push:\n  commands:\n    other:\n      run: echo other > ../other\n");
    env.prepend_path(tool("venv/bin/lefthook").parent().expect("a directory"));
    env.run("lefthook", &["install"]).assert_code(0);
    env.install(&["--force"]).assert_code(0);
    pushes(&env);
    assert!(env.root().join("other").exists(), "the other hook runs");
    env.carnet(&["hook", "remove"]).assert_code(0);
    assert!(fs::read_to_string(hook(&env)).expect("a hook").contains("lefthook"));
}

fn the_hook_passes_for_any_shell() {
    let env = HookEnv::new();
    let checker = tool("venv/bin/shellcheck");
    let checked = env.run(checker.to_str().expect("UTF-8"), &[hook(&env).to_str().expect("UTF-8")]);
    assert_eq!(checked.stdout, "");
    checked.assert_code(0);
}

crate::support::harness::register!(
    [Tool("venv/bin/python")]:
    the_hook_passes_for_any_shell,
    pre_commit_starts_it_with_a_hook_of_the_repository,
    pre_commit_starts_it_with_the_hooks_that_this_project_offers,
    lefthook_starts_it,
    husky_starts_it,
    a_hook_can_be_written_beside_them,
);
