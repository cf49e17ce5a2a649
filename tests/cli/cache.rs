//! Results of cells that are kept: an unchanged check starts no cell.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use carnet::model::digest::Digest;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::room::{CARNET, Room, Said};

#[path = "../conformance/fixture.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod fixture;

/// The layout of the busybox image.
fn busybox() -> PathBuf {
    let images = std::env::var_os("CARNET_IMAGES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/images"), PathBuf::from);
    let path = images.join("busybox");
    assert!(path.join("index.json").exists(), "no image at {}: run `examples/images/build.sh busybox`", path.display());
    path
}

/// An analysis that runs `script` in busybox, with more lines for the facility, and the tests' directory of this machine.
pub(crate) fn room(script: &str, test: &str, facility: &str) -> Room {
    let room = Room::testing(script);
    let image = busybox();
    room.write(
        "carnet.toml",
        format!(
            "[test]\nrun = \"./t.sh\"\n{test}\n[[facility]]\nid = \"box\"\nimage = \"oci:{}\"\nengine = \"embedded\"\n{facility}\n",
            image.display()
        ),
    );
    room
}

fn cell(room: &Room) -> Value {
    room.document()["cells"][0].clone()
}

/// Whether the last check took the result from an earlier one.
fn is_cached(room: &Room) -> bool {
    cell(room)["cached"] == true
}

#[test]
fn an_unchanged_check_starts_no_cell() {
    let room = room("echo fine", "", "");
    let first = room.run(&["check"]).expect(0);
    assert!(first.err.contains("box: tests"), "{}", first.err);
    let (was, environments) = (cell(&room), room.document()["environments"].clone());
    let said = room.run(&["check"]).expect(0);
    // What a cell does is told; this one did nothing.
    assert!(!said.err.contains("box: tests") && said.err.contains("box: passed, 1 test (cached)"), "{}", said.err);
    assert!(said.out.contains("1 passed") && said.out.contains("cached"), "{}", said.out);
    let mut now = cell(&room);
    assert_eq!(now.as_object_mut().and_then(|cell| cell.remove("cached")), Some(Value::Bool(true)));
    assert!(now == was && room.document()["environments"] == environments, "the result is not whole:\n{now}\n{was}");
    let junit = fs::read_to_string(room.top().join("carnet-out/junit.xml")).expect("a report");
    assert!(junit.contains("<property name=\"cached\" value=\"true\"/>"), "{junit}");
    let summary = fs::read_to_string(room.top().join("carnet-out/summary.md")).expect("a report");
    assert!(summary.contains("| cached |"), "{summary}");
    assert_eq!(room.leftovers(), Vec::<PathBuf>::new());
}

#[test]
fn what_changed_runs_again_and_a_fresh_check_runs_everything() {
    let room = room("cat data", "", "");
    room.write("data", "1");
    room.run(&["check"]).expect(0);
    room.write("data", "2");
    room.run(&["check"]).expect(0);
    assert!(!is_cached(&room), "the tree is another");
    room.run(&["check"]).expect(0);
    assert!(is_cached(&room));
    room.run(&["check", "--fresh"]).expect(0);
    assert!(!is_cached(&room), "fresh");
    room.write("data", "1");
    room.run(&["check"]).expect(0);
    assert!(is_cached(&room), "the first tree is known still");
}

#[test]
fn a_failure_of_the_analysis_is_kept_with_its_output() {
    let room = room("echo the yield is wrong; exit 3", "", "");
    room.run(&["check"]).expect(1);
    room.run(&["check"]).expect(1);
    assert!(is_cached(&room));
    let output = &cell(&room)["steps"][0]["cases"][0]["output"]["text"];
    assert!(output.as_str().is_some_and(|text| text.contains("the yield is wrong")), "{output}");
}

#[test]
fn a_failure_that_is_kept_is_forgiven_by_the_configuration_of_today() {
    let room = room("exit 3", "", "");
    room.run(&["check"]).expect(1);
    let file = room.top().join("carnet.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    // It is no part of the tree that the tests depend on, but of the tree: so ignore it there.
    room.write(".gitignore", "carnet.toml\n");
    room.run(&["check"]).expect(1);
    fs::write(&file, format!("{text}expect = {{ may_fail = \"known\" }}\n")).expect("written");
    room.run(&["check"]).expect(0);
    assert!(is_cached(&room), "what is forgiven is no part of the result");
}

#[test]
fn variables_that_are_passed_on_count_by_their_values_and_are_not_written() {
    let room = room("test -n \"$SECRET\"", "", "pass_env = [\"SECRET\"]");
    let check = |value: &str| {
        let status = room.command(&["check", "-q"]).env("SECRET", value).stdout(Stdio::null()).status();
        assert!(status.expect("it starts").success());
        is_cached(&room)
    };
    assert!(!check("hunter2hunter2"));
    assert!(check("hunter2hunter2"));
    assert!(!check("another-secret"));
    let kept = kept(&room);
    assert_eq!(kept.len(), 2);
    for path in kept {
        let text = fs::read_to_string(&path).expect("an entry");
        assert!(!text.contains("hunter2") && !text.contains("another-secret"), "{text}");
    }
}

#[test]
fn a_result_of_another_daemon_is_another_one() {
    let Some(host) = fixture::daemon() else { return };
    let room = room("true", "", "");
    let file = room.top().join("carnet.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    fs::write(&file, text.replace("\"embedded\"", "\"docker\"")).expect("written");
    let home = room.top().parent().expect("a home").to_owned();
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
        Said::of(&room.command(&["check", "-q"]).env("DOCKER_CONTEXT", context).output().expect("it starts")).expect(0);
        is_cached(&room)
    };
    assert!(!check("near"));
    assert!(check("near"));
    assert!(!check("far"), "the variable DOCKER_HOST is not all that names a daemon");
}

#[test]
fn a_cache_within_the_checkout_is_no_part_of_the_analysis() {
    let room = room("! ls -A | grep cache", "", "");
    let check = || {
        let mut command = room.command(&["check", "-q"]);
        Said::of(&command.env("CARNET_CACHE", ".cache").output().expect("it starts")).expect(0);
        room.document()["analysis"]["tree"].clone()
    };
    let first = check();
    assert_eq!(check(), first);
    assert!(is_cached(&room));
}

#[test]
fn a_result_under_other_limits_of_the_shell_is_another_one() {
    let room = room("test $(ulimit -n) = 2000", "", "");
    for (files, code) in [(1000, 1), (2000, 0)] {
        let script = format!("ulimit -Sn {files} && exec '{CARNET}' check -q");
        let mut shell = room.other("sh", &["-c", &script]);
        Said::of(&shell.output().expect("it starts")).expect(code);
        assert!(!is_cached(&room), "{files}");
    }
}

#[test]
fn a_set_up_is_that_of_the_variables_it_was_given() {
    let room = room(
        "test \"$(cat /release)\" = \"$RELEASE\"",
        "setup = \"echo $RELEASE > /release\"",
        "pass_env = [\"RELEASE\"]",
    );
    for release in ["2024", "2025", "2024"] {
        let check = room.command(&["check", "-q"]).env("RELEASE", release).output().expect("it starts");
        Said::of(&check).expect(0);
    }
}

/// The entries of the cache.
fn kept(room: &Room) -> Vec<PathBuf> {
    let results = room.top().join("../cache/results");
    let questions = fs::read_dir(results).into_iter().flatten().flatten();
    questions.flat_map(|dir| fs::read_dir(dir.path()).into_iter().flatten().flatten()).map(|one| one.path()).collect()
}

#[test]
fn what_is_not_the_analysis_alone_is_never_kept() {
    for (script, test, facility, code) in [
        ("true", "network = true", "", 0),
        ("true", "", "mounts = [\"/usr:/data\"]", 0),
        ("test -e seen && exit 0; touch seen; exit 1", "retries = 1", "", 0),
        ("sleep 20", "timeout = \"1s\"", "", 1),
        ("true", "setup = \"exit 3\"", "", 1),
    ] {
        let room = room(script, test, facility);
        room.run(&["check"]).expect(code);
        assert_eq!(kept(&room), Vec::<PathBuf>::new(), "{script} {test} {facility}");
        room.run(&["check"]).expect(code);
        assert!(!is_cached(&room), "{script} {test} {facility}");
    }
    let host = Room::testing("true");
    host.run(&["check"]).expect(0);
    host.run(&["check"]).expect(0);
    assert!(!is_cached(&host), "this machine has no identity");
}

#[test]
fn a_damaged_entry_is_told_of_and_mended() {
    let room = room("true", "", "");
    room.run(&["check"]).expect(0);
    for path in kept(&room) {
        fs::write(path, "garbage\n{").expect("written");
    }
    let said = room.run(&["check"]).expect(0);
    assert!(said.err.contains("note: the kept result") && said.err.contains("is ignored"), "{}", said.err);
    assert!(!is_cached(&room));
    room.run(&["check"]).expect(0);
    assert!(is_cached(&room));
}

#[test]
fn clean_forgets_results_only_when_asked_for_all() {
    let room = room("true", "", "");
    room.run(&["check"]).expect(0);
    let said = room.run(&["clean"]).expect(0);
    assert!(!said.out.contains("results"), "{}", said.out);
    assert_eq!(kept(&room).len(), 1);
    let said = room.run(&["clean", "--all"]).expect(0);
    assert!(said.out.contains("cache/results"), "{}", said.out);
    assert_eq!(kept(&room).len(), 0);
}

#[test]
fn an_interrupted_check_goes_on_where_it_was() {
    let room = room("if [ \"$PACE\" = slow ]; then sleep 300; fi", "", "");
    let file = room.top().join("carnet.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    let second = "[[facility]]\nid = \"slow\"\nengine = \"embedded\"\npass_env = [\"PACE\"]\n";
    fs::write(&file, format!("{text}{second}image = \"oci:{}\"\n", busybox().display())).expect("written");
    let check = |pace: &str| {
        let mut command = room.command(&["check", "-q", "--jobs=1"]);
        command.env("PACE", pace).stdout(Stdio::null()).spawn().expect("it starts")
    };
    let mut child = check("slow");
    let start = Instant::now();
    while kept(&room).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(240), "the first cell never came to an end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = i32::try_from(child.id()).expect("an id");
    kill(Pid::from_raw(id), Signal::SIGTERM).expect("signalled");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    assert_eq!(room.document()["interrupted"], true);
    assert!(check("quick").wait().expect("an end").success());
    let document = room.document();
    assert_eq!((&document["cells"][0]["cached"], &document["cells"][0]["status"]), (&true.into(), &"passed".into()));
    assert_eq!((&document["cells"][1]["cached"], &document["cells"][1]["status"]), (&Value::Null, &"passed".into()));
}
