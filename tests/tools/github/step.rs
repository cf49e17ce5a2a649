//! `carnet ci github` as the action calls it: outputs, summary and log of each mode.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::github::env::GithubEnv;
use crate::support::CARNET;

/// What a step left behind.
pub(crate) struct Step {
    code: i32,
    log: String,
    outputs: String,
    summary: String,
}

impl Step {
    fn output(&self, name: &str) -> Option<&str> {
        self.outputs.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }

    /// Lines that the runner would take for commands.
    fn commands(&self) -> Vec<&str> {
        let mut found = Vec::new();
        let mut until: Option<String> = None;
        for line in self.log.lines() {
            match (&until, line.strip_prefix("::stop-commands::")) {
                (Some(end), _) if line == end => until = None,
                (Some(_), _) => {}
                (None, Some(token)) => until = Some(format!("::{token}::")),
                (None, None) if line.starts_with("::") || line.contains("##[") => found.push(line),
                (None, None) => {}
            }
        }
        assert_eq!(until, None, "what was quoted never ended:\n{}", self.log);
        found
    }

    #[track_caller]
    fn expect(self, code: i32, status: &str) -> Self {
        assert_eq!((self.code, self.output("status")), (code, Some(status)), "{}\n{}", self.log, self.outputs);
        self
    }
}

fn run(env: &GithubEnv, inputs: &[(&str, &str)]) -> Step {
    let (output, summary) = (env.path("output"), env.path("summary"));
    fs::write(&output, "").expect("a file");
    fs::write(&summary, "").expect("a file");
    let mut carnet = Command::new("sh");
    carnet.args(["-c", "exec \"$0\" ci github 2>&1", CARNET]).current_dir(env.path("analysis")).env_clear();
    carnet.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", env.path("home"));
    carnet.env("CARNET_CACHE", env.path("cache")).env("NO_COLOR", "1");
    carnet.env("GITHUB_OUTPUT", &output).env("GITHUB_STEP_SUMMARY", &summary);
    carnet.env("GITHUB_WORKSPACE", env.path("analysis").canonicalize().expect("a directory"));
    carnet.envs(inputs.iter().copied());
    let done = carnet.output().expect("it starts");
    let read = |path| fs::read_to_string(path).expect("text");
    Step {
        code: done.status.code().unwrap_or(-1),
        log: String::from_utf8_lossy(&done.stdout).into_owned(),
        outputs: read(output),
        summary: read(summary),
    }
}

/// The smallest facility image, which starts in milliseconds.
pub(crate) fn busybox() -> String {
    let path = crate::support::engine::image("busybox");
    format!("oci:{}:latest", path.display())
}

/// Two facilities; the test fails where `BAD` is set, and says what would be commands.
pub(crate) fn two() -> GithubEnv {
    let image = busybox();
    let toml = format!(
        "[test]\nrun = \"./t.sh\"\n[[facility]]\nid = \"good\"\nimage = \"{image}\"\n\
         [[facility]]\nid = \"bad\"\nimage = \"{image}\"\nsetup = \"export BAD=1\"\n"
    );
    GithubEnv::with(&[("carnet.toml", &toml), ("t.sh", HOSTILE)])
}

/// A test that tries to talk to the runner.
pub(crate) const HOSTILE: &str = "#!/bin/sh
echo '::error::from inside'
echo '::set-output name=status::passed'
echo '::add-mask::a'
echo '##[error]from inside'
echo '::carnet-0123::'
test -z \"$BAD\"
";

fn a_check_tells_the_failed_test_and_lets_it_tell_nothing() {
    let env = two();
    let step = run(&env, &[]).expect(1, "failed");
    let commands = step.commands();
    assert!(
        commands.iter().all(|command| !command.contains("from inside") && !command.contains("mask")),
        "{commands:?}"
    );
    assert_eq!(
        commands[..3],
        ["::group::bad: output of 1 failure", "::endgroup::", "::error title=carnet%3A bad::t.sh: exit code 1"]
    );
    assert!(step.log.contains("\n::error::from inside\n"), "the output of a failed test is in the log:\n{}", step.log);
    for (name, path) in [("junit", "junit.xml"), ("document", "carnet.json"), ("sarif", "carnet.sarif")] {
        assert_eq!(step.output(name), Some(format!("carnet-out/{path}").as_str()));
        assert!(env.path("analysis/carnet-out").join(path).is_file(), "{path}");
    }
    assert_eq!(step.output("report-dir"), Some("carnet-out"));
    assert_eq!(step.output("version"), Some(env!("CARGO_PKG_VERSION")));
    assert!(step.summary.starts_with("## carnet: ") && step.summary.contains("<code>bad</code>"), "{}", step.summary);
    assert_eq!(env.changed_files(), "");
    run(&env, &[("INPUT_FAIL_ON", "never"), ("INPUT_ANNOTATIONS", "false"), ("INPUT_SUMMARY", "false")])
        .expect(0, "failed");
}

fn a_plan_is_a_matrix_of_jobs() {
    let env = two();
    let plan = run(&env, &[("INPUT_MODE", "plan")]).expect(0, "passed");
    let job = |id: &str| format!(r#"{{"cells":"{id}","slug":"{id}","image":"","needs":""}}"#);
    assert_eq!(plan.output("matrix"), Some(format!(r#"{{"include":[{},{}]}}"#, job("good"), job("bad")).as_str()));
    assert_eq!(plan.output("count"), Some("2"));
    let one = run(&env, &[("INPUT_MODE", "plan"), ("INPUT_CELLS", "bad")]).expect(0, "passed");
    assert_eq!(one.output("count"), Some("1"));
    assert!(!env.path("analysis/carnet-out").exists(), "a plan writes no reports");
}

fn a_plan_of_nothing_is_no_success_and_still_a_matrix() {
    let env = GithubEnv::with(&[("README", "no tests here\n")]);
    let plan = run(&env, &[("INPUT_MODE", "plan")]).expect(3, "nothing");
    assert_eq!((plan.output("matrix"), plan.output("count")), (Some(r#"{"include":[]}"#), Some("0")));
    assert!(plan.commands()[0].contains("no tests found"), "{:?}", plan.commands());
    assert!(plan.summary.contains("no tests found") && plan.summary.contains("**Help:**"), "{}", plan.summary);
}

fn a_scan_runs_nothing_and_names_the_line() {
    let env = GithubEnv::with(&[
        ("carnet.toml", "[test]\nrun = \"touch ran\"\n"),
        ("run.sh", "#!/bin/sh\ncat /nfs/dust/cms/user/jane/x.root\n"),
        ("conftest.py", "open('ran', 'w')\n"),
    ]);
    let scan = run(&env, &[("INPUT_MODE", "scan")]).expect(1, "failed");
    assert!(scan.commands()[0].starts_with("::error file=run.sh,line=2,"), "{:?}", scan.commands());
    assert!(!env.path("analysis/ran").exists());
    for (name, path) in [("junit", "junit.xml"), ("document", "scan.json"), ("sarif", "carnet.sarif")] {
        assert_eq!(scan.output(name), Some(format!("carnet-out/{path}").as_str()));
    }
    run(&env, &[("INPUT_MODE", "scan"), ("INPUT_FAIL_ON", "never")]).expect(0, "failed");
}

fn what_the_jobs_brought_is_one_report_and_what_is_missing_is_an_error() {
    let env = two();
    let good = run(&env, &[("INPUT_MODE", "cell"), ("INPUT_CELLS", "good"), ("INPUT_OUT", "../documents/carnet-good")]);
    let good = good.expect(0, "passed");
    assert_eq!((good.summary.as_str(), good.output("sarif")), ("", None), "the job that merges tells it");
    fs::create_dir(env.path("documents/carnet-bad")).expect("a directory");
    fs::write(env.path("documents/carnet-bad/carnet.json"), "{\"schema\":").expect("a file");
    let merge = [("INPUT_MODE", "merge"), ("INPUT_DOCUMENTS", "../documents")];

    let merged = run(&env, &merge).expect(4, "error");
    let commands = merged.commands();
    assert!(
        commands[0].starts_with("::warning title=carnet::") && commands[0].contains("carnet-bad/carnet.json"),
        "{commands:?}"
    );
    assert!(commands[1].starts_with("::error title=carnet%3A bad::no result came back"), "{commands:?}");
    assert!(merged.summary.contains("<code>good</code> | 1 passed"), "{}", merged.summary);
    assert!(env.path("analysis/carnet-out/carnet.sarif").is_file());

    run(&env, &[("INPUT_MODE", "cell"), ("INPUT_CELLS", "bad"), ("INPUT_OUT", "../documents/carnet-bad")])
        .expect(1, "failed");
    let merged = run(&env, &merge).expect(1, "failed");
    assert!(
        merged.commands().iter().all(|command| !command.contains("carnet%3A bad")),
        "its own job told it: {}",
        merged.log
    );
    // One of another analysis takes nothing from the others.
    let text = fs::read_to_string(env.path("documents/carnet-good/carnet.json")).expect("a document");
    let mut other: Value = serde_json::from_str(&text).expect("JSON");
    other["analysis"]["name"] = "else".into();
    fs::create_dir(env.path("documents/carnet-aaa")).expect("a directory");
    fs::write(env.path("documents/carnet-aaa/carnet.json"), other.to_string()).expect("a file");
    let merged = run(&env, &merge).expect(1, "failed");
    let warning = &merged.commands()[0];
    assert!(warning.contains("carnet-aaa/carnet.json") && warning.contains("different analyses"), "{warning}");
    assert!(merged.summary.contains("<code>good</code> | 1 passed"), "{}", merged.summary);
    // Of a check of one cell, the other is not missed.
    let one = [("INPUT_MODE", "merge"), ("INPUT_DOCUMENTS", "../documents/carnet-good"), ("INPUT_CELLS", "good")];
    run(&env, &one).expect(0, "passed");
    // No artifact at all makes no directory.
    run(&env, &[("INPUT_MODE", "merge"), ("INPUT_DOCUMENTS", "../nowhere")]).expect(4, "error");
}

fn a_cell_runs_where_the_step_stands() {
    let env = two();
    let inputs = [("INPUT_MODE", "cell"), ("INPUT_ENGINE", "none"), ("INPUT_CELLS", "bad")];
    let step = run(&env, &inputs).expect(1, "failed");
    assert!(step.log.contains("t.sh: exit code 1"), "{}", step.log);
    let both = run(&env, &[("INPUT_MODE", "cell"), ("INPUT_ENGINE", "none"), ("INPUT_CELLS", "good bad")]);
    let both = both.expect(2, "error");
    assert!(both.commands()[0].contains("engine none runs one cell"), "{:?}", both.commands());
}

fn a_cell_that_lacks_cvmfs_is_told_the_step_to_add() {
    let image = busybox();
    let toml =
        format!("[test]\nrun = \"test -d /cvmfs/sft.cern.ch\"\n[[facility]]\nid = \"lcg\"\nimage = \"{image}\"\n");
    let env = GithubEnv::with(&[("carnet.toml", &toml)]);
    let step = run(&env, &[("INPUT_MODE", "cell"), ("INPUT_CELLS", "lcg")]).expect(1, "failed");
    let named = "uses: cvmfs-contrib/github-action-cvmfs@10197e000cc0add8e54ac4fb73d3ed44e2de72b4";
    let is_told = step.commands().iter().any(|command| command.contains(named));
    assert_eq!(is_told, !Path::new("/cvmfs").is_dir(), "{}", step.log);
}

/// The checkout belongs to the runner's user, and the container of a job runs as root.
fn the_checkout_of_another_user_is_the_same_commit() {
    let env = two();
    // What git has although it is to be ignored belongs to the analysis as well, and what submodules have.
    env.write(".gitignore", "data/\n");
    env.commit("x");
    env.write("data/x.txt", "1\n");
    env.git(&["add", "--force", "data/x.txt"]).assert_code(0);
    let other = GithubEnv::with(&[("inner.txt", "2\n")]);
    let inner = other.path("analysis").display().to_string();
    env.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &inner, "sub"]).assert_code(0);
    env.commit("x");
    let cell = [("INPUT_MODE", "cell"), ("INPUT_CELLS", "good")];
    let analysis = |env: &GithubEnv| {
        run(env, &cell).expect(0, "passed");
        let text = fs::read(env.path("analysis/carnet-out/carnet.json")).expect("a document");
        let document: Value = serde_json::from_slice(&text).expect("JSON");
        document["analysis"].clone()
    };
    let own = analysis(&env);
    assert!(own["commit"].is_string() && own["tree"]["left_out"].as_array().is_none_or(Vec::is_empty), "{own}");
    let mut chown = Command::new("chown");
    assert!(
        chown.args(["-R", "1001:1001"]).arg(env.path("analysis")).status().expect("it starts").success(),
        "needs root"
    );
    assert_eq!(analysis(&env), own);
    assert_eq!(own["dirty"], false);
    env.write("sub/inner.txt", "3\n");
    assert_eq!(analysis(&env)["dirty"], true, "a submodule that was changed");
}

fn a_wrong_configuration_is_annotated_at_its_line() {
    let env = GithubEnv::with(&[("sub/carnet.toml", "[test]\nrun = \"true\"\nretry = 1\n")]);
    let step = run(&env, &[("INPUT_PATH", "sub")]).expect(2, "error");
    let command = step.commands()[0];
    assert!(command.starts_with("::error file=sub/carnet.toml,line=3,title=carnet::"), "{command}");
    assert!(step.summary.contains("Nothing was checked"), "{}", step.summary);
}

fn no_input_is_a_command_a_path_out_of_a_line_or_another_output() {
    let env = two();
    for (name, evil) in [
        "INPUT_MODE",
        "INPUT_PATH",
        "INPUT_CELLS",
        "INPUT_ENGINE",
        "INPUT_JOBS",
        "INPUT_FAIL_ON",
        "INPUT_OUT",
        "INPUT_DOCUMENTS",
        "INPUT_ANNOTATIONS",
        "INPUT_SUMMARY",
    ]
    .into_iter()
    .flat_map(|name| ["x\nstatus=passed", "x\r\n::add-mask::y", "\u{1b}]0;t\u{7}::error::z"].map(|evil| (name, evil)))
    {
        let step = run(&env, &[(name, evil)]).expect(2, "error");
        assert_eq!(
            step.outputs.lines().filter(|line| line.starts_with("status=")).count(),
            1,
            "{name}: {}",
            step.outputs
        );
        let commands = step.commands();
        assert!(matches!(commands[..], [one] if one.starts_with("::error title=carnet::")), "{name}: {commands:?}");
        assert!(!step.log.contains('\u{1b}') && !step.summary.contains('\u{1b}'), "{name}");
    }
}

crate::support::harness::register!(
    [Tool("venv/bin/act")]:
    a_check_tells_the_failed_test_and_lets_it_tell_nothing,
    a_plan_is_a_matrix_of_jobs,
    a_plan_of_nothing_is_no_success_and_still_a_matrix,
    a_scan_runs_nothing_and_names_the_line,
    what_the_jobs_brought_is_one_report_and_what_is_missing_is_an_error,
    a_cell_runs_where_the_step_stands,
    a_cell_that_lacks_cvmfs_is_told_the_step_to_add,
    the_checkout_of_another_user_is_the_same_commit,
    a_wrong_configuration_is_annotated_at_its_line,
    no_input_is_a_command_a_path_out_of_a_line_or_another_output,
);
