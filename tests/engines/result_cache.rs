//! Results of cells are cached: a check of an unchanged analysis starts no cell.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use carnet::model::digest::Digest;
use insta::assert_snapshot;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::redact::{redacted, without_timing};
use crate::support::engine::{daemon, image};
use crate::support::{CARNET, CommandOutput, TestEnv};

/// An analysis that runs `script` in busybox, with more lines for `[test]` and the facility.
fn env(script: &str, test: &str, facility: &str) -> TestEnv {
    let env = TestEnv::with_test(script);
    let image = image("busybox");
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

/// Whether the last check took the result from the cache.
fn is_cached(env: &TestEnv) -> bool {
    cell(env)["cached"] == true
}

/// The results in the cache.
fn cached_results(env: &TestEnv) -> Vec<PathBuf> {
    let directories = fs::read_dir(env.cache().join("results")).into_iter().flatten().flatten();
    let entries = directories.flat_map(|directory| fs::read_dir(directory.path()).into_iter().flatten().flatten());
    entries.map(|entry| entry.path()).collect()
}

fn unchanged_check_takes_the_result_from_the_cache() {
    let env = env("echo fine", "", "");
    env.write("carnet.toml", env.read("carnet.toml") + "[scan]\nexclude = [\"carnet.toml\"]\n");
    let first = env.carnet(&["check"]).assert_code(0);
    let (mut cell_before, environments) = (cell(&env), env.document()["environments"].clone());
    assert_snapshot!(redacted(&env, &first.text()), @"
    analysis at tree [ID]
      box  ✓ 1 passed  [TIME]  python -

    1 cell: 1 passed, in [TIME]
    ✓ the analysis works in every cell that ran
    checking 1 cell with `./t.sh`
      box: opening image
      box: tests
      box: passed, 1 test ([TIME])
    reports written to carnet-out
    ");
    let second = env.carnet(&["check"]).assert_code(0);
    assert_snapshot!(redacted(&env, &second.text()), @"
    analysis at tree [ID]
      box  ✓ 1 passed  cached  python -

    1 cell: 1 passed, in [TIME]
    ✓ the analysis works in every cell that ran
    checking 1 cell with `./t.sh`
      box: opening image
      box: passed, 1 test (cached)
    reports written to carnet-out
    ");
    cell_before["cached"] = json!(true);
    assert_eq!((cell(&env), &env.document()["environments"]), (cell_before, &environments));
    assert_eq!(env.cache_leftovers(), Vec::<PathBuf>::new());
}

fn reports_mark_cached_results() {
    let env = env("echo fine", "", "");
    env.carnet(&["check"]).assert_code(0);
    env.carnet(&["check"]).assert_code(0);
    let junit = junit_parser::from_reader(env.read("carnet-out/junit.xml").as_bytes()).expect("a JUnit file");
    assert_eq!(junit.suites[0].properties.hashmap.get("cached").map(String::as_str), Some("true"));
    let summary = env.read("carnet-out/summary.md");
    let row = summary.lines().find(|line| line.starts_with("| ✅ ")).expect("a row");
    assert_snapshot!(row, @"| ✅ | <code>box</code> | 1 passed | cached | <code>-</code> |  |");
}

fn changed_analysis_and_fresh_check_run_again() {
    let env = env("cat data", "", "");
    env.write("data", "1");
    env.carnet(&["check"]).assert_code(0);
    env.write("data", "2");
    env.carnet(&["check"]).assert_code(0);
    assert!(!is_cached(&env), "the data changed");
    env.carnet(&["check"]).assert_code(0);
    assert!(is_cached(&env));
    env.carnet(&["check", "--fresh"]).assert_code(0);
    assert!(!is_cached(&env), "fresh");
    env.write("data", "1");
    env.carnet(&["check"]).assert_code(0);
    assert!(is_cached(&env), "the result for the first data is still cached");
}

fn failed_tests_are_cached_with_their_output() {
    let env = env("echo the yield is wrong; exit 3", "", "");
    env.carnet(&["check"]).assert_code(1);
    env.carnet(&["check"]).assert_code(1);
    assert!(is_cached(&env));
    let output = &cell(&env)["steps"][0]["cases"][0]["output"]["text"];
    assert_eq!(output, "the yield is wrong\n");
}

fn failure_because_of_a_full_disk_is_not_cached() {
    let env = env("cat /dev/zero > /tmp/zero", "", "tmp_size = \"64k\"");
    env.carnet(&["check"]).assert_code(1);
    assert_eq!(cell(&env)["steps"][0]["end"]["exit"]["code"], 1);
    assert_eq!(cached_results(&env), Vec::<PathBuf>::new());
}

fn image_without_a_working_shell_is_an_infrastructure_error() {
    let env = TestEnv::with_test("true");
    let check = |more: &str| {
        let lines = format!(
            "[test]\nrun = \"./t.sh\"\n{more}[[facility]]\nid = \"box\"\nimage = \"dir:{}\"\nengine = \"embedded\"\n",
            env.root().join("image").display()
        );
        env.write("carnet.toml", lines);
        env.carnet(&["check"]).assert_code(4);
        let cell = cell(&env);
        assert_eq!(cell["status"], "error");
        assert!(cell["hint"].as_str().is_some_and(|hint| hint.contains("a working /bin/sh")), "{cell:#}");
        cell["reason"].as_str().expect("a reason").to_owned()
    };
    for directory in ["bin", "etc", "tmp"] {
        fs::create_dir_all(env.root().join("image").join(directory)).expect("a directory");
    }
    let shell = env.root().join("image/bin/sh");
    assert_snapshot!(check(""), @"no command can run: no /bin/sh in the image");
    assert_snapshot!(check("setup = \"true\"\n"), @"no command can run: no /bin/sh in the image");
    env.install_script(&shell, "");
    fs::write(&shell, "echo").expect("a file");
    assert_snapshot!(check(""), @"no command can run: /bin/sh of the image can't start: not a program");
    fs::copy("/bin/sh", &shell).expect("a copy");
    assert_snapshot!(check(""), @"no command can run: /bin/sh of the image can't start: its loader /lib64/ld-linux-x86-64.so.2 does not exist");
    assert_snapshot!(check("setup = \"true\"\n"), @"no command can run: /bin/sh of the image can't start: its loader /lib64/ld-linux-x86-64.so.2 does not exist");
    let mut program = fs::read(CARNET).expect("a program");
    program[18] = 22;
    fs::write(&shell, &program).expect("a file");
    assert_snapshot!(check(""), @"no command can run: /bin/sh of the image can't start: a program for s390x, but this machine is x86_64");
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o644)).expect("a mode");
    assert_snapshot!(check(""), @"no command can run: /bin/sh of the image can't start: not executable");
}

fn expected_failure_applies_to_cached_results() {
    let env = env("exit 3", "", "");
    env.carnet(&["check"]).assert_code(1);
    // The files of the analysis do not include an ignored file, so its changes do not make the cached result invalid.
    env.write(".gitignore", "carnet.toml\n");
    env.carnet(&["check"]).assert_code(1);
    env.write("carnet.toml", env.read("carnet.toml") + "expect = { may_fail = \"known\" }\n");
    env.carnet(&["check"]).assert_code(0);
    assert!(is_cached(&env), "an expected failure does not change the result");
}

fn cache_depends_on_passed_variables_without_containing_them() {
    let env = env("test -n \"$SECRET\"", "", "pass_env = [\"SECRET\"]");
    let check = |value: &str| {
        let status = env.carnet_command(&["check", "-q"]).env("SECRET", value).stdout(Stdio::null()).status();
        assert!(status.expect("it starts").success());
        is_cached(&env)
    };
    assert!(!check("hunter2hunter2"));
    assert!(check("hunter2hunter2"));
    assert!(!check("another-secret"));
    let results = cached_results(&env);
    assert_eq!(results.len(), 2);
    for path in results {
        let text = fs::read_to_string(&path).expect("a result");
        assert!(!["hunter2", "another-secret"].iter().any(|secret| text.contains(secret)), "{text}");
    }
}

fn cache_depends_on_the_address_of_the_daemon() {
    let host = daemon();
    let env = env("true", "", "");
    env.write("carnet.toml", env.read("carnet.toml").replace("\"embedded\"", "\"docker\""));
    let home = env.home();
    let check = |context: &str| {
        // The directory of a context has the digest of its name.
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
    assert!(!check("far"), "the context has another address");
}

fn cache_in_the_repository_is_not_part_of_the_analysis() {
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

fn cache_depends_on_the_limits_of_the_shell() {
    let env = env("test $(ulimit -n) = 2000", "", "");
    for (files, code) in [(1000, 1), (2000, 0)] {
        let script = format!("ulimit -Sn {files} && exec '{CARNET}' check -q");
        let mut shell = env.command("sh", &["-c", &script]);
        CommandOutput::new(&shell.output().expect("it starts")).assert_code(code);
        assert!(!is_cached(&env), "{files}");
    }
}

fn saved_setup_depends_on_passed_variables() {
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

fn results_that_depend_on_more_than_the_analysis_are_not_cached() {
    for (script, test, facility, code) in [
        ("true", "network = true", "", 0),
        ("true", "", "mounts = [\"/usr:/data\"]", 0),
        ("test -e seen && exit 0; touch seen; exit 1", "retries = 1", "", 0),
        ("sleep 20", "timeout = \"1s\"", "", 1),
        ("true", "setup = \"exit 3\"", "", 1),
    ] {
        let env = env(script, test, facility);
        env.carnet(&["check"]).assert_code(code);
        assert_eq!(cached_results(&env), Vec::<PathBuf>::new(), "{script} {test} {facility}");
        env.carnet(&["check"]).assert_code(code);
        assert!(!is_cached(&env), "{script} {test} {facility}");
    }
    let host = TestEnv::with_test("true");
    host.carnet(&["check"]).assert_code(0);
    host.carnet(&["check"]).assert_code(0);
    assert!(!is_cached(&host), "changes of this machine are not detected");
}

fn damaged_result_is_ignored_and_replaced() {
    let env = env("true", "", "");
    env.carnet(&["check"]).assert_code(0);
    for path in cached_results(&env) {
        fs::write(path, "garbage\n{").expect("written");
    }
    let output = env.carnet(&["check"]).assert_code(0);
    assert_snapshot!(redacted(&env, &output.stderr), @"
    checking 1 cell with `./t.sh`
      box: opening image
    note: ignored the cached result [ROOT]/cache/results/[ID]/[ID].json: invalid first line
      box: tests
      box: passed, 1 test ([TIME])
    reports written to carnet-out
    ");
    assert!(!is_cached(&env));
    env.carnet(&["check"]).assert_code(0);
    assert!(is_cached(&env));
}

fn clean_removes_results_only_with_all() {
    let env = env("true", "", "");
    env.carnet(&["check"]).assert_code(0);
    let output = env.carnet(&["clean"]).assert_code(0);
    assert_snapshot!(redacted(&env, &output.text()), @"");
    assert_eq!(cached_results(&env).len(), 1);
    let output = env.carnet(&["clean", "--all"]).assert_code(0);
    // The sizes depend on the file system.
    let lines: Vec<String> = redacted(&env, &output.text())
        .lines()
        .map(|line| {
            line.split_once(" (").filter(|(_, size)| size.ends_with("iB)")).map_or(line, |(removed, _)| removed)
        })
        .map(str::to_owned)
        .collect();
    assert_snapshot!(lines.join("\n"), @"
    removed [ROOT]/cache/trees
    removed [ROOT]/cache/results
    ");
    assert_eq!(cached_results(&env).len(), 0);
}

fn check_continues_after_an_interruption() {
    let env = env("if [ \"$PACE\" = slow ]; then sleep 300; fi", "", "");
    let second = "[[facility]]\nid = \"slow\"\nengine = \"embedded\"\npass_env = [\"PACE\"]\n";
    env.write(
        "carnet.toml",
        format!("{}{second}image = \"oci:{}\"\n", env.read("carnet.toml"), image("busybox").display()),
    );
    let check = |pace: &str| {
        let mut command = env.carnet_command(&["check", "-q", "--jobs=1"]);
        command.env("PACE", pace).stdout(Stdio::null()).spawn().expect("it starts")
    };
    let mut child = check("slow");
    let start = Instant::now();
    while cached_results(&env).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(240), "the first cell does not end");
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

fn repeated_check_gives_the_same_document() {
    // In an image, because a busy machine may not run all its Python interpreters within the time limit of the snapshot.
    let env = env("echo out; test -f t.sh; exit 1", "", "");
    env.carnet(&["check", "--fresh"]).assert_code(1);
    let first = without_timing(env.document());
    env.carnet(&["check", "--fresh"]).assert_code(1);
    assert_eq!(without_timing(env.document()), first);
}

crate::support::harness::register!(
    [Image("busybox")]:
    unchanged_check_takes_the_result_from_the_cache,
    reports_mark_cached_results,
    changed_analysis_and_fresh_check_run_again,
    failed_tests_are_cached_with_their_output,
    failure_because_of_a_full_disk_is_not_cached,
    image_without_a_working_shell_is_an_infrastructure_error,
    expected_failure_applies_to_cached_results,
    cache_depends_on_passed_variables_without_containing_them,
    cache_in_the_repository_is_not_part_of_the_analysis,
    cache_depends_on_the_limits_of_the_shell,
    saved_setup_depends_on_passed_variables,
    results_that_depend_on_more_than_the_analysis_are_not_cached,
    damaged_result_is_ignored_and_replaced,
    clean_removes_results_only_with_all,
    check_continues_after_an_interruption,
    repeated_check_gives_the_same_document,
);

crate::support::harness::register!(
    [Docker, Image("busybox")]:
    cache_depends_on_the_address_of_the_daemon,
);
