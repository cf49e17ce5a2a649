//! `carnet check` on this machine itself.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::env::HOST;
use crate::support::{CommandOutput, TestEnv};

#[test]
fn a_passing_script_is_good() {
    let env = TestEnv::with_test("echo fine");
    let said = env.carnet(&["check"]).assert_code(0);
    assert!(said.stdout.contains("1 passed"), "{}", said.stdout);
    let document = env.document();
    assert_eq!(document["cells"][0]["status"], "passed");
    assert_eq!(document["analysis"]["name"], "analysis");
    assert!(document["environments"].as_object().is_some_and(|all| all.len() == 1));
    for file in ["junit.xml", "summary.md", "report.html", ".gitignore"] {
        assert!(env.analysis().join("carnet-out").join(file).is_file(), "{file}");
    }
    assert_eq!(env.cache_leftovers(), Vec::<PathBuf>::new());
}

#[test]
fn a_failing_script_is_the_analysis_failing() {
    let env = TestEnv::with_test("echo the yield is wrong >&2; exit 3");
    let said = env.carnet(&["check"]).assert_code(1);
    assert!(said.stdout.contains("1 failed"), "{}", said.stdout);
    let case = &env.document()["cells"][0]["steps"][0]["cases"][0];
    assert_eq!(case["outcome"], "failed");
    assert!(case["output"]["text"].as_str().is_some_and(|text| text.contains("the yield is wrong")), "{case}");
    env.carnet(&["check", "--fail-on", "never"]).assert_code(0);
}

#[test]
fn the_checkout_is_never_written_to() {
    let env = TestEnv::with_test("echo changed > t.sh; mkdir -p out; echo x > out/new; rm carnet.toml");
    let before = env.files();
    env.carnet(&["check"]).assert_code(0);
    assert_eq!(env.files(), before);
}

#[test]
fn tests_are_detected_without_a_configuration() {
    let env = TestEnv::new();
    env.write("Makefile", "check:\n\t@echo checked\n");
    let said = env.carnet(&["check"]).assert_code(0);
    assert!(said.stdout.contains("1 passed"), "{}", said.stdout);
    assert_eq!(env.document()["cells"][0]["steps"][0]["kind"], "make");
}

#[test]
fn nothing_to_test_has_its_own_code() {
    let env = TestEnv::new();
    let said = env.carnet(&["check"]).assert_code(3);
    assert!(said.stderr.contains("no tests found") && said.stderr.contains("help:"), "{}", said.stderr);
}

#[test]
fn an_unknown_cell_is_a_usage_error() {
    let said = TestEnv::with_test("true").carnet(&["check", "--cell", "nowhere"]).assert_code(2);
    assert!(said.stderr.contains("no cell `nowhere`: there are here"), "{}", said.stderr);
}

#[test]
fn an_image_that_is_not_there_is_the_place_failing() {
    let env = TestEnv::with_test("true");
    env.write(
        "carnet.toml",
        format!("[test]\nrun = \"./t.sh\"\n[[facility]]\nid = \"far\"\nimage = \"oci:nowhere\"\n{HOST}"),
    );
    let said = env.carnet(&["check"]).assert_code(4);
    let document = env.document();
    assert_eq!(document["cells"][0]["status"], "error");
    assert_eq!(document["cells"][1]["status"], "passed", "the other cell is unharmed");
    assert!(said.stdout.contains("nowhere"), "{}", said.stdout);
}

#[test]
fn a_set_up_runs_once_and_its_failure_is_the_analysis_failing() {
    let env = TestEnv::new();
    let toml = |setup: &str| format!("[test]\nrun = \"cat built\"\nsetup = \"{setup}\"\n{HOST}");
    env.write("carnet.toml", toml("echo ready > built"));
    env.carnet(&["check"]).assert_code(0);
    env.carnet(&["check"]).assert_code(0);
    env.write("carnet.toml", toml("echo no compiler; exit 7"));
    let said = env.carnet(&["check"]).assert_code(1);
    assert!(said.stdout.contains("setup: exit code 7"), "{}", said.stdout);
}

#[test]
fn a_retry_that_passes_is_flaky() {
    let env = TestEnv::with_test("test -e seen && exit 0; touch seen; exit 1");
    env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\nretries = 2\n{HOST}"));
    env.carnet(&["check"]).assert_code(0);
    assert_eq!(env.document()["cells"][0]["status"], "flaky");
    env.carnet(&["check", "--fail-on", "warning"]).assert_code(1);
}

#[test]
fn a_failure_can_be_forgiven_until_its_day() {
    let env = TestEnv::with_test("exit 1");
    let toml = |day| format!("[test]\nrun = \"./t.sh\"\n{HOST}expect = {{ may_fail = \"known\", until = {day} }}\n");
    env.write("carnet.toml", toml("2999-01-01"));
    env.carnet(&["check"]).assert_code(0);
    env.write("carnet.toml", toml("2001-01-01"));
    env.carnet(&["check"]).assert_code(1);
}

#[test]
fn hostile_output_leaves_every_report_valid() {
    let env = TestEnv::with_test(r"printf ']]>\033[31m\000\377::error::x</failure>\n'; exit 1");
    env.carnet(&["check"]).assert_code(1);
    let junit = fs::read(env.analysis().join("carnet-out/junit.xml")).expect("a report");
    let suites = junit_parser::from_reader(junit.as_slice()).expect("valid JUnit");
    assert_eq!((suites.tests, suites.failures), (1, 1));
    let human = env.carnet(&["report", "carnet-out/carnet.json"]).assert_code(0).stdout;
    assert!(!human.contains('\u{1b}'), "{human:?}");
}

#[test]
fn an_interrupt_keeps_what_was_learned() {
    let env = TestEnv::with_test("echo started; sleep 300");
    let mut child =
        env.carnet_command(&["check"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let seen = stderr.lines().map_while(Result::ok).find(|line| line.contains("here: tests"));
    assert!(seen.is_some(), "the tests never began");
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    kill(Pid::from_raw(i32::try_from(child.id()).expect("a pid")), Signal::SIGINT).expect("a signal");
    let output = child.wait_with_output().expect("it ends");
    CommandOutput::new(&output).assert_code(130);
    assert!(begun.elapsed() < Duration::from_secs(100), "it took {:?}", begun.elapsed());
    let document = env.document();
    assert_eq!(document["interrupted"], true);
    assert_eq!(document["cells"][0]["status"], "skipped");
    assert_eq!(env.cache_leftovers(), Vec::<PathBuf>::new());
}

#[test]
fn the_snapshot_sees_what_the_facility_s_setup_sets() {
    let env = TestEnv::with_test("test \"$OMP_NUM_THREADS\" = 3");
    env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{HOST}setup = \"export OMP_NUM_THREADS=3 LATE=1\"\n"));
    env.carnet(&["check"]).assert_code(0);
    let environments = env.document()["environments"].clone();
    let variables = &environments.as_object().expect("environments").values().next().expect("one")["variables"];
    assert_eq!(variables["values"]["OMP_NUM_THREADS"], "3");
    assert!(variables["names"].as_array().is_some_and(|names| names.contains(&"LATE".into())), "{variables}");
}

#[test]
fn no_report_tells_a_secret() {
    const SECRETS: [&str; 2] = ["declared-hunter2hunter2", "passed-hunter2hunter2"];
    let env = TestEnv::with_test("echo $DECLARED_TOKEN | cut -c 1-4; echo $PASSED_TOKEN; exit 1");
    let facility = format!("env = {{ DECLARED_TOKEN = \"{}\" }}\npass_env = [\"PASSED_TOKEN\"]\n", SECRETS[0]);
    env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{HOST}{facility}"));
    let mut command = env.carnet_command(&["check"]);
    let said = CommandOutput::new(&command.env("PASSED_TOKEN", SECRETS[1]).output().expect("it starts")).assert_code(1);
    let contract = &env.document()["cells"][0]["contract"];
    assert_eq!(contract["env"]["DECLARED_TOKEN"], "[redacted]");
    assert!(env.document().to_string().contains("[redacted]\\n"), "what the test printed");
    let mut told = vec![said.stdout, said.stderr];
    for file in ["carnet.json", "junit.xml", "summary.md", "report.html"] {
        told.push(fs::read_to_string(env.analysis().join("carnet-out").join(file)).expect("a report"));
    }
    for (text, secret) in told.iter().flat_map(|text| SECRETS.map(|secret| (text, secret))) {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_prelude_that_ends_the_shell_is_no_pass() {
    let env = TestEnv::with_test("exit 0");
    for (setup, said) in [("exit 0", "it ended the shell"), ("exit 3", "exit code 3"), ("if then", "exit code 2")] {
        env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{HOST}setup = \"{setup}\"\n"));
        env.carnet(&["check"]).assert_code(4);
        let cell = &env.document()["cells"][0];
        assert_eq!(cell["status"], "error", "{setup}");
        let reason = cell["reason"].as_str().expect("a reason");
        assert!(reason.contains("the facility's own `setup` failed") && reason.contains(said), "{reason}");
    }
}

#[test]
fn a_test_that_tried_the_network_says_so_and_what_to_do() {
    let env = TestEnv::with_test("echo 'curl: (6) Could not resolve host: cms.example.org'; exit 6");
    let said = env.carnet(&["check"]).assert_code(1);
    assert!(said.stdout.contains("help: 1 test tried the network, which is off here"), "{}", said.stdout);
    let junit = fs::read_to_string(env.analysis().join("carnet-out/junit.xml")).expect("a report");
    assert!(junit.contains("set network = true under [test]"), "{junit}");
}

#[test]
fn a_place_for_reports_that_can_not_be_written_to_is_told_before_anything_is_run() {
    let env = TestEnv::with_test("exit 0");
    env.write("taken", "a file");
    let said = env.carnet(&["check", "--out", "taken"]).assert_code(4);
    assert!(said.stderr.contains("writing taken failed") && said.stderr.contains("--out"), "{}", said.stderr);
    assert!(!said.stderr.contains("here: tests"), "{}", said.stderr);
}

#[test]
fn reports_that_can_not_be_written_are_still_shown() {
    let env = TestEnv::with_test("exit 0");
    fs::create_dir_all(env.analysis().join("reports/junit.xml/in-the-way")).expect("directories");
    let said = env.carnet(&["check", "--out", "reports"]).assert_code(4);
    assert!(said.stdout.contains("1 passed"), "{}", said.stdout);
    assert!(said.stderr.contains("writing reports/junit.xml failed"), "{}", said.stderr);
}

#[test]
fn a_check_of_nothing_leaves_no_reports_directory() {
    let env = TestEnv::new();
    env.carnet(&["check"]).assert_code(3);
    assert!(!env.analysis().join("carnet-out").exists());
}

#[test]
fn the_audit_of_a_check_does_not_read_the_baseline_that_quotes_what_it_accepts() {
    let env = TestEnv::with_test("true");
    env.write("a.py", "open(\"/eos/user/a/alice/data.root\")\n");
    env.carnet(&["scan", "--update-baseline"]).assert_code(0);
    env.carnet(&["check"]).assert_code(0);
    let findings = env.document()["scan"]["findings"].clone();
    let findings = findings.as_array().expect("findings");
    assert!(!findings.is_empty() && findings.iter().all(|one| one["suppressed"]["by"] == "baseline"), "{findings:#?}");
}

#[test]
fn a_rule_that_there_is_none_of_is_told_by_every_command() {
    let env = TestEnv::with_test("true");
    env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n[scan]\nselect = [\"nonsense\"]\n{HOST}"));
    for command in ["check", "plan", "scan"] {
        let said = env.carnet(&[command]).assert_code(2);
        assert!(said.stderr.contains("no rule `nonsense`") && said.stderr.contains("carnet.toml:4"), "{}", said.stderr);
    }
}

#[test]
fn a_configuration_that_is_no_file_is_not_passed_over() {
    for target in ["nowhere", "carnet.toml", "/dev/zero", "."] {
        let env = TestEnv::new();
        env.write("Makefile", "check:\n\t@true\n");
        symlink(target, env.analysis().join("carnet.toml")).expect("a link");
        let said = env.carnet(&["check"]).assert_code(2);
        assert!(said.stderr.contains("can't read") && said.stderr.contains("carnet.toml"), "{}", said.stderr);
    }
}

#[test]
fn two_checks_at_once_share_the_set_up() {
    let env = TestEnv::new();
    let toml = format!("[test]\nrun = \"test -e built\"\nsetup = \"sleep 0.5; echo > built\"\n{HOST}");
    env.write("carnet.toml", toml);
    let check = |out: &str| {
        let mut command = env.carnet_command(&["check", "--out", out]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    for child in [check("one"), check("two")] {
        CommandOutput::new(&child.wait_with_output().expect("it ends")).assert_code(0);
    }
}

#[test]
fn a_test_may_do_anything_to_the_place_of_the_result() {
    let sabotage =
        ["mkdir -p ../result.json/x ../result.json.part/x", "mkfifo ../result.json", "ln -s /etc ../result.json"];
    for script in sabotage {
        let env = TestEnv::with_test(script);
        env.carnet(&["check"]).assert_code(0);
        assert_eq!(env.cache_leftovers(), Vec::<PathBuf>::new(), "{script}");
    }
}

#[test]
fn cells_begin_in_the_order_of_the_configuration() {
    let env = TestEnv::with_test("true");
    let names: Vec<String> = (0..8).map(|at| format!("n{at}")).collect();
    let facilities = names.iter().map(|name| format!("[[facility]]\nid = \"{name}\"\nengine = \"host\"\n"));
    env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{}", facilities.collect::<String>()));
    let said = env.carnet(&["check", "--jobs=1"]).assert_code(0).stderr;
    let began: Vec<&str> = said.lines().filter_map(|line| Some(line.split_once(": tests")?.0.trim())).collect();
    assert_eq!(began, names, "{said}");
}

#[test]
fn what_a_killed_set_up_left_is_cleaned() {
    let env = TestEnv::new();
    env.write("carnet.toml", format!("[test]\nrun = \"true\"\nsetup = \"echo > built; sleep 300\"\n{HOST}"));
    let mut child =
        env.carnet_command(&["check"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let seen = stderr.lines().map_while(Result::ok).find(|line| line.contains("here: set-up"));
    assert!(seen.is_some(), "the set-up never began");
    std::thread::sleep(Duration::from_millis(500));
    child.kill().expect("a signal");
    child.wait().expect("it ends");
    let left = || {
        env.carnet(&["clean"]).assert_code(0);
        let kept = fs::read_dir(env.analysis().join("../cache/kept-host")).into_iter().flatten().count();
        (env.cache_leftovers(), kept)
    };
    // Its supervisor needs a moment to see that, and holds what it still uses.
    let begun = Instant::now();
    while left() != (Vec::new(), 0) && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(left(), (Vec::new(), 0));
}
