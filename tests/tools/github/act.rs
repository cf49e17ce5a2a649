//! The documented workflows, run by `act` on this machine and in containers.
//!
//! act cannot download anything here. Stubs replace other actions, a copy of this checkout replaces the action, and a mirror with
//! the binary under test replaces its release.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use carnet::image::disk::OnDisk;
use carnet::image::export::write_docker_archive;
use serde_json::json;

use crate::github::document::{VERSION, reusable_workflow, workflows};
use crate::github::env::{GithubEnv, Server};
use crate::github::step::{HOSTILE, two_facilities};
use crate::support::engine::{ask, busybox, daemon, tool};
use crate::support::{CARNET, CommandOutput, read_json};

/// Stubs of other actions: repository, path of the action, and its definition.
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
      run: grep -q '2.1.0' \"$FILE\" && echo \"uploaded $FILE\"
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

/// The log of act.
struct Log {
    code: i32,
    text: String,
}

impl Log {
    /// The output and the commands of a job, without the prefixes of act.
    fn job(&self, name: &str) -> Vec<&str> {
        let prefixes = [format!("/{name}]"), format!("/{name} ")];
        let lines = self.text.lines().filter_map(|line| {
            let (head, text) = line.split_once("] ")?;
            prefixes.iter().any(|prefix| format!("{head}]").contains(prefix.as_str())).then_some(text.trim())
        });
        // Output has the prefix `| `, and commands have an icon.
        lines.filter_map(|line| line.strip_prefix("| ").or_else(|| Some(line.split_once("  ")?.1))).collect()
    }

    /// Fails unless the job prints a line that starts with this text.
    ///
    /// act does not wait for the output of a failed command, so its end may be missing. Outputs and summaries are complete.
    #[track_caller]
    fn assert_prints(&self, job: &str, text: &str) {
        let is_printed = self.job(job).iter().any(|line| line.trim_start().starts_with(text));
        assert!(is_printed, "{job} does not print `{text}`:\n{}", self.text);
    }
}

/// The YAML of a documented workflow.
fn workflow(name: &str) -> String {
    workflows().into_iter().find(|(known, _)| known == name).expect("a workflow of that name").1
}

/// The arguments of `--local-repository` for the action and the stubs.
fn repositories(env: &GithubEnv, yaml: &str) -> Vec<String> {
    let mut all = vec![format!("carnet-hep/carnet@v{}={}", VERSION, env.action().display())];
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

/// Runs a workflow on a push, with releases from this base URL.
fn act(env: &GithubEnv, yaml: &str, base: &str, more: &[&str]) -> Log {
    env.write(".github/workflows/carnet.yml", yaml);
    env.commit("x");
    let mut act = Command::new(tool("venv/bin/act"));
    act.args(["push", "--workflows", ".github/workflows/carnet.yml", "--platform", "ubuntu-24.04=-self-hosted"]);
    act.args(["--pull=false", "--no-cache-server", "--rm", "--env", "NO_COLOR=1"]);
    act.arg("--env").arg(format!("CARNET_BASE_URL={base}"));
    act.arg("--env").arg(format!("CARNET_CACHE={}", env.path("cache").display()));
    act.arg("--env").arg(format!("STUB_ARTIFACTS={}", env.path("artifacts").display()));
    for repository in repositories(env, &format!("{yaml}{}", reusable_workflow())) {
        act.args(["--local-repository", &repository]);
    }
    act.args(more).current_dir(env.path("analysis")).env_clear();
    act.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", env.path("home"));
    act.env("TMPDIR", env.path("temp")).env("ACT_DISABLE_VERSION_CHECK", "1");
    if let Some(host) = more.contains(&"--container-daemon-socket").then(daemon) {
        act.env("DOCKER_HOST", host);
    }
    let output = CommandOutput::run(&mut act);
    Log { code: output.code, text: output.text() }
}

fn workflow_of_readme_checks_all_facilities() {
    let env = two_facilities();
    let server = Server::of(&env.mirror(Path::new(CARNET)));
    let log = act(&env, &workflow("simple"), &server.url, &[]);
    assert_eq!(log.code, 1, "{}", log.text);
    log.assert_prints("carnet", "::set-output:: status=failed");
    log.assert_prints("carnet", "::set-output:: sarif=carnet-out/carnet.sarif");
    log.assert_prints("carnet", "Summary - ## carnet: ");
    let verdict = "❌ The analysis fails at <code>bad</code>.";
    assert!(log.text.lines().any(|line| line == verdict), "{}", log.text);
    assert!(!log.text.contains("::set-output:: name"), "a test set an output:\n{}", log.text);
}

fn matrix_workflow_runs_each_facility_in_a_job_and_merges_documents() {
    let env = two_facilities();
    let server = Server::of(&env.mirror(Path::new(CARNET)));
    let log = act(&env, &workflow("matrix"), &server.url, &[]);
    assert_eq!(log.code, 1, "{}", log.text);
    log.assert_prints(
        "plan",
        r#"::set-output:: matrix={"include":[{"cells":"good","slug":"good","image":"","needs":""},"#,
    );
    log.assert_prints("good-1", "✓ the analysis works in every cell that ran");
    log.assert_prints("good-1", "uploaded carnet-good");
    log.assert_prints("bad-2", "::set-output:: status=failed");
    log.assert_prints("bad-2", "uploaded carnet-bad");
    log.assert_prints("all facilities", "::set-output:: status=failed");
    log.assert_prints("all facilities", "uploaded carnet-out/carnet.sarif");
    log.assert_prints("all facilities", "uploaded carnet");
    assert!(!log.text.contains("mounted"), "no cell needs CVMFS");
    let merged = read_json(&env.path("artifacts/carnet/carnet.json"));
    let cells = merged["cells"].as_array().expect("cells").iter();
    let statuses: Vec<_> = cells.map(|cell| json!([cell["id"], cell["status"]])).collect();
    assert_eq!(statuses, [json!(["good", "passed"]), json!(["bad", "failed"])]);
    assert_eq!(env.changed_files(), "");
}

fn reusable_workflow_runs_matrix() {
    let env = two_facilities();
    let server = Server::of(&env.mirror(Path::new(CARNET)));
    env.write(".github/workflows/called.yml", reusable_workflow());
    let release = format!("carnet-hep/carnet/.github/workflows/carnet.yml@v{VERSION}");
    let yaml = workflow("reusable").replace(&release, "./.github/workflows/called.yml");
    let log = act(&env, &yaml, &server.url, &[]);
    assert_eq!(log.code, 1, "{}", log.text);
    log.assert_prints("bad-2", "::set-output:: status=failed");
    log.assert_prints("all facilities", "::set-output:: status=failed");
    assert!(env.path("artifacts/carnet/report.html").is_file());
}

/// An image of the daemon, which is removed when this value is dropped.
struct LoadedImage {
    host: String,
    name: String,
}

impl LoadedImage {
    /// Loads the busybox image into the daemon.
    fn load(host: &str, env: &GithubEnv) -> Self {
        let name = format!("carnet-test/facility:{}", std::process::id());
        let archive = env.path("image.tar");
        let image = OnDisk::open(&busybox()).expect("the image");
        write_docker_archive(&image, &name, fs::File::create(&archive).expect("a file")).expect("an archive");
        let body = format!("@{}", archive.display());
        ask(host, &["-X", "POST", "-H", "Content-Type: application/x-tar", "--data-binary", &body], "/images/load");
        Self { host: host.to_owned(), name }
    }
}

impl Drop for LoadedImage {
    fn drop(&mut self) {
        let socket = self.host.trim_start_matches("unix://");
        let mut curl = Command::new("curl");
        curl.args(["-s", "--unix-socket", socket, "-X", "DELETE"]);
        let _ = curl.arg(format!("http://docker/v1.41/images/{}?force=true", self.name)).output();
    }
}

fn container_workflow_runs_cell_in_image_of_job() {
    let host = daemon();
    let env = GithubEnv::with(&[("t.sh", HOSTILE)]);
    let image = LoadedImage::load(&host, &env);
    let toml = format!("[test]\nrun = \"./t.sh\"\n[[facility]]\nid = \"old\"\nimage = \"docker://{}\"\n", image.name);
    env.write("carnet.toml", &toml);
    // The image has no curl, wget, python3 or Node, so the mirror is a directory.
    let mirror = env.mirror(Path::new(CARNET));
    let mounts = ["mirror", "artifacts"].map(|name| env.path(name).display().to_string());
    let mounts = mounts.map(|path| format!("-v {path}:{path}")).join(" ");
    let yaml = workflow("container");
    let mounted = yaml.replace("    container:\n", &format!("    container:\n      options: {mounts}\n"));
    assert_ne!(mounted, yaml);
    let base = format!("file://{}", mirror.display());
    let log = act(&env, &mounted, &base, &["--container-daemon-socket", "-"]);
    assert_eq!(log.code, 0, "{}", log.text);
    let job = format!(r#"{{"cells":"old","slug":"old","image":"{}","needs":""}}"#, image.name);
    log.assert_prints("plan", &format!(r#"::set-output:: matrix={{"include":[{job}]}}"#));
    log.assert_prints("old", "old: passed, 1 test");
    log.assert_prints("old", "✓ the analysis works in every cell that ran");
    log.assert_prints("old", "uploaded carnet-old");
    let document = read_json(&env.path("artifacts/carnet-old/carnet.json"));
    let environments = document["environments"].to_string();
    assert!(environments.contains("BusyBox 1.35 (example facility)"), "{environments}");
}

fn action_does_not_evaluate_inputs() {
    let env = two_facilities();
    let server = Server::of(&env.mirror(Path::new(CARNET)));
    let created = env.path("created");
    let path = created.display();
    let values = [
        format!("$(touch {path})"),
        format!("`touch {path}`"),
        format!("'; touch {path}; '"),
        format!("\"; touch {path}; \""),
        format!("x && touch {path}"),
        "x\nstatus=injected".to_owned(),
    ];
    // Inputs and the status of the step. A plan does not use `out`, `documents` and `token`.
    let inputs = [
        ("version", ""),
        ("mode", "error"),
        ("path", "error"),
        ("cells", "error"),
        ("engine", "error"),
        ("jobs", "error"),
        ("fail-on", "error"),
        ("out", "passed"),
        ("documents", "passed"),
        ("annotations", "error"),
        ("summary", "error"),
        ("token", "passed"),
    ];
    let mut yaml =
        "on: push\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v6\n"
            .to_owned();
    for (index, (name, _)) in inputs.iter().enumerate() {
        // Each step has one hostile input, so that every input is read.
        let value = serde_json::to_string(&values[index % values.len()]).expect("JSON");
        let mode = if *name == "mode" { "" } else { "mode: plan, " };
        let step = format!(
            "      - id: s{index}\n        uses: carnet-hep/carnet@v{VERSION}\n        continue-on-error: true\n        \
             with: {{{mode}{name}: {value}}}\n"
        );
        let report = format!(
            "      - env: {{S: '${{{{ steps.s{index}.outputs.status }}}}'}}\n        run: echo \"{name} = <$S>\"\n"
        );
        yaml.extend([step, report]);
    }
    let log = act(&env, &yaml, &server.url, &[]);
    assert_eq!(log.code, 0, "{}", log.text);
    assert!(!created.exists(), "an input was evaluated:\n{}", log.text);
    for (name, status) in inputs {
        log.assert_prints("test", &format!("{name} = <{status}>"));
    }
}

crate::support::harness::register!(
    [Docker, Image("busybox"), Tool("venv/bin/act")]:
    action_does_not_evaluate_inputs,
    container_workflow_runs_cell_in_image_of_job,
    matrix_workflow_runs_each_facility_in_a_job_and_merges_documents,
    reusable_workflow_runs_matrix,
    workflow_of_readme_checks_all_facilities,
);
