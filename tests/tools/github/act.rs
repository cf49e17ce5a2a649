//! The workflows of the documentation, run by `act`: on this machine and in containers.
//!
//! The text is what users copy. What act can't fetch here stands in for by a stub: the actions of others by a few lines of
//! shell, the action itself by a copy of this checkout, its release by a mirror with the binary under test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use carnet::image::disk::OnDisk;
use carnet::image::export::write_docker_archive;

use crate::github::document::{called, tool, version, workflows};
use crate::github::env::{GithubEnv, Server};
use crate::github::step::{HOSTILE, two};
use crate::support::CARNET;
use crate::support::engine::{ask, busybox, daemon};

/// Actions of others and what stands in for them. The last part of a path is the action's own directory.
const STUBS: [(&str, &str, &str); 4] = [
    (
        "actions/upload-artifact",
        "action.yml",
        "inputs: {name: {required: true}, path: {required: true}, overwrite: {default: 'false'}}
runs:
  using: composite
  steps:
    - shell: sh
      env: {NAME: '${{ inputs.name }}', FROM: '${{ inputs.path }}'}
      run: mkdir -p \"$STUB_ARTIFACTS/$NAME\" && cp \"$FROM\"/* \"$STUB_ARTIFACTS/$NAME/\" && echo \"uploaded $NAME\"
",
    ),
    (
        "actions/download-artifact",
        "action.yml",
        "inputs: {pattern: {required: true}, path: {required: true}}
runs:
  using: composite
  steps:
    - shell: sh
      env: {TO: '${{ inputs.path }}'}
      run: mkdir -p \"$TO\" && cp -r \"$STUB_ARTIFACTS\"/carnet-* \"$TO/\" && echo \"downloaded to $TO\"
",
    ),
    (
        "github/codeql-action",
        "upload-sarif/action.yml",
        "inputs: {sarif_file: {required: true}, category: {required: true}}
runs:
  using: composite
  steps:
    - shell: sh
      env: {FILE: '${{ inputs.sarif_file }}'}
      run: grep -q '2.1.0' \"$FILE\" && echo \"took $FILE\"
",
    ),
    (
        "cvmfs-contrib/github-action-cvmfs",
        "action.yml",
        "runs:
  using: composite
  steps:
    - shell: sh
      run: echo mounted
",
    ),
];

/// What act said.
struct Log {
    is_good: bool,
    text: String,
}

impl Log {
    /// What one job printed, without the prefix of act.
    fn job(&self, name: &str) -> Vec<&str> {
        let prefixes = [format!("/{name}]"), format!("/{name} "), format!("/{name}-")];
        let own = self.text.lines().filter(|line| {
            line.split_once("] ")
                .is_some_and(|(head, _)| prefixes.iter().any(|p| format!("{head}]").contains(p.as_str())))
        });
        own.filter_map(|line| line.split_once("] ")).map(|(_, said)| said.trim()).collect()
    }

    #[track_caller]
    fn says(&self, job: &str, line: &str) {
        let lines = self.job(job);
        assert!(
            lines.iter().any(|said| said.trim_start_matches("| ").contains(line)),
            "{job} never says {line:?}:\n{}",
            self.text
        );
    }
}

fn workflow(name: &str) -> String {
    workflows().into_iter().find(|(known, _)| known == name).expect("a workflow of that name").1
}

/// The action and what stands in for those of others, as act wants to be told.
fn repositories(env: &GithubEnv, yaml: &str) -> Vec<String> {
    let mut all = vec![format!("carnet-hep/carnet@v{}={}", version(), env.action().display())];
    for (name, file, text) in STUBS {
        let dir = env.path("stub").join(name);
        let path = dir.join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, format!("name: stub\ndescription: stub\n{text}")).expect("a file");
        let pins = yaml.split(name).skip(1).filter_map(|rest| rest.split_once('@')?.1.split_whitespace().next());
        let pins: BTreeSet<&str> = pins.collect();
        all.extend(pins.iter().map(|pin| format!("{name}@{pin}={}", dir.display())));
    }
    all
}

fn act(env: &GithubEnv, yaml: &str, base: &str, more: &[&str]) -> Log {
    env.write(".github/workflows/carnet.yml", yaml);
    env.commit("x");
    let mut act = Command::new(tool("act"));
    act.args(["push", "--workflows", ".github/workflows/carnet.yml", "--platform", "ubuntu-24.04=-self-hosted"]);
    act.args(["--pull=false", "--no-cache-server", "--rm", "--env", "NO_COLOR=1"]);
    act.arg("--env").arg(format!("CARNET_BASE_URL={base}"));
    act.arg("--env").arg(format!("CARNET_CACHE={}", env.path("cache").display()));
    act.arg("--env").arg(format!("STUB_ARTIFACTS={}", env.path("artifacts").display()));
    for repository in repositories(env, &format!("{yaml}{}", called())) {
        act.args(["--local-repository", &repository]);
    }
    act.args(more).current_dir(env.path("analysis")).env_clear();
    act.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", env.path("home"));
    act.env("TMPDIR", env.path("temp")).env("ACT_DISABLE_VERSION_CHECK", "1");
    if let Some(host) = more.contains(&"--container-daemon-socket").then(daemon) {
        act.env("DOCKER_HOST", host);
    }
    let output = act.output().expect("act starts");
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    Log { is_good: output.status.success(), text }
}

fn the_workflow_of_the_readme_checks_every_facility() {
    let env = two();
    let server = Server::over(&env.mirror(Path::new(CARNET)));
    let log = act(&env, &workflow("simple"), &server.url, &[]);
    assert!(!log.is_good, "a facility fails:\n{}", log.text);
    log.says("carnet", "✗ the analysis fails at bad");
    log.says("carnet", "::error title=carnet%3A bad::t.sh: exit code 1");
    log.says("carnet", "::set-output:: status=failed");
    log.says("carnet", "::set-output:: sarif=carnet-out/carnet.sarif");
    log.says("carnet", "Summary - ## carnet: ");
    assert!(!log.text.contains("::set-output:: name"), "a test has set an output:\n{}", log.text);
}

fn the_matrix_of_the_page_gives_each_facility_a_job_and_one_report() {
    let env = two();
    let server = Server::over(&env.mirror(Path::new(CARNET)));
    let log = act(&env, &workflow("matrix"), &server.url, &[]);
    assert!(!log.is_good, "a facility fails:\n{}", log.text);
    log.says("plan", r#"::set-output:: matrix={"include":[{"cells":"good","slug":"good","image":"","needs":""},"#);
    log.says("good-1", "✓ the analysis works wherever it was run");
    log.says("good-1", "uploaded carnet-good");
    log.says("bad-2", "✗ the analysis fails at bad");
    log.says("bad-2", "uploaded carnet-bad");
    log.says("all facilities", "2 cells: 1 passed, 1 failed");
    log.says("all facilities", "::set-output:: status=failed");
    log.says("all facilities", "took carnet-out/carnet.sarif");
    log.says("all facilities", "uploaded carnet");
    assert!(!log.text.contains("mounted"), "no cell needs CVMFS");
    let merged = env.path("artifacts/carnet/carnet.json");
    let merged: serde_json::Value = serde_json::from_slice(&fs::read(merged).expect("a document")).expect("JSON");
    let cells: Vec<_> =
        merged["cells"].as_array().expect("cells").iter().map(|cell| (&cell["id"], &cell["status"])).collect();
    assert_eq!(serde_json::json!(cells), serde_json::json!([["good", "passed"], ["bad", "failed"]]));
    assert_eq!(env.changed_files(), "");
}

fn the_matrix_can_be_called_in_four_lines() {
    let env = two();
    let server = Server::over(&env.mirror(Path::new(CARNET)));
    env.write(".github/workflows/called.yml", &called());
    let release = format!("carnet-hep/carnet/.github/workflows/carnet.yml@v{}", version());
    let yaml = workflow("reusable").replace(&release, "./.github/workflows/called.yml");
    let log = act(&env, &yaml, &server.url, &[]);
    assert!(!log.is_good, "a facility fails:\n{}", log.text);
    log.says("bad-2", "✗ the analysis fails at bad");
    log.says("all facilities", "2 cells: 1 passed, 1 failed");
    assert!(env.path("artifacts/carnet/report.html").is_file());
}

/// The image of a facility, known to the daemon by a name while this lives.
struct Loaded {
    host: String,
    name: String,
}

impl Loaded {
    fn into(host: &str, env: &GithubEnv) -> Self {
        let name = format!("carnet-test/facility:{}", std::process::id());
        let archive = env.path("image.tar");
        let image = OnDisk::open(&busybox()).expect("the image");
        write_docker_archive(&image, &name, fs::File::create(&archive).expect("a file")).expect("an archive");
        let body = format!("@{}", archive.display());
        ask(host, &["-X", "POST", "-H", "Content-Type: application/x-tar", "--data-binary", &body], "/images/load");
        Self { host: host.to_owned(), name }
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        let socket = self.host.trim_start_matches("unix://");
        let mut curl = Command::new("curl");
        curl.args(["-s", "--unix-socket", socket, "-X", "DELETE"]);
        let _ = curl.arg(format!("http://docker/v1.41/images/{}?force=true", self.name)).output();
    }
}

fn a_job_in_the_image_of_its_facility_runs_its_cell_in_place() {
    let host = daemon();
    let env = GithubEnv::with(&[("t.sh", HOSTILE)]);
    let image = Loaded::into(&host, &env);
    let toml = format!("[test]\nrun = \"./t.sh\"\n[[facility]]\nid = \"old\"\nimage = \"docker://{}\"\n", image.name);
    env.write("carnet.toml", &toml);
    // In there is no curl, wget, python3 or Node, and the network is that of the daemon: the mirror is a directory.
    let mirror: PathBuf = env.mirror(Path::new(CARNET));
    let mounts = ["mirror", "artifacts"].map(|name| env.path(name).display().to_string());
    let mounts = mounts.map(|path| format!("-v {path}:{path}")).join(" ");
    let yaml = workflow("container");
    let mounted = yaml.replace("    container:\n", &format!("    container:\n      options: {mounts}\n"));
    assert_ne!(mounted, yaml);
    let base = format!("file://{}", mirror.display());
    let log = act(&env, &mounted, &base, &["--container-daemon-socket", "-"]);
    assert!(log.is_good, "{}", log.text);
    log.says("plan", &format!(r#""image":"{}""#, image.name));
    log.says("old", "old: passed, 1 test");
    log.says("old", "✓ the analysis works wherever it was run");
    log.says("old", "uploaded carnet-old");
    let document = env.path("artifacts/carnet-old/carnet.json");
    let document: serde_json::Value = serde_json::from_slice(&fs::read(document).expect("a document")).expect("JSON");
    let environments = document["environments"].as_object().expect("environments");
    let text = serde_json::to_string(environments).expect("JSON");
    assert!(text.contains("BusyBox 1.35 (example facility)"), "it ran in the image: {text}");
}

fn what_a_workflow_hands_over_stays_a_word() {
    let env = two();
    let server = Server::over(&env.mirror(Path::new(CARNET)));
    let trap = env.path("trapped");
    let trap = trap.display();
    let evils = [
        format!("$(touch {trap})"),
        format!("`touch {trap}`"),
        format!("'; touch {trap}; '"),
        format!("\"; touch {trap}; \""),
        format!("x && touch {trap}"),
        "x\nstatus=injected".to_owned(),
    ];
    let names = [
        "version",
        "mode",
        "path",
        "cells",
        "engine",
        "jobs",
        "fail-on",
        "out",
        "documents",
        "annotations",
        "summary",
        "token",
    ];
    let mut yaml =
        "on: push\njobs:\n  evil:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v6\n"
            .to_owned();
    for (i, name) in names.iter().enumerate() {
        // Each input by itself, so that no other one stops the step before.
        let evil = serde_json::to_string(&evils[i % evils.len()]).expect("JSON");
        let mode = if *name == "mode" { "" } else { "mode: plan, " };
        let uses = format!("carnet-hep/carnet@v{}", version());
        let step = format!(
            "      - id: s{i}\n        uses: {uses}\n        continue-on-error: true\n        with: {{{mode}{name}: {evil}}}\n"
        );
        let told = format!(
            "      - env: {{S: '${{{{ steps.s{i}.outputs.status }}}}'}}\n        run: echo \"{name} gave <$S>\"\n"
        );
        yaml.extend([step, told]);
    }
    let log = act(&env, &yaml, &server.url, &[]);
    assert!(log.is_good, "{}", log.text);
    assert!(!env.path("trapped").exists(), "an input was run:\n{}", log.text);
    for name in names {
        // What a plan doesn't use does no harm to it; the others are refused.
        let status = if name == "version" {
            ""
        } else if name == "token" {
            "passed"
        } else {
            "error"
        };
        let unused = matches!(name, "documents" | "out") && !log.text.contains(&format!("{name} gave <{status}>"));
        log.says("evil", &format!("{name} gave <{}>", if unused { "passed" } else { status }));
    }
}

crate::support::harness::register!(
    [Docker, Image("busybox"), Tool("venv/bin/act")]:
    the_workflow_of_the_readme_checks_every_facility,
    the_matrix_of_the_page_gives_each_facility_a_job_and_one_report,
    the_matrix_can_be_called_in_four_lines,
    a_job_in_the_image_of_its_facility_runs_its_cell_in_place,
    what_a_workflow_hands_over_stays_a_word,
);
