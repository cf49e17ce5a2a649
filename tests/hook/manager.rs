//! Programs that keep hooks themselves: told what to add, and then they start carnet, the real ones.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::place::tool;
use crate::world::{CARNET, CLEAN, SAID, Said, World};

/// A world in which `carnet` is found on `PATH`, with a file that shows a manager.
fn managed(file: &str, text: &str) -> World {
    let mut world = World::bare("sha1");
    let bin = world.top().join("bin");
    fs::create_dir(&bin).expect("a directory");
    symlink(CARNET, bin.join("carnet")).expect("a link");
    world.find_in(&bin);
    world.write(file, text);
    world
}

/// What `carnet hook install` says to add.
fn snippet(said: &Said) -> String {
    let mut parts = said.out.splitn(3, "\n\n");
    assert!(parts.next().is_some_and(|text| text.contains("nothing was written")), "{}", said.out);
    said.out.split("\n\n").nth(1).map(|text| format!("{text}\n")).expect("a snippet")
}

/// The snippet with more time than it has in life.
fn patient(snippet: &str, part: &str, with: &str) -> String {
    assert!(snippet.contains(part), "{snippet}");
    snippet.replacen(part, with, 1)
}

fn hook(world: &World) -> PathBuf {
    world.here.join(".git/hooks/pre-push")
}

/// Pushes a clean commit, a first one, and a flagged one.
fn pushes(world: &World) {
    world.write("old.sh", CLEAN);
    world.commit("one");
    let said = world.push(&["main"]).expect(0);
    assert!(!said.err.contains("carnet: "), "{}", said.err);
    world.commit_flagged("run.sh");
    let said = world.push(&["main"]).expect(1);
    let text = format!("{}{}", said.out, said.err);
    assert!(text.contains(SAID) && text.contains("in 1 changed file"), "{text}");
    let said = world.push(&["HEAD:refs/heads/side"]).expect(1);
    assert!(format!("{}{}", said.out, said.err).contains(SAID), "{}", said.err);
    assert!(!world.remote_has("side"));
}

#[test]
fn pre_commit_starts_it_with_a_hook_of_the_repository() {
    let mut world = managed(
        ".pre-commit-config.yaml",
        "repos:\n  - repo: local\n    hooks:\n      - id: carnet\n        name: analysis portability\n        \
         entry: carnet hook run pre-commit --budget 60s\n        language: system\n        stages: [pre-push]\n        \
         always_run: true\n        pass_filenames: false\n",
    );
    world.find_in(tool("pre-commit").parent().expect("a directory"));
    let said = world.install(&[]).expect(0);
    assert!(said.out.contains("names carnet already") && !hook(&world).exists(), "{}", said.out);
    world.run("pre-commit", &["install", "--hook-type", "pre-push"]).expect(0);
    pushes(&world);
}

#[test]
fn pre_commit_starts_it_with_the_hooks_that_this_project_offers() {
    let mut world = managed(".pre-commit-config.yaml", "repos:\n");
    world.find_in(tool("pre-commit").parent().expect("a directory"));
    let snippet = snippet(&world.install(&[]).expect(0));
    assert!(!hook(&world).exists(), "nothing is written");
    // The project as pre-commit would clone it: nothing of it but the file counts for a program that is installed.
    let project = world.top().join("project");
    fs::create_dir(&project).expect("a directory");
    let offered = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    fs::copy(offered, project.join(".pre-commit-hooks.yaml")).expect("the project offers hooks");
    let version = format!("v{}", env!("CARGO_PKG_VERSION"));
    for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "hooks"], &["tag", version.as_str()]] {
        world.git(&[&["-C", "../project"], arguments].concat()).expect(0);
    }
    let here = snippet.replace("https://github.com/carnet-hep/carnet", project.to_str().expect("UTF-8"));
    assert_ne!(here, snippet);
    world.write(
        ".pre-commit-config.yaml",
        format!("repos:\n{}", patient(&here, "carnet-system", "carnet-system\n        args: [--budget, 60s]")),
    );
    world.run("pre-commit", &["validate-manifest", "../project/.pre-commit-hooks.yaml"]).expect(0);
    world.run("pre-commit", &["install", "--hook-type", "pre-push"]).expect(0);
    pushes(&world);
}

#[test]
fn lefthook_starts_it() {
    let mut world = managed("lefthook.yml", "");
    world.find_in(tool("lefthook").parent().expect("a directory"));
    let snippet = snippet(&world.install(&[]).expect(0));
    world.write("lefthook.yml", patient(&snippet, "pre-push {1}", "pre-push --budget 60s {1}"));
    world.run("lefthook", &["install"]).expect(0);
    let said = world.install(&[]).expect(0);
    assert!(said.out.contains("names carnet already"), "{}", said.out);
    pushes(&world);
}

/// Husky's own part, as version 9 of it writes it in short: git runs `.husky/_/pre-push`, and that the user's file.
#[test]
fn husky_starts_it() {
    let world = managed(".husky/pre-commit", "true\n");
    world.script(
        &world.here.join(".husky/_/pre-push"),
        "exec sh -e \"$(dirname \"$(dirname \"$0\")\")/pre-push\" \"$@\"",
    );
    world.git(&["config", "core.hooksPath", ".husky/_"]).expect(0);
    let said = world.install(&[]).expect(0);
    assert!(said.out.contains("husky keeps the hooks"), "{}", said.out);
    world.write(".husky/pre-push", patient(&snippet(&said), "pre-push \"", "pre-push --budget 60s \""));
    pushes(&world);
    let said = world.carnet(&["hook", "remove"]).expect(0);
    assert!(said.err.contains("husky starts carnet by .husky/pre-push"), "{}", said.err);
}

#[test]
fn a_hook_can_be_written_beside_them() {
    let mut world = managed("lefthook.yml", "pre-push:\n  commands:\n    other:\n      run: echo other > ../other\n");
    world.find_in(tool("lefthook").parent().expect("a directory"));
    world.run("lefthook", &["install"]).expect(0);
    world.install(&["--force"]).expect(0);
    pushes(&world);
    assert!(world.top().join("other").exists(), "the other hook runs");
    world.carnet(&["hook", "remove"]).expect(0);
    assert!(fs::read_to_string(hook(&world)).expect("a hook").contains("lefthook"));
}
