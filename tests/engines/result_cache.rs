//! Results of cells that are kept: an unchanged check starts no cell.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use carnet::model::digest::Digest;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::{CARNET, CommandOutput, TestEnv};

/// The layout of the busybox image.
fn busybox() -> PathBuf {
    let path = crate::support::engine::image("busybox");
    path
}

/// An analysis that runs `script` in busybox, with more lines for the facility, and the tests' directory of this machine.
pub(crate) fn env(script: &str, test: &str, facility: &str) -> TestEnv {
    let env = TestEnv::with_test(script);
    let image = busybox();
    env.write(
        "carnet.toml",
        format!(
            "[test]\nrun = \"./t.sh\"\n{test}\n[[facility]]\nid = \"box\"\nimage = \"oci:{}\"\nengine = \"embedded\"\n{facility}\n",
            image.display()
        ),
    );
    env
}

fn cell(env: &TestEnv) -> Value {
    env.document()["cells"][0].clone()
}

/// Whether the last check took the result from an earlier one.
fn is_cached(env: &TestEnv) -> bool {
    cell(env)["cached"] == true
}

fn an_unchanged_check_starts_no_cell() {
    let env = env("echo fine", "", "");
    let first = env.carnet(&["check"]).assert_code(0);
    assert!(first.stderr.contains("box: tests"), "{}", first.stderr);
    let (was, environments) = (cell(&env), env.document()["environments"].clone());
    let said = env.carnet(&["check"]).assert_code(0);
    // What a cell does is told; this one did nothing.
    assert!(
        !said.stderr.contains("box: tests") && said.stderr.contains("box: passed, 1 test (cached)"),
        "{}",
        said.stderr
    );
    assert!(said.stdout.contains("1 passed") && said.stdout.contains("cached"), "{}", said.stdout);
    let mut now = cell(&env);
    assert_eq!(now.as_object_mut().and_then(|cell| cell.remove("cached")), Some(Value::Bool(true)));
    assert!(now == was && env.document()["environments"] == environments, "the result is not whole:\n{now}\n{was}");
    let junit = fs::read_to_string(env.analysis().join("carnet-out/junit.xml")).expect("a report");
    assert!(junit.contains("<property name=\"cached\" value=\"true\"/>"), "{junit}");
    let summary = fs::read_to_string(env.analysis().join("carnet-out/summary.md")).expect("a report");
    assert!(summary.contains("| cached |"), "{summary}");
    assert_eq!(env.cache_leftovers(), Vec::<PathBuf>::new());
}

fn what_changed_runs_again_and_a_fresh_check_runs_everything() {
    let env = env("cat data", "", "");
    env.write("data", "1");
    env.carnet(&["check"]).assert_code(0);
    env.write("data", "2");
    env.carnet(&["check"]).assert_code(0);
    assert!(!is_cached(&env), "the tree is another");
    env.carnet(&["check"]).assert_code(0);
    assert!(is_cached(&env));
    env.carnet(&["check", "--fresh"]).assert_code(0);
    assert!(!is_cached(&env), "fresh");
    env.write("data", "1");
    env.carnet(&["check"]).assert_code(0);
    assert!(is_cached(&env), "the first tree is known still");
}

fn a_failure_of_the_analysis_is_saved_with_its_output() {
    let env = env("echo the yield is wrong; exit 3", "", "");
    env.carnet(&["check"]).assert_code(1);
    env.carnet(&["check"]).assert_code(1);
    assert!(is_cached(&env));
    let output = &cell(&env)["steps"][0]["cases"][0]["output"]["text"];
    assert!(output.as_str().is_some_and(|text| text.contains("the yield is wrong")), "{output}");
}

fn a_failure_that_is_saved_is_forgiven_by_the_configuration_of_today() {
    let env = env("exit 3", "", "");
    env.carnet(&["check"]).assert_code(1);
    let file = env.analysis().join("carnet.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    // It is no part of the tree that the tests depend on, but of the tree: so ignore it there.
    env.write(".gitignore", "carnet.toml\n");
    env.carnet(&["check"]).assert_code(1);
    fs::write(&file, format!("{text}expect = {{ may_fail = \"known\" }}\n")).expect("written");
    env.carnet(&["check"]).assert_code(0);
    assert!(is_cached(&env), "what is forgiven is no part of the result");
}

fn variables_that_are_passed_on_count_by_their_values_and_are_not_written() {
    let env = env("test -n \"$SECRET\"", "", "pass_env = [\"SECRET\"]");
    let check = |value: &str| {
        let status = env.carnet_command(&["check", "-q"]).env("SECRET", value).stdout(Stdio::null()).status();
        assert!(status.expect("it starts").success());
        is_cached(&env)
    };
    assert!(!check("hunter2hunter2"));
    assert!(check("hunter2hunter2"));
    assert!(!check("another-secret"));
    let kept = kept(&env);
    assert_eq!(kept.len(), 2);
    for path in kept {
        let text = fs::read_to_string(&path).expect("an entry");
        assert!(!text.contains("hunter2") && !text.contains("another-secret"), "{text}");
    }
}

fn a_result_of_another_daemon_is_another_one() {
    let host = crate::support::engine::daemon();
    let env = env("true", "", "");
    let file = env.analysis().join("carnet.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    fs::write(&file, text.replace("\"embedded\"", "\"docker\"")).expect("written");
    let home = env.analysis().parent().expect("a home").to_owned();
    let check = |context: &str| {
        // A context lies below the digest of its name; what tells daemons apart is the address that it has.
        let dir = home.join(".docker/contexts/meta").join(Digest::of(context.as_bytes()).hex());
        let socket = home.join(format!("{context}.sock"));
        if !dir.exists() {
            fs::create_dir_all(&dir).expect("directories");
            symlink(host.trim_start_matches("unix://"), &socket).expect("a link");
            let meta = format!("{{\"Endpoints\":{{\"docker\":{{\"Host\":\"unix://{}\"}}}}}}", socket.display());
            fs::write(dir.join("meta.json"), meta).expect("a context");
        }
        CommandOutput::new(
            &env.carnet_command(&["check", "-q"]).env("DOCKER_CONTEXT", context).output().expect("it starts"),
        )
        .assert_code(0);
        is_cached(&env)
    };
    assert!(!check("near"));
    assert!(check("near"));
    assert!(!check("far"), "the variable DOCKER_HOST is not all that names a daemon");
}

fn a_cache_within_the_checkout_is_no_part_of_the_analysis() {
    let env = env("! ls -A | grep cache", "", "");
    let check = || {
        let mut command = env.carnet_command(&["check", "-q"]);
        CommandOutput::new(&command.env("CARNET_CACHE", ".cache").output().expect("it starts")).assert_code(0);
        env.document()["analysis"]["tree"].clone()
    };
    let first = check();
    assert_eq!(check(), first);
    assert!(is_cached(&env));
}

fn a_result_under_other_limits_of_the_shell_is_another_one() {
    let env = env("test $(ulimit -n) = 2000", "", "");
    for (files, code) in [(1000, 1), (2000, 0)] {
        let script = format!("ulimit -Sn {files} && exec '{CARNET}' check -q");
        let mut shell = env.command("sh", &["-c", &script]);
        CommandOutput::new(&shell.output().expect("it starts")).assert_code(code);
        assert!(!is_cached(&env), "{files}");
    }
}

fn a_set_up_is_that_of_the_variables_it_was_given() {
    let env = env(
        "test \"$(cat /release)\" = \"$RELEASE\"",
        "setup = \"echo $RELEASE > /release\"",
        "pass_env = [\"RELEASE\"]",
    );
    for release in ["2024", "2025", "2024"] {
        let check = env.carnet_command(&["check", "-q"]).env("RELEASE", release).output().expect("it starts");
        CommandOutput::new(&check).assert_code(0);
    }
}

/// The entries of the cache.
fn kept(env: &TestEnv) -> Vec<PathBuf> {
    let results = env.analysis().join("../cache/results");
    let questions = fs::read_dir(results).into_iter().flatten().flatten();
    questions.flat_map(|dir| fs::read_dir(dir.path()).into_iter().flatten().flatten()).map(|one| one.path()).collect()
}

fn what_is_not_the_analysis_alone_is_never_kept() {
    for (script, test, facility, code) in [
        ("true", "network = true", "", 0),
        ("true", "", "mounts = [\"/usr:/data\"]", 0),
        ("test -e seen && exit 0; touch seen; exit 1", "retries = 1", "", 0),
        ("sleep 20", "timeout = \"1s\"", "", 1),
        ("true", "setup = \"exit 3\"", "", 1),
    ] {
        let env = env(script, test, facility);
        env.carnet(&["check"]).assert_code(code);
        assert_eq!(kept(&env), Vec::<PathBuf>::new(), "{script} {test} {facility}");
        env.carnet(&["check"]).assert_code(code);
        assert!(!is_cached(&env), "{script} {test} {facility}");
    }
    let host = TestEnv::with_test("true");
    host.carnet(&["check"]).assert_code(0);
    host.carnet(&["check"]).assert_code(0);
    assert!(!is_cached(&host), "this machine has no identity");
}

fn a_damaged_entry_is_told_of_and_mended() {
    let env = env("true", "", "");
    env.carnet(&["check"]).assert_code(0);
    for path in kept(&env) {
        fs::write(path, "garbage\n{").expect("written");
    }
    let said = env.carnet(&["check"]).assert_code(0);
    assert!(said.stderr.contains("note: the kept result") && said.stderr.contains("is ignored"), "{}", said.stderr);
    assert!(!is_cached(&env));
    env.carnet(&["check"]).assert_code(0);
    assert!(is_cached(&env));
}

fn clean_forgets_results_only_when_asked_for_all() {
    let env = env("true", "", "");
    env.carnet(&["check"]).assert_code(0);
    let said = env.carnet(&["clean"]).assert_code(0);
    assert!(!said.stdout.contains("results"), "{}", said.stdout);
    assert_eq!(kept(&env).len(), 1);
    let said = env.carnet(&["clean", "--all"]).assert_code(0);
    assert!(said.stdout.contains("cache/results"), "{}", said.stdout);
    assert_eq!(kept(&env).len(), 0);
}

fn an_interrupted_check_goes_on_where_it_was() {
    let env = env("if [ \"$PACE\" = slow ]; then sleep 300; fi", "", "");
    let file = env.analysis().join("carnet.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    let second = "[[facility]]\nid = \"slow\"\nengine = \"embedded\"\npass_env = [\"PACE\"]\n";
    fs::write(&file, format!("{text}{second}image = \"oci:{}\"\n", busybox().display())).expect("written");
    let check = |pace: &str| {
        let mut command = env.carnet_command(&["check", "-q", "--jobs=1"]);
        command.env("PACE", pace).stdout(Stdio::null()).spawn().expect("it starts")
    };
    let mut child = check("slow");
    let start = Instant::now();
    while kept(&env).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(240), "the first cell never came to an end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = i32::try_from(child.id()).expect("an id");
    kill(Pid::from_raw(id), Signal::SIGTERM).expect("signalled");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    assert_eq!(env.document()["interrupted"], true);
    assert!(check("quick").wait().expect("an end").success());
    let document = env.document();
    assert_eq!((&document["cells"][0]["cached"], &document["cells"][0]["status"]), (&true.into(), &"passed".into()));
    assert_eq!((&document["cells"][1]["cached"], &document["cells"][1]["status"]), (&Value::Null, &"passed".into()));
}

fn the_same_check_twice_gives_the_same_document() {
    // In an image: this machine has interpreters, of which a busy one asks fewer in the time there is for that.
    let env = env("echo out; test -f t.sh; exit 1", "", "");
    env.carnet(&["check", "--fresh"]).assert_code(1);
    let first = without_timing(env.document());
    env.carnet(&["check", "--fresh"]).assert_code(1);
    assert_eq!(
        serde_json::to_string_pretty(&first).ok(),
        serde_json::to_string_pretty(&without_timing(env.document())).ok()
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

crate::support::harness::register!(
    [Image("busybox")]:
    the_same_check_twice_gives_the_same_document,
    an_unchanged_check_starts_no_cell,
    what_changed_runs_again_and_a_fresh_check_runs_everything,
    a_failure_of_the_analysis_is_saved_with_its_output,
    a_failure_that_is_saved_is_forgiven_by_the_configuration_of_today,
    variables_that_are_passed_on_count_by_their_values_and_are_not_written,
    a_result_of_another_daemon_is_another_one,
    a_cache_within_the_checkout_is_no_part_of_the_analysis,
    a_result_under_other_limits_of_the_shell_is_another_one,
    a_set_up_is_that_of_the_variables_it_was_given,
    what_is_not_the_analysis_alone_is_never_kept,
    a_damaged_entry_is_told_of_and_mended,
    clean_forgets_results_only_when_asked_for_all,
    an_interrupted_check_goes_on_where_it_was,
);
