//! Options of `carnet scan`, and what it promises of itself.

use serde_json::Value;

use crate::audit::{FLAGGED, FORMATS, paths};
use crate::room::Room;

/// Findings of severity error, warning and note.
fn room() -> Room {
    let room = Room::new();
    room.write("a.sh", FLAGGED);
    room.write("b.py", "#!/opt/python/bin/python3\nprint(1)\n");
    room.write("requirements.txt", "numpy==2.1.0\nuproot>=5\n");
    room
}

/// A report without the line that says how long it took.
fn timeless(report: &str) -> Vec<&str> {
    report.lines().filter(|line| !line.contains(" scanned in ")).collect()
}

fn rules(scan: &Value) -> Vec<&str> {
    scan["findings"].as_array().into_iter().flatten().filter_map(|one| one["rule"].as_str()).collect()
}

#[test]
fn a_format_is_what_it_is_called_and_never_changes_the_code() {
    let room = room();
    let begins = ["", "{", "<?xml", "#", "{", "[", "::"];
    for (format, begin) in FORMATS.iter().zip(begins) {
        let said = room.run(&["scan", "--format", format]).expect(1);
        assert!(said.out.starts_with(begin) && said.out.contains("a.sh"), "{format}: {}", said.out);
        let file = room.top().join("../report");
        room.run(&["scan", "--format", format, "-o", file.to_str().expect("UTF-8")]).expect(1);
        if *format != "json" {
            let written = std::fs::read_to_string(file).expect("a report");
            assert_eq!(timeless(&written), timeless(&said.out), "{format}");
        }
    }
    room.run(&["scan", "--format", "html"]).expect(2);
}

#[test]
fn levels_decide_the_code() {
    let room = room();
    room.run(&["scan"]).expect(1);
    room.run(&["scan", "--fail-on", "never"]).expect(0);
    room.run(&["scan", "--select", "absolute-shebang"]).expect(0);
    room.run(&["scan", "--select", "absolute-shebang", "--fail-on", "warning"]).expect(1);
    Room::new().run(&["scan", "--fail-on", "warning"]).expect(0);
}

#[test]
fn selected_rules_run_alone() {
    let scan = room().scan(&["--select", "absolute-shebang"]);
    assert_eq!(rules(&scan), ["absolute-shebang"]);
    let said = room().run(&["scan", "--select", "absolute-shebangs"]).expect(2);
    assert!(said.err.contains("did you mean `absolute-shebang`?"), "{}", said.err);
}

#[test]
fn facilities_are_those_of_the_catalogue() {
    let scan = room().scan(&["--facility", "cern-lxplus", "--facility", "desy-naf"]);
    assert_eq!(scan["facilities"], serde_json::json!(["cern-lxplus", "desy-naf"]));
    let said = room().run(&["scan", "--facility", "cern-lxplux"]).expect(2);
    assert!(
        said.err.contains("no facility `cern-lxplux`") && said.err.contains("did you mean `cern-lxplus`?"),
        "{}",
        said.err
    );
    let said = room().run(&["scan", "--facility", "zzz\u{1b}[2J"]).expect(2);
    assert!(said.err.contains("carnet facilities list") && !said.err.contains('\u{1b}'), "{}", said.err);
}

#[test]
fn a_baseline_is_written_kept_and_pruned() {
    let room = room();
    room.run(&["scan", "--update-baseline"]).expect(0);
    room.run(&["scan", "--fail-on", "warning"]).expect(0);
    let shown = room.run(&["scan", "--format", "sarif"]).expect(0);
    assert!(!shown.out.contains("suppressions"), "{}", shown.out);
    let all = room.run(&["scan", "--format", "sarif", "--all"]).expect(0);
    assert!(all.out.contains("suppressions"), "{}", all.out);
    room.write("new.sh", FLAGGED);
    let said = room.run(&["scan"]).expect(1);
    assert!(said.out.contains("new.sh") && !said.out.contains("a.sh"), "{}", said.out);
    std::fs::remove_file(room.top().join("new.sh")).expect("removed");
    room.write("a.sh", "#!/bin/bash\n");
    let said = room.run(&["scan"]);
    assert!(said.out.contains("carnet-baseline.json"), "{}", said.out);
    room.run(&["scan", "--prune-baseline"]).expect(0);
    let text = std::fs::read_to_string(room.top().join("carnet-baseline.json")).expect("a baseline");
    assert!(!text.contains("a.sh") && text.contains("b.py"), "{text}");
    room.run(&["scan", "--baseline", "gone.json"]).expect(0);
    room.write("wrong.json", "[");
    let said = room.run(&["scan", "--baseline", "wrong.json"]).expect(2);
    assert!(said.err.contains("wrong.json"), "{}", said.err);
}

#[test]
fn comments_suppress_with_a_reason() {
    let room = Room::new();
    let program = |comment: &str| format!("#!/bin/bash\n# {comment}\ncd /afs/cern.ch/user/j/jdoe/work\n");
    room.write("b.sh", program("carnet: ignore[home-path, site-path] kept for the record"));
    let scan = room.scan(&[]);
    let found = scan["findings"].as_array().expect("findings");
    let home = found.iter().find(|one| one["rule"] == "home-path").expect("a finding");
    assert_eq!(home["suppressed"]["reason"], "kept for the record");
    room.run(&["scan"]).expect(0);
    room.write("b.sh", program("carnet: ignore[home-path, site-path]"));
    room.run(&["scan"]).expect(1);
}

#[test]
fn the_configuration_is_followed_and_its_mistakes_are_shown_at_their_line() {
    let room = room();
    room.write("carnet.toml", "[scan]\nexclude = [\"*.sh\"]\nselect = [\"absolute-shebang\"]\n");
    assert_eq!(paths(&room.scan(&[])), ["b.py"]);
    room.write("carnet.toml", "[scan]\nselect = [\"absolute-shebang\"]\nignore = [{ rule = \"absolute-shebangs\", path = \"*\", reason = \"x\" }]\n");
    let said = room.run(&["scan"]).expect(2);
    assert!(said.err.contains("absolute-shebangs") && said.err.contains("carnet.toml:3:"), "{}", said.err);
}

#[test]
fn the_inventory_is_text_or_json() {
    let room = room();
    let said = room.run(&["scan", "--inventory"]).expect(0);
    assert!(said.out.contains("requirements.txt") && said.out.contains("uproot"), "{}", said.out);
    let said = room.run(&["scan", "--inventory", "--format", "json"]).expect(0);
    let inventory: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(inventory["requirements"].as_array().map(Vec::len), Some(2));
    let empty = Room::new().run(&["scan", "--inventory"]).expect(0);
    assert!(empty.out.contains("nothing is declared"), "{}", empty.out);
}

#[test]
fn two_scans_are_equal_and_leave_nothing_behind() {
    let room = room();
    for n in 0..40 {
        room.write(&format!("d{}/f{n}.sh", n % 7), FLAGGED);
    }
    let before = room.content();
    let mut scans = ["1", "2", "5"].map(|jobs| room.scan(&["--jobs", jobs]));
    for scan in &mut scans {
        assert!(scan.as_object_mut().expect("an object").remove("timing").is_some());
    }
    assert!(scans[0] == scans[1] && scans[1] == scans[2]);
    assert_eq!(room.content(), before);
    assert!(room.leftovers().is_empty() && !room.top().join("../cache").exists());
}

/// With no program on the path, no home and no way to the network, the answer is the same.
#[test]
fn neither_an_engine_nor_the_network_is_needed() {
    let room = room();
    let expected = room.run(&["scan"]).expect(1).out;
    let mut command = room.command(&["scan"]);
    command.env_clear().env("DOCKER_HOST", "tcp://127.0.0.1:1").env("https_proxy", "http://127.0.0.1:1");
    let said = crate::room::Said::of(&command.output().expect("it starts")).expect(1);
    assert_eq!(timeless(&said.out), timeless(&expected));
}

#[test]
fn continuous_integration_is_told_paths_from_the_top_of_the_repository() {
    let room = Room::new();
    let git = |arguments: &[&str]| {
        let done = std::process::Command::new("git").arg("-C").arg(room.top()).args(arguments).output().expect("git");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "-q"]);
    room.write("inner/a.py", "X = '/eos/user/j/jane/x.root'\n");
    let inner = room.top().join("inner");
    let inner = inner.to_str().expect("a path");
    let said = room.run(&["scan", inner, "--format", "github"]).expect(1);
    assert!(said.out.contains("file=inner/a.py,"), "{}", said.out);
    let said = room.run(&["scan", inner, "--format", "json"]).expect(1);
    assert!(said.out.contains("\"path\": \"a.py\""), "{}", said.out);
}

#[test]
fn a_pipe_is_written_to_and_stays_a_pipe() {
    use std::os::unix::fs::FileTypeExt as _;
    let room = room();
    let pipe = room.top().join("../pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).expect("what is written")
    });
    room.run(&["scan", "--format", "json", "--output", pipe.to_str().expect("a path")]).expect(1);
    assert!(pipe.metadata().expect("it is there").file_type().is_fifo());
    assert!(reader.join().expect("the reader").contains("carnet/scan@1"));
}
