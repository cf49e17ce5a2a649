//! `carnet ci github`, as the action starts it: outputs, summary and log of each mode.

use std::fs;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::github::env::GithubEnv;
use crate::support::{CARNET, CommandOutput, read_json};

/// A finished step.
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

    /// The lines of the log that the runner executes as commands.
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
        assert_eq!(until, None, "`stop-commands` has no end:\n{}", self.log);
        found
    }

    /// The annotations, without those of the scan.
    fn annotations(&self) -> Vec<&str> {
        // The path of the images may be a finding.
        self.commands().into_iter().filter(|line| !line.ends_with("::") && !line.contains("home-path")).collect()
    }

    /// The sign and the result of a cell in the table of the summary.
    fn row(&self, cell: &str) -> (&str, &str) {
        let name = format!("<code>{cell}</code>");
        let mut rows = self.summary.lines().map(|line| line.split(" | ").collect::<Vec<_>>());
        let row = rows.find(|row| row.get(1) == Some(&name.as_str()));
        let row = row.unwrap_or_else(|| panic!("no row of {cell}:\n{}", self.summary));
        (row[0].trim_start_matches("| "), row[2])
    }

    #[track_caller]
    fn expect(self, code: i32, status: &str) -> Self {
        assert_eq!((self.code, self.output("status")), (code, Some(status)), "{}\n{}", self.log, self.outputs);
        self
    }
}

/// Runs a step with these inputs.
fn run(env: &GithubEnv, inputs: &[(&str, &str)]) -> Step {
    let (output, summary) = (env.path("output"), env.path("summary"));
    fs::write(&output, "").expect("a file");
    fs::write(&summary, "").expect("a file");
    // The log of a step contains standard output and standard error.
    let mut carnet = Command::new("sh");
    carnet.args(["-c", "exec \"$0\" ci github 2>&1", CARNET]).current_dir(env.path("analysis")).env_clear();
    carnet.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", env.path("home"));
    carnet.env("CARNET_CACHE", env.path("cache")).env("NO_COLOR", "1");
    carnet.env("GITHUB_OUTPUT", &output).env("GITHUB_STEP_SUMMARY", &summary);
    carnet.env("GITHUB_WORKSPACE", env.path("analysis").canonicalize().expect("a directory"));
    carnet.envs(inputs.iter().copied());
    let done = CommandOutput::run(&mut carnet);
    let read = |path| fs::read_to_string(path).expect("text");
    Step { code: done.code, log: done.stdout, outputs: read(output), summary: read(summary) }
}

/// The smallest image.
pub(crate) fn busybox() -> String {
    format!("oci:{}:latest", crate::support::engine::image("busybox").display())
}

/// An analysis with the facilities `good` and `bad`, of which only `good` passes. The test prints workflow commands.
pub(crate) fn two_facilities() -> GithubEnv {
    let image = busybox();
    let toml = format!(
        "[test]\nrun = \"./t.sh\"\n[[facility]]\nid = \"good\"\nimage = \"{image}\"\n\
         [[facility]]\nid = \"bad\"\nimage = \"{image}\"\nsetup = \"export BAD=1\"\n"
    );
    GithubEnv::with(&[("carnet.toml", &toml), ("t.sh", HOSTILE)])
}

/// A test that prints workflow commands and fails if `BAD` is set.
pub(crate) const HOSTILE: &str = "#!/bin/sh
echo '::error::from inside'
echo '::set-output name=status::passed'
echo '::add-mask::a'
echo '##[error]from inside'
echo '::carnet-0123::'
test -z \"$BAD\"
";

fn check_annotates_failed_test_and_disables_commands_of_tests() {
    let env = two_facilities();
    let step = run(&env, &[]).expect(1, "failed");
    assert_eq!(
        step.annotations(),
        ["::group::bad: output of 1 failure", "::error title=carnet%3A bad::t.sh: exit code 1"]
    );
    // The output of the failed test is in the log, where commands are disabled and also changed.
    assert_eq!(step.log.lines().filter(|line| *line == ": :error::from inside").count(), 1, "{}", step.log);
    for (name, path) in [("junit", "junit.xml"), ("document", "carnet.json"), ("sarif", "carnet.sarif")] {
        assert_eq!(step.output(name), Some(format!("carnet-out/{path}").as_str()));
        assert!(env.path("analysis/carnet-out").join(path).is_file(), "{path}");
    }
    assert_eq!(step.output("report-dir"), Some("carnet-out"));
    assert_eq!(step.output("version"), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(step.summary.lines().nth(2), Some("❌ The analysis fails at <code>bad</code>."));
    assert_eq!((step.row("good"), step.row("bad")), (("✅", "1 passed"), ("❌", "1 failed")));
    assert_eq!(env.changed_files(), "");
    let silent = [("INPUT_FAIL_ON", "never"), ("INPUT_ANNOTATIONS", "false"), ("INPUT_SUMMARY", "false")];
    let step = run(&env, &silent).expect(0, "failed");
    assert_eq!((step.annotations(), step.summary.as_str()), (vec!["::group::bad: output of 1 failure"], ""));
}

fn plan_writes_matrix_of_jobs() {
    let env = two_facilities();
    let plan = run(&env, &[("INPUT_MODE", "plan")]).expect(0, "passed");
    let job = |id: &str| json!({ "cells": id, "slug": id, "image": "", "needs": "" });
    let matrix: Value = serde_json::from_str(plan.output("matrix").expect("a matrix")).expect("JSON");
    assert_eq!(matrix, json!({ "include": [job("good"), job("bad")] }));
    assert_eq!(plan.output("count"), Some("2"));
    let plan = run(&env, &[("INPUT_MODE", "plan"), ("INPUT_CELLS", "bad")]).expect(0, "passed");
    assert_eq!(plan.output("count"), Some("1"));
    assert!(!env.path("analysis/carnet-out").exists(), "a plan writes no reports");
}

fn plan_without_tests_fails_with_empty_matrix() {
    let env = GithubEnv::with(&[("README", "no tests\n")]);
    let plan = run(&env, &[("INPUT_MODE", "plan")]).expect(3, "nothing");
    assert_eq!((plan.output("matrix"), plan.output("count")), (Some(r#"{"include":[]}"#), Some("0")));
    let analysis = env.analysis().display().to_string();
    assert_snapshot!(plan.commands().join("\n").replace(&analysis, "[ANALYSIS]"), @r#"::error title=carnet::no tests found in [ANALYSIS]; set the test command in carnet.toml: `run = "..."` under `[test]`"#);
    assert_snapshot!(plan.summary.replace(&analysis, "[ANALYSIS]"), @"
    ## carnet

    ⚠️ The check did not run: <code>no tests found in [ANALYSIS]</code>

    **Help:** <code>set the test command in carnet.toml&#58; &#96;run = &#34;...&#34;&#96; under &#96;&#91;test&#93;&#96;</code>
    ");
}

fn scan_annotates_line_without_running_code() {
    let env = GithubEnv::with(&[
        ("carnet.toml", "[test]\nrun = \"touch ran\"\n"),
        ("run.sh", "#!/bin/sh\ncat /nfs/dust/cms/user/jane/x.root\n"),
        ("conftest.py", "open('ran', 'w')\n"),
    ]);
    let scan = run(&env, &[("INPUT_MODE", "scan")]).expect(1, "failed");
    let (location, _) = scan.commands()[0].split_once("::`").expect("a message");
    assert_eq!(location, "::error file=run.sh,line=2,endLine=2,col=5,endColumn=35,title=carnet%3A retired-path");
    assert!(!env.path("analysis/ran").exists());
    for (name, path) in [("junit", "junit.xml"), ("document", "scan.json"), ("sarif", "carnet.sarif")] {
        assert_eq!(scan.output(name), Some(format!("carnet-out/{path}").as_str()));
    }
    run(&env, &[("INPUT_MODE", "scan"), ("INPUT_FAIL_ON", "never")]).expect(0, "failed");
}

fn merge_reports_missing_and_foreign_documents() {
    let env = two_facilities();
    let cell = |id: &str| {
        let out = format!("../documents/carnet-{id}");
        run(&env, &[("INPUT_MODE", "cell"), ("INPUT_CELLS", id), ("INPUT_OUT", &out)])
    };
    let merge = || run(&env, &[("INPUT_MODE", "merge"), ("INPUT_DOCUMENTS", "../documents")]);
    let good = cell("good").expect(0, "passed");
    // Only the job that merges writes a summary and SARIF.
    assert_eq!((good.summary.as_str(), good.output("sarif")), ("", None));
    fs::create_dir(env.path("documents/carnet-bad")).expect("a directory");
    fs::write(env.path("documents/carnet-bad/carnet.json"), "{\"schema\":").expect("a file");

    let merged = merge().expect(4, "error");
    assert_snapshot!(merged.annotations().join("\n"), @"
    ::warning title=carnet::skipped a document: failed to read `../documents/carnet-bad/carnet.json`: not JSON: EOF while parsing a value at line 1, column 10; its cells are reported as missing
    ::error title=carnet%3A bad::no result; the job did not start, was cancelled, or did not upload its document; check its log
    ");
    assert_eq!(
        (merged.row("good"), merged.row("bad")),
        (("✅", "1 passed"), ("⚠️", "infrastructure error: <code>no result</code>"))
    );
    assert!(env.path("analysis/carnet-out/carnet.sarif").is_file());

    cell("bad").expect(1, "failed");
    // The job of the cell has annotated its failure.
    assert_eq!(merge().expect(1, "failed").annotations(), [""; 0]);

    // The document of another analysis does not replace the others.
    let mut other = read_json(&env.path("documents/carnet-good/carnet.json"));
    other["analysis"]["name"] = "other".into();
    fs::create_dir(env.path("documents/carnet-aaa")).expect("a directory");
    fs::write(env.path("documents/carnet-aaa/carnet.json"), other.to_string()).expect("a file");
    let merged = merge().expect(1, "failed");
    assert_snapshot!(merged.annotations().join("\n"), @"::warning title=carnet::skipped a document: ../documents/carnet-aaa/carnet.json: documents of different analyses: `analysis` and `other`; its cells are reported as missing");
    assert_eq!((merged.row("good"), merged.row("bad")), (("✅", "1 passed"), ("❌", "1 failed")));

    // A merge of one cell does not require the other.
    let one = [("INPUT_MODE", "merge"), ("INPUT_DOCUMENTS", "../documents/carnet-good"), ("INPUT_CELLS", "good")];
    run(&env, &one).expect(0, "passed");
    // Without artifacts, there is no directory.
    run(&env, &[("INPUT_MODE", "merge"), ("INPUT_DOCUMENTS", "../missing")]).expect(4, "error");
}

fn cell_without_engine_runs_in_environment_of_step() {
    let env = two_facilities();
    let inputs = [("INPUT_MODE", "cell"), ("INPUT_ENGINE", "none"), ("INPUT_CELLS", "bad")];
    let step = run(&env, &inputs).expect(1, "failed");
    assert_eq!(
        step.annotations(),
        ["::group::bad: output of 1 failure", "::error title=carnet%3A bad::t.sh: exit code 1"]
    );
    let step = run(&env, &[("INPUT_MODE", "cell"), ("INPUT_ENGINE", "none"), ("INPUT_CELLS", "good bad")]);
    assert_snapshot!(step.expect(2, "error").commands().join("\n"), @"::error title=carnet::`engine: none` requires a single cell, but `cells` selects good, bad; select one cell, or remove `engine` to let carnet start the images");
}

fn cell_without_cvmfs_gets_hint_with_action() {
    let image = busybox();
    let toml =
        format!("[test]\nrun = \"test -d /cvmfs/sft.cern.ch\"\n[[facility]]\nid = \"lcg\"\nimage = \"{image}\"\n");
    let env = GithubEnv::with(&[("carnet.toml", &toml)]);
    let step = run(&env, &[("INPUT_MODE", "cell"), ("INPUT_CELLS", "lcg")]).expect(1, "failed");
    let mut hints = step.annotations();
    hints.retain(|line| line.contains("/cvmfs is not mounted"));
    if Path::new("/cvmfs").is_dir() {
        assert_eq!(hints, [""; 0]);
    } else {
        assert_snapshot!(hints.join("\n"), @"::error title=carnet%3A lcg::/cvmfs is not mounted on this runner; add the step `uses: cvmfs-contrib/github-action-cvmfs@10197e000cc0add8e54ac4fb73d3ed44e2de72b4 # v5.5` before this one");
    }
}

/// A checkout has the user of the runner, and the container of a job runs as root.
fn check_reads_checkout_of_another_user() {
    let env = two_facilities();
    // Committed files that are ignored and submodules are part of the analysis.
    env.write(".gitignore", "data/\n");
    env.commit("x");
    env.write("data/x.txt", "1\n");
    env.git(&["add", "--force", "data/x.txt"]).assert_code(0);
    let other = GithubEnv::with(&[("inner.txt", "2\n")]);
    let inner = other.path("analysis").display().to_string();
    env.git(&["submodule", "--quiet", "add", &inner, "sub"]).assert_code(0);
    env.commit("x");
    let analysis = || {
        run(&env, &[("INPUT_MODE", "cell"), ("INPUT_CELLS", "good")]).expect(0, "passed");
        env.document()["analysis"].take()
    };
    let own = analysis();
    assert!(own["commit"].is_string() && own["tree"]["left_out"].as_array().is_none_or(Vec::is_empty), "{own}");
    env.run("chown", &["-R", "1001:1001", "."]).assert_code(0);
    assert_eq!(analysis(), own);
    assert_eq!(own["dirty"], false);
    env.write("sub/inner.txt", "3\n");
    assert_eq!(analysis()["dirty"], true, "a submodule has changes");
}

fn check_annotates_line_of_invalid_configuration() {
    let env = GithubEnv::with(&[("sub/carnet.toml", "[test]\nrun = \"true\"\nretry = 1\n")]);
    let step = run(&env, &[("INPUT_PATH", "sub")]).expect(2, "error");
    assert_snapshot!(step.commands().join("\n"), @"::error file=sub/carnet.toml,line=3,title=carnet::unknown key `retry`; did you mean `retries`?");
    assert_snapshot!(step.summary, @"
    ## carnet

    ⚠️ The check did not run: <code>unknown key &#96;retry&#96;</code>

    **Help:** <code>did you mean &#96;retries&#96;?</code>
    ");
}

fn hostile_inputs_are_reported_on_one_line() {
    let env = two_facilities();
    for name in [
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
    ] {
        for value in ["x\nstatus=passed", "x\r\n::add-mask::y", "\u{1b}]0;t\u{7}::error::z"] {
            let step = run(&env, &[(name, value)]).expect(2, "error");
            let statuses = step.outputs.lines().filter(|line| line.starts_with("status=")).count();
            assert_eq!(statuses, 1, "{name}: {}", step.outputs);
            let commands = step.commands();
            assert!(matches!(commands[..], [one] if one.starts_with("::error title=carnet::")), "{name}: {commands:?}");
            assert!(!step.log.contains('\u{1b}') && !step.summary.contains('\u{1b}'), "{name}");
        }
    }
}

crate::support::harness::register!(
    [Image("busybox"), Tool("venv/bin/act")]:
    cell_without_cvmfs_gets_hint_with_action,
    cell_without_engine_runs_in_environment_of_step,
    check_annotates_failed_test_and_disables_commands_of_tests,
    check_annotates_line_of_invalid_configuration,
    hostile_inputs_are_reported_on_one_line,
    merge_reports_missing_and_foreign_documents,
    plan_without_tests_fails_with_empty_matrix,
    plan_writes_matrix_of_jobs,
    scan_annotates_line_without_running_code,
);
crate::support::harness::register!([Image("busybox"), Root]: check_reads_checkout_of_another_user);
