//! `carnet check` on this machine itself.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::room::{HOST, Room, Said};

#[test]
fn a_passing_script_is_good() {
    let room = Room::testing("echo fine");
    let said = room.run(&["check"]).expect(0);
    assert!(said.out.contains("1 passed"), "{}", said.out);
    let document = room.document();
    assert_eq!(document["cells"][0]["status"], "passed");
    assert_eq!(document["analysis"]["name"], "analysis");
    assert!(document["environments"].as_object().is_some_and(|all| all.len() == 1));
    for file in ["junit.xml", "summary.md", "report.html", ".gitignore"] {
        assert!(room.top().join("carnet-out").join(file).is_file(), "{file}");
    }
    assert_eq!(room.leftovers(), Vec::<PathBuf>::new());
}

#[test]
fn a_failing_script_is_the_analysis_failing() {
    let room = Room::testing("echo the yield is wrong >&2; exit 3");
    let said = room.run(&["check"]).expect(1);
    assert!(said.out.contains("1 failed"), "{}", said.out);
    let case = &room.document()["cells"][0]["steps"][0]["cases"][0];
    assert_eq!(case["outcome"], "failed");
    assert!(case["output"]["text"].as_str().is_some_and(|text| text.contains("the yield is wrong")), "{case}");
    room.run(&["check", "--fail-on", "never"]).expect(0);
}

#[test]
fn the_checkout_is_never_written_to() {
    let room = Room::testing("echo changed > t.sh; mkdir -p out; echo x > out/new; rm carnet.toml");
    let before = room.content();
    room.run(&["check"]).expect(0);
    assert_eq!(room.content(), before);
}

#[test]
fn the_same_check_twice_gives_the_same_document() {
    // In an image: this machine has interpreters, of which a busy one asks fewer in the time there is for that.
    let room = crate::cache::room("echo out; test -f t.sh; exit 1", "", "");
    room.run(&["check", "--fresh"]).expect(1);
    let first = without_timing(room.document());
    room.run(&["check", "--fresh"]).expect(1);
    assert_eq!(
        serde_json::to_string_pretty(&first).ok(),
        serde_json::to_string_pretty(&without_timing(room.document())).ok()
    );
}

fn without_timing(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            map.remove("timing");
            map.values_mut().for_each(|inner| *inner = without_timing(inner.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| *inner = without_timing(inner.take())),
        _ => {}
    }
    value
}

#[test]
fn tests_are_detected_without_a_configuration() {
    let room = Room::new();
    room.write("Makefile", "check:\n\t@echo checked\n");
    let said = room.run(&["check"]).expect(0);
    assert!(said.out.contains("1 passed"), "{}", said.out);
    assert_eq!(room.document()["cells"][0]["steps"][0]["kind"], "make");
}

#[test]
fn nothing_to_test_has_its_own_code() {
    let room = Room::new();
    let said = room.run(&["check"]).expect(3);
    assert!(said.err.contains("no tests found") && said.err.contains("help:"), "{}", said.err);
}

#[test]
fn an_unknown_cell_is_a_usage_error() {
    let said = Room::testing("true").run(&["check", "--cell", "nowhere"]).expect(2);
    assert!(said.err.contains("no cell `nowhere`: there are here"), "{}", said.err);
}

#[test]
fn an_image_that_is_not_there_is_the_place_failing() {
    let room = Room::testing("true");
    room.write(
        "carnet.toml",
        format!("[test]\nrun = \"./t.sh\"\n[[facility]]\nid = \"far\"\nimage = \"oci:nowhere\"\n{HOST}"),
    );
    let said = room.run(&["check"]).expect(4);
    let document = room.document();
    assert_eq!(document["cells"][0]["status"], "error");
    assert_eq!(document["cells"][1]["status"], "passed", "the other cell is unharmed");
    assert!(said.out.contains("nowhere"), "{}", said.out);
}

#[test]
fn a_set_up_runs_once_and_its_failure_is_the_analysis_failing() {
    let room = Room::new();
    let toml = |setup: &str| format!("[test]\nrun = \"cat built\"\nsetup = \"{setup}\"\n{HOST}");
    room.write("carnet.toml", toml("echo ready > built"));
    room.run(&["check"]).expect(0);
    room.run(&["check"]).expect(0);
    room.write("carnet.toml", toml("echo no compiler; exit 7"));
    let said = room.run(&["check"]).expect(1);
    assert!(said.out.contains("setup: exit code 7"), "{}", said.out);
}

#[test]
fn a_retry_that_passes_is_flaky() {
    let room = Room::testing("test -e seen && exit 0; touch seen; exit 1");
    room.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\nretries = 2\n{HOST}"));
    room.run(&["check"]).expect(0);
    assert_eq!(room.document()["cells"][0]["status"], "flaky");
    room.run(&["check", "--fail-on", "warning"]).expect(1);
}

#[test]
fn a_failure_can_be_forgiven_until_its_day() {
    let room = Room::testing("exit 1");
    let toml = |day| format!("[test]\nrun = \"./t.sh\"\n{HOST}expect = {{ may_fail = \"known\", until = {day} }}\n");
    room.write("carnet.toml", toml("2999-01-01"));
    room.run(&["check"]).expect(0);
    room.write("carnet.toml", toml("2001-01-01"));
    room.run(&["check"]).expect(1);
}

#[test]
fn hostile_output_leaves_every_report_valid() {
    let room = Room::testing(r"printf ']]>\033[31m\000\377::error::x</failure>\n'; exit 1");
    room.run(&["check"]).expect(1);
    let junit = fs::read(room.top().join("carnet-out/junit.xml")).expect("a report");
    let suites = junit_parser::from_reader(junit.as_slice()).expect("valid JUnit");
    assert_eq!((suites.tests, suites.failures), (1, 1));
    let human = room.run(&["report", "carnet-out/carnet.json"]).expect(0).out;
    assert!(!human.contains('\u{1b}'), "{human:?}");
}

#[test]
fn an_interrupt_keeps_what_was_learned() {
    let room = Room::testing("echo started; sleep 300");
    let mut child = room.command(&["check"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let seen = stderr.lines().map_while(Result::ok).find(|line| line.contains("here: tests"));
    assert!(seen.is_some(), "the tests never began");
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    kill(Pid::from_raw(i32::try_from(child.id()).expect("a pid")), Signal::SIGINT).expect("a signal");
    let output = child.wait_with_output().expect("it ends");
    Said::of(&output).expect(130);
    assert!(begun.elapsed() < Duration::from_secs(100), "it took {:?}", begun.elapsed());
    let document = room.document();
    assert_eq!(document["interrupted"], true);
    assert_eq!(document["cells"][0]["status"], "skipped");
    assert_eq!(room.leftovers(), Vec::<PathBuf>::new());
}

#[test]
fn the_snapshot_sees_what_the_facility_s_setup_sets() {
    let room = Room::testing("test \"$OMP_NUM_THREADS\" = 3");
    room.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{HOST}setup = \"export OMP_NUM_THREADS=3 LATE=1\"\n"));
    room.run(&["check"]).expect(0);
    let environments = room.document()["environments"].clone();
    let variables = &environments.as_object().expect("environments").values().next().expect("one")["variables"];
    assert_eq!(variables["values"]["OMP_NUM_THREADS"], "3");
    assert!(variables["names"].as_array().is_some_and(|names| names.contains(&"LATE".into())), "{variables}");
}

#[test]
fn no_report_tells_a_secret() {
    const SECRETS: [&str; 2] = ["declared-hunter2hunter2", "passed-hunter2hunter2"];
    let room = Room::testing("echo $DECLARED_TOKEN | cut -c 1-4; echo $PASSED_TOKEN; exit 1");
    let facility = format!("env = {{ DECLARED_TOKEN = \"{}\" }}\npass_env = [\"PASSED_TOKEN\"]\n", SECRETS[0]);
    room.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{HOST}{facility}"));
    let mut command = room.command(&["check"]);
    let said = Said::of(&command.env("PASSED_TOKEN", SECRETS[1]).output().expect("it starts")).expect(1);
    let contract = &room.document()["cells"][0]["contract"];
    assert_eq!(contract["env"]["DECLARED_TOKEN"], "[redacted]");
    assert!(room.document().to_string().contains("[redacted]\\n"), "what the test printed");
    let mut told = vec![said.out, said.err];
    for file in ["carnet.json", "junit.xml", "summary.md", "report.html"] {
        told.push(fs::read_to_string(room.top().join("carnet-out").join(file)).expect("a report"));
    }
    for (text, secret) in told.iter().flat_map(|text| SECRETS.map(|secret| (text, secret))) {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_prelude_that_ends_the_shell_is_no_pass() {
    let room = Room::testing("exit 0");
    for (setup, said) in [("exit 0", "it ended the shell"), ("exit 3", "exit code 3"), ("if then", "exit code 2")] {
        room.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{HOST}setup = \"{setup}\"\n"));
        room.run(&["check"]).expect(4);
        let cell = &room.document()["cells"][0];
        assert_eq!(cell["status"], "error", "{setup}");
        let reason = cell["reason"].as_str().expect("a reason");
        assert!(reason.contains("the facility's own `setup` failed") && reason.contains(said), "{reason}");
    }
}

#[test]
fn a_test_that_tried_the_network_says_so_and_what_to_do() {
    let room = Room::testing("echo 'curl: (6) Could not resolve host: cms.example.org'; exit 6");
    let said = room.run(&["check"]).expect(1);
    assert!(said.out.contains("help: 1 test tried the network, which is off here"), "{}", said.out);
    let junit = fs::read_to_string(room.top().join("carnet-out/junit.xml")).expect("a report");
    assert!(junit.contains("set network = true under [test]"), "{junit}");
}

#[test]
fn a_place_for_reports_that_can_not_be_written_to_is_told_before_anything_is_run() {
    let room = Room::testing("exit 0");
    room.write("taken", "a file");
    let said = room.run(&["check", "--out", "taken"]).expect(4);
    assert!(said.err.contains("writing taken failed") && said.err.contains("--out"), "{}", said.err);
    assert!(!said.err.contains("here: tests"), "{}", said.err);
}

#[test]
fn reports_that_can_not_be_written_are_still_shown() {
    let room = Room::testing("exit 0");
    fs::create_dir_all(room.top().join("reports/junit.xml/in-the-way")).expect("directories");
    let said = room.run(&["check", "--out", "reports"]).expect(4);
    assert!(said.out.contains("1 passed"), "{}", said.out);
    assert!(said.err.contains("writing reports/junit.xml failed"), "{}", said.err);
}

#[test]
fn a_check_of_nothing_leaves_no_reports_directory() {
    let room = Room::new();
    room.run(&["check"]).expect(3);
    assert!(!room.top().join("carnet-out").exists());
}

#[test]
fn the_audit_of_a_check_does_not_read_the_baseline_that_quotes_what_it_accepts() {
    let room = Room::testing("true");
    room.write("a.py", "open(\"/eos/user/a/alice/data.root\")\n");
    room.run(&["scan", "--update-baseline"]).expect(0);
    room.run(&["check"]).expect(0);
    let findings = room.document()["scan"]["findings"].clone();
    let findings = findings.as_array().expect("findings");
    assert!(!findings.is_empty() && findings.iter().all(|one| one["suppressed"]["by"] == "baseline"), "{findings:#?}");
}

#[test]
fn a_rule_that_there_is_none_of_is_told_by_every_command() {
    let room = Room::testing("true");
    room.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n[scan]\nselect = [\"nonsense\"]\n{HOST}"));
    for command in ["check", "plan", "scan"] {
        let said = room.run(&[command]).expect(2);
        assert!(said.err.contains("no rule `nonsense`") && said.err.contains("carnet.toml:4"), "{}", said.err);
    }
}

#[test]
fn a_configuration_that_is_no_file_is_not_passed_over() {
    for target in ["nowhere", "carnet.toml", "/dev/zero", "."] {
        let room = Room::new();
        room.write("Makefile", "check:\n\t@true\n");
        symlink(target, room.top().join("carnet.toml")).expect("a link");
        let said = room.run(&["check"]).expect(2);
        assert!(said.err.contains("can't read") && said.err.contains("carnet.toml"), "{}", said.err);
    }
}

#[test]
fn two_checks_at_once_share_the_set_up() {
    let room = Room::new();
    let toml = format!("[test]\nrun = \"test -e built\"\nsetup = \"sleep 0.5; echo > built\"\n{HOST}");
    room.write("carnet.toml", toml);
    let check = |out: &str| {
        let mut command = room.command(&["check", "--out", out]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    for child in [check("one"), check("two")] {
        Said::of(&child.wait_with_output().expect("it ends")).expect(0);
    }
}

#[test]
fn a_test_may_do_anything_to_the_place_of_the_result() {
    let sabotage =
        ["mkdir -p ../result.json/x ../result.json.part/x", "mkfifo ../result.json", "ln -s /etc ../result.json"];
    for script in sabotage {
        let room = Room::testing(script);
        room.run(&["check"]).expect(0);
        assert_eq!(room.leftovers(), Vec::<PathBuf>::new(), "{script}");
    }
}

#[test]
fn cells_begin_in_the_order_of_the_configuration() {
    let room = Room::testing("true");
    let names: Vec<String> = (0..8).map(|at| format!("n{at}")).collect();
    let facilities = names.iter().map(|name| format!("[[facility]]\nid = \"{name}\"\nengine = \"host\"\n"));
    room.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{}", facilities.collect::<String>()));
    let said = room.run(&["check", "--jobs=1"]).expect(0).err;
    let began: Vec<&str> = said.lines().filter_map(|line| Some(line.split_once(": tests")?.0.trim())).collect();
    assert_eq!(began, names, "{said}");
}

#[test]
fn what_a_killed_set_up_left_is_cleaned() {
    let room = Room::new();
    room.write("carnet.toml", format!("[test]\nrun = \"true\"\nsetup = \"echo > built; sleep 300\"\n{HOST}"));
    let mut child = room.command(&["check"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let seen = stderr.lines().map_while(Result::ok).find(|line| line.contains("here: set-up"));
    assert!(seen.is_some(), "the set-up never began");
    std::thread::sleep(Duration::from_millis(500));
    child.kill().expect("a signal");
    child.wait().expect("it ends");
    let left = || {
        room.run(&["clean"]).expect(0);
        let kept = fs::read_dir(room.top().join("../cache/kept-host")).into_iter().flatten().count();
        (room.leftovers(), kept)
    };
    // Its supervisor needs a moment to see that, and holds what it still uses.
    let begun = Instant::now();
    while left() != (Vec::new(), 0) && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(left(), (Vec::new(), 0));
}
