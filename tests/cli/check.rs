//! `carnet check` on this machine, without an image.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use insta::assert_snapshot;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::env::{HOST, wait_until};
use crate::support::{CommandOutput, TestEnv};

/// `carnet.toml` with these lines in `[test]`, for one facility without an image.
fn config(test: &str) -> String {
    format!("[test]\n{test}\n{HOST}")
}

/// Status and reason of every cell of the last check.
fn statuses(env: &TestEnv) -> String {
    let document = env.document();
    let cells = document["cells"].as_array().expect("cells");
    let text = |value: &Value| value.as_str().unwrap_or("no reason").to_owned();
    let lines = cells.iter().map(|cell| {
        let [id, status, reason] = ["id", "status", "reason"].map(|key| text(&cell[key]));
        format!("{id}: {status}: {reason}\n")
    });
    lines.collect()
}

/// The only test case of the last check.
fn test_case(env: &TestEnv) -> Value {
    env.document()["cells"][0]["steps"][0]["cases"][0].clone()
}

fn start(env: &TestEnv, arguments: &[&str]) -> Child {
    let mut command = env.carnet_command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("carnet starts")
}

fn line_count(path: &Path) -> usize {
    fs::read_to_string(path).unwrap_or_default().lines().count()
}

#[test]
fn test_that_exceeds_the_disk_limit_fails() {
    let env = TestEnv::with_test("dd if=/dev/zero of=big bs=1M count=40; sleep 600");
    env.write("carnet.toml", env.read("carnet.toml") + "disk = \"8m\"\n");
    env.carnet(&["check"]).assert_code(1);
    let cell = &env.document()["cells"][0];
    assert_eq!(cell["contract"]["disk"], 8 << 20);
    assert_eq!(cell["reason"], "killed: disk limit exceeded");
    env.write("carnet.toml", env.read("carnet.toml").replace("8m", "2x"));
    let text = env.carnet(&["check"]).assert_code(2).text();
    assert!(text.starts_with("error: invalid size `2x`; expected e.g. 512m, 2g or 2GiB\n"), "{text}");
}

#[test]
fn passing_script_passes() {
    let env = TestEnv::with_test("true");
    let output = env.carnet(&["check"]).assert_code(0);
    assert_snapshot!(env.redact(&output.stderr), @r"
    checking 1 cell with `./t.sh`
      here: opening image
      here: tests
      here: passed, 1 test ([TIME] s)
    reports written to carnet-out
    ");
    assert_eq!(statuses(&env), "here: passed: no reason\n");
    let document = env.document();
    assert_eq!(document["analysis"]["name"], "analysis");
    assert_eq!(document["environments"].as_object().map(serde_json::Map::len), Some(1));
    let mut files: Vec<_> = fs::read_dir(env.analysis().join("carnet-out"))
        .expect("reports")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    files.sort();
    assert_eq!(files, [".gitignore", "carnet.json", "junit.xml", "report.html", "summary.md"]);
    assert_eq!(env.cache_leftovers(), Vec::<PathBuf>::new());
}

#[test]
fn failing_script_fails_the_analysis() {
    let env = TestEnv::with_test("echo 'wrong yield' >&2; exit 3");
    let output = env.carnet(&["check"]).assert_code(1);
    assert_snapshot!(env.redact(&output.stderr), @r"
    checking 1 cell with `./t.sh`
      here: opening image
      here: tests
      here: failed, 1 of 1 test ([TIME] s)
    reports written to carnet-out
    ");
    let case = test_case(&env);
    assert_eq!((&case["outcome"], &case["output"]["text"]), (&json!("failed"), &json!("wrong yield\n")));
    env.carnet(&["check", "--fail-on", "never"]).assert_code(0);
}

#[test]
fn check_does_not_change_the_analysis() {
    let env = TestEnv::with_test("echo changed > t.sh; mkdir -p out; echo x > out/new; rm carnet.toml");
    let before = env.files();
    env.carnet(&["check"]).assert_code(0);
    assert_eq!(env.files(), before);
}

#[test]
fn tests_are_detected_without_a_configuration() {
    let env = TestEnv::new();
    env.write("Makefile", "check:\n\t@echo checked\n");
    env.carnet(&["check"]).assert_code(0);
    assert_eq!(env.document()["cells"][0]["steps"][0]["kind"], "make");
    assert_eq!(test_case(&env)["outcome"], "passed");
}

#[test]
fn check_without_tests_fails_and_writes_no_reports() {
    let env = TestEnv::new();
    let output = env.carnet(&["check"]).assert_code(3);
    assert_snapshot!(env.redact(&output.text()), @r#"
    error: no tests found in [ANALYSIS]
     |
     = help: set the test command in carnet.toml: `run = "..."` under `[test]`
    "#);
    assert!(!env.analysis().join("carnet-out").exists());
}

#[test]
fn unknown_cell_is_a_usage_error() {
    let output = TestEnv::with_test("true").carnet(&["check", "--cell", "nowhere"]).assert_code(2);
    assert_snapshot!(output.text(), @r"
    error: unknown cell `nowhere`
     |
     = help: available cells: here
    ");
}

#[test]
fn missing_image_is_an_infrastructure_error_of_its_cell_only() {
    let env = TestEnv::with_test("true");
    env.write("carnet.toml", config("run = \"./t.sh\"\n[[facility]]\nid = \"far\"\nimage = \"oci:missing\""));
    env.carnet(&["check"]).assert_code(4);
    assert_snapshot!(env.redact(&statuses(&env)), @r"
    far: error: image `oci:[ANALYSIS]/missing`: `[ANALYSIS]/missing` does not exist
    here: passed: no reason
    ");
}

#[test]
fn setup_runs_once_and_its_result_is_cached() {
    let env = TestEnv::new();
    let log = env.path("setups");
    env.write(
        "carnet.toml",
        config(&format!("run = \"cat built\"\nsetup = \"echo | tee built >> {}\"", log.display())),
    );
    env.carnet(&["check"]).assert_code(0);
    env.carnet(&["check"]).assert_code(0);
    assert_eq!(line_count(&log), 1);
}

#[test]
fn failed_setup_fails_the_analysis() {
    let env = TestEnv::new();
    env.write("carnet.toml", config("run = \"true\"\nsetup = \"echo no compiler; exit 7\""));
    env.carnet(&["check"]).assert_code(1);
    assert_eq!(statuses(&env), "here: failed: setup: exit code 7\n");
}

#[test]
fn concurrent_checks_share_the_setup() {
    let env = TestEnv::new();
    let log = env.path("setups");
    let end = env.path("end");
    let setup =
        format!("echo >> {}; while ! test -e {}; do sleep 0.05; done; touch built", log.display(), end.display());
    env.write("carnet.toml", config(&format!("run = \"test -e built\"\nsetup = \"{setup}\"")));
    let first = start(&env, &["check", "--out", "first"]);
    wait_until("started", || line_count(&log) == 1);
    let mut second = start(&env, &["check", "--out", "second"]);
    let mut progress = BufReader::new(second.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    assert_eq!(progress.find(|line| line == "  here: opening image").as_deref(), Some("  here: opening image"));
    fs::write(&end, "").expect("a file");
    assert_eq!(progress.last().as_deref(), Some("reports written to second"));
    for check in [first, second] {
        CommandOutput::new(&check.wait_with_output().expect("carnet ends")).assert_code(0);
    }
    assert_eq!(line_count(&log), 1);
}

#[test]
fn test_that_passes_on_a_retry_is_flaky() {
    let env = TestEnv::with_test("test -e seen && exit 0; touch seen; exit 1");
    env.write("carnet.toml", config("run = \"./t.sh\"\nretries = 2"));
    env.carnet(&["check"]).assert_code(0);
    assert_eq!(statuses(&env), "here: flaky: no reason\n");
    env.carnet(&["check", "--fail-on", "warning"]).assert_code(1);
}

#[test]
fn expected_failure_is_accepted_until_its_date() {
    let env = TestEnv::with_test("exit 1");
    let config = |date| config("run = \"./t.sh\"") + &format!("expect = {{ may_fail = \"known\", until = {date} }}\n");
    env.write("carnet.toml", config("2999-01-01"));
    env.carnet(&["check"]).assert_code(0);
    env.write("carnet.toml", config("2001-01-01"));
    env.carnet(&["check"]).assert_code(1);
}

#[test]
fn reports_of_hostile_output_are_valid() {
    let env = TestEnv::with_test(r"printf ']]>\033[31m\000\377::error::x</failure>\n'; exit 1");
    env.carnet(&["check"]).assert_code(1);
    let junit = fs::read(env.analysis().join("carnet-out/junit.xml")).expect("a report");
    let suites = junit_parser::from_reader(junit.as_slice()).expect("valid JUnit");
    assert_eq!((suites.tests, suites.failures), (1, 1));
    let report = env.carnet(&["report", "carnet-out/carnet.json"]).assert_code(0);
    report.assert_lacks("\u{1b}");
}

#[test]
fn interrupted_check_writes_the_partial_result() {
    let env = TestEnv::new();
    let [started, ended] = ["started", "ended"].map(|name| env.path(name));
    let script = format!("touch {}; sleep 300; touch {}", started.display(), ended.display());
    env.write("carnet.toml", config(&format!("run = \"{script}\"")));
    let check = start(&env, &["check"]);
    wait_until("started", || started.exists());
    kill(Pid::from_raw(i32::try_from(check.id()).expect("a process id")), Signal::SIGINT).expect("a signal");
    let output = CommandOutput::new(&check.wait_with_output().expect("carnet ends")).assert_code(130);
    assert!(!ended.exists(), "the test was not interrupted");
    assert_snapshot!(env.redact(&output.stderr), @r"
    checking 1 cell with `touch [ROOT]/started; sleep 300; touch [ROOT]/ended`
      here: opening image
      here: tests
    interrupted: stopping and writing the partial result
      here: not run: interrupted ([TIME] s)
    reports written to carnet-out
    ");
    assert_eq!(env.document()["interrupted"], true);
    assert_snapshot!(statuses(&env), @"here: skipped: interrupted");
    assert_eq!(env.cache_leftovers(), Vec::<PathBuf>::new());
}

#[test]
fn environment_contains_variables_that_the_facility_setup_exports() {
    let env = TestEnv::with_test("test \"$OMP_NUM_THREADS\" = 3");
    env.write("carnet.toml", config("run = \"./t.sh\"") + "setup = \"export OMP_NUM_THREADS=3 LATE=1\"\n");
    env.carnet(&["check"]).assert_code(0);
    let environments = env.document()["environments"].clone();
    let variables = &environments.as_object().expect("environments").values().next().expect("one")["variables"];
    assert_eq!(variables["values"]["OMP_NUM_THREADS"], "3");
    let names = variables["names"].as_array().expect("names");
    assert_eq!(names.iter().filter(|name| *name == "LATE").count(), 1, "{variables}");
}

#[test]
fn reports_contain_no_secrets() {
    const SECRETS: [&str; 2] = ["declared-hunter2hunter2", "passed-hunter2hunter2"];
    let env = TestEnv::with_test("echo $DECLARED_TOKEN | cut -c 1-4; echo $PASSED_TOKEN; exit 1");
    let facility = format!("env = {{ DECLARED_TOKEN = \"{}\" }}\npass_env = [\"PASSED_TOKEN\"]\n", SECRETS[0]);
    env.write("carnet.toml", config("run = \"./t.sh\"") + &facility);
    let output = CommandOutput::run(env.carnet_command(&["check"]).env("PASSED_TOKEN", SECRETS[1])).assert_code(1);
    assert_eq!(env.document()["cells"][0]["contract"]["env"]["DECLARED_TOKEN"], "[redacted]");
    assert_eq!(test_case(&env)["output"]["text"], "decl\n[redacted]\n");
    let files = ["carnet.json", "junit.xml", "summary.md", "report.html"];
    let reports = files.map(|file| env.read(&format!("carnet-out/{file}")));
    for text in reports.iter().chain([&output.stdout, &output.stderr]) {
        assert_eq!(SECRETS.map(|secret| text.matches(secret).count()), [0, 0], "{text}");
    }
}

#[test]
fn facility_setup_that_fails_is_an_infrastructure_error() {
    let env = TestEnv::with_test("exit 0");
    let mut found = Vec::new();
    for setup in ["exit 0", "exit 3", "if then"] {
        env.write("carnet.toml", config("run = \"./t.sh\"") + &format!("setup = \"{setup}\"\n"));
        env.carnet(&["check"]).assert_code(4);
        let statuses = statuses(&env);
        // The rest is the output of this machine's shell.
        let status = statuses.trim_end().split("; last line of output").next().expect("a status");
        found.push(format!("{setup}: {status}"));
    }
    assert_snapshot!(found.join("\n"), @r"
    exit 0: here: error: `setup` of the facility failed before the tests: it exited the shell (`exit 0`)
    exit 3: here: error: `setup` of the facility failed before the tests: exit code 3
    if then: here: error: `setup` of the facility failed before the tests: exit code 2
    ");
}

#[test]
fn failed_test_that_tried_the_network_has_a_hint() {
    let env = TestEnv::with_test("echo 'curl: (6) Could not resolve host: cms.example.org'; exit 6");
    let output = env.carnet(&["check"]).assert_code(1);
    let help = output.stdout.lines().skip_while(|line| !line.trim_start().starts_with("help: "));
    let help: Vec<&str> = help.take_while(|line| !line.is_empty()).collect();
    assert_snapshot!(help.join("\n"), @r"
    help: 1 test tried to use the network, which is disabled: set network = true under [test],
          or add the data to the repository
    ");
    let junit = env.read("carnet-out/junit.xml");
    assert_eq!(junit.matches("set network = true under [test]").count(), 1, "{junit}");
}

#[test]
fn check_runs_no_tests_if_the_output_directory_is_not_writable() {
    let env = TestEnv::with_test("exit 0");
    env.write("taken", "a file");
    let output = env.carnet(&["check", "--out", "taken"]).assert_code(4);
    assert_snapshot!(env.redact(&output.text()), @r"
    error: `taken` is not a directory
     |
     = help: remove the file, or use another directory
    ");
}

#[test]
fn result_is_printed_if_a_report_is_not_writable() {
    let env = TestEnv::with_test("exit 0");
    fs::create_dir_all(env.analysis().join("reports/junit.xml/directory")).expect("directories");
    let output = env.carnet(&["check", "--out", "reports"]).assert_code(4);
    assert_snapshot!(env.redact(&output.stderr), @r"
    checking 1 cell with `./t.sh`
      here: opening image
      here: tests
      here: passed, 1 test ([TIME] s)
    error: failed to write `reports/junit.xml`: Is a directory (os error 21)
     |
     = help: check that the directory exists and is writable, and that the disk has free space
    ");
    assert_eq!(output.stdout.lines().last(), Some("✓ the analysis works in every cell that ran"));
}

#[test]
fn scan_of_a_check_ignores_the_baseline_file() {
    let env = TestEnv::with_test("true");
    env.write("a.py", "open(\"/eos/user/a/alice/data.root\")\n");
    env.carnet(&["scan", "--update-baseline"]).assert_code(0);
    env.carnet(&["check"]).assert_code(0);
    let document = env.document();
    let findings = document["scan"]["findings"].as_array().expect("findings");
    let found: Vec<_> = findings.iter().map(|one| [&one["path"], &one["rule"], &one["suppressed"]["by"]]).collect();
    assert_eq!(json!(found), json!([["a.py", "home-path", "baseline"]]));
}

#[test]
fn every_command_rejects_an_unknown_rule_in_the_configuration() {
    let env = TestEnv::with_test("true");
    env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n[scan]\nselect = [\"nonsense\"]\n{HOST}"));
    let [check, plan, scan] = ["check", "plan", "scan"].map(|command| env.carnet(&[command]).assert_code(2).text());
    assert_snapshot!(env.redact(&check), @r#"
    error: unknown rule `nonsense`
     --> [ANALYSIS]/carnet.toml:4:11
      |
    4 | select = ["nonsense"]
      |           ^^^^^^^^^^
      |
      = help: run `carnet rules` to list the rules
    "#);
    assert_eq!((&plan, &scan), (&check, &check));
}

#[test]
fn configuration_that_is_not_a_file_is_an_error() {
    let mut found = String::new();
    for target in ["nowhere", "carnet.toml", "/dev/zero", "."] {
        let env = TestEnv::new();
        env.write("Makefile", "check:\n\t@true\n");
        symlink(target, env.analysis().join("carnet.toml")).expect("a link");
        found += &env.redact(&env.carnet(&["check"]).assert_code(2).text());
    }
    assert_snapshot!(found, @r"
    error: failed to read `[ANALYSIS]/carnet.toml`: No such file or directory (os error 2)
    error: failed to read `[ANALYSIS]/carnet.toml`: Too many levels of symbolic links (os error 40)
    error: failed to read `[ANALYSIS]/carnet.toml`: a device, not a regular file
    error: failed to read `[ANALYSIS]/carnet.toml`: a directory, not a regular file
    ");
}

#[test]
fn cells_start_in_the_order_of_the_configuration() {
    let env = TestEnv::with_test("true");
    let names: Vec<String> = (0..8).map(|at| format!("n{at}")).collect();
    let facilities = names.iter().map(|name| format!("[[facility]]\nid = \"{name}\"\nengine = \"host\"\n"));
    env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{}", facilities.collect::<String>()));
    let progress = env.carnet(&["check", "--jobs=1"]).assert_code(0).stderr;
    let started: Vec<&str> = progress.lines().filter_map(|line| Some(line.split_once(": tests")?.0.trim())).collect();
    assert_eq!(started, names, "{progress}");
}

#[test]
fn clean_removes_the_directories_of_a_killed_check() {
    let env = TestEnv::new();
    let started = env.path("started");
    env.write("carnet.toml", config(&format!("run = \"true\"\nsetup = \"touch {}; sleep 300\"", started.display())));
    let mut check = start(&env, &["check"]);
    wait_until("started", || started.exists());
    check.kill().expect("a signal");
    check.wait().expect("carnet ends");
    // The supervisor of the setup detects the death of carnet later, and locks the directories until then.
    wait_until("cleaned", || {
        env.carnet(&["clean"]).assert_code(0);
        let kept = fs::read_dir(env.cache().join("kept-host")).into_iter().flatten().count();
        env.cache_leftovers().is_empty() && kept == 0
    });
}
