//! Options of `carnet scan`, and what it promises of itself.

use serde_json::Value;

use crate::scan::findings::{FLAGGED, FORMATS, paths};
use crate::support::{CommandOutput, TestEnv};

/// Findings of severity error, warning and note.
fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write("a.sh", FLAGGED);
    env.write("b.py", "#!/opt/python/bin/python3\nprint(1)\n");
    env.write("requirements.txt", "numpy==2.1.0\nuproot>=5\n");
    env
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
    let env = env();
    let begins = ["", "{", "<?xml", "#", "{", "[", "::"];
    for (format, begin) in FORMATS.iter().zip(begins) {
        let said = env.carnet(&["scan", "--format", format]).assert_code(1);
        assert!(said.stdout.starts_with(begin) && said.stdout.contains("a.sh"), "{format}: {}", said.stdout);
        let file = env.analysis().join("../report");
        env.carnet(&["scan", "--format", format, "-o", file.to_str().expect("UTF-8")]).assert_code(1);
        if *format != "json" {
            let written = std::fs::read_to_string(file).expect("a report");
            assert_eq!(timeless(&written), timeless(&said.stdout), "{format}");
        }
    }
    env.carnet(&["scan", "--format", "html"]).assert_code(2);
}

#[test]
fn levels_decide_the_code() {
    let env = env();
    env.carnet(&["scan"]).assert_code(1);
    env.carnet(&["scan", "--fail-on", "never"]).assert_code(0);
    env.carnet(&["scan", "--select", "absolute-shebang"]).assert_code(0);
    env.carnet(&["scan", "--select", "absolute-shebang", "--fail-on", "warning"]).assert_code(1);
    TestEnv::new().carnet(&["scan", "--fail-on", "warning"]).assert_code(0);
}

#[test]
fn selected_rules_run_alone() {
    let scan = env().scan(&["--select", "absolute-shebang"]);
    assert_eq!(rules(&scan), ["absolute-shebang"]);
    let said = env().carnet(&["scan", "--select", "absolute-shebangs"]).assert_code(2);
    assert!(said.stderr.contains("did you mean `absolute-shebang`?"), "{}", said.stderr);
}

#[test]
fn facilities_are_those_of_the_catalogue() {
    let scan = env().scan(&["--facility", "cern-lxplus", "--facility", "desy-naf"]);
    assert_eq!(scan["facilities"], serde_json::json!(["cern-lxplus", "desy-naf"]));
    let said = env().carnet(&["scan", "--facility", "cern-lxplux"]).assert_code(2);
    assert!(
        said.stderr.contains("no facility `cern-lxplux`") && said.stderr.contains("did you mean `cern-lxplus`?"),
        "{}",
        said.stderr
    );
    let said = env().carnet(&["scan", "--facility", "zzz\u{1b}[2J"]).assert_code(2);
    assert!(said.stderr.contains("carnet facilities list") && !said.stderr.contains('\u{1b}'), "{}", said.stderr);
}

#[test]
fn a_baseline_is_written_kept_and_pruned() {
    let env = env();
    env.carnet(&["scan", "--update-baseline"]).assert_code(0);
    env.carnet(&["scan", "--fail-on", "warning"]).assert_code(0);
    let shown = env.carnet(&["scan", "--format", "sarif"]).assert_code(0);
    assert!(!shown.stdout.contains("suppressions"), "{}", shown.stdout);
    let all = env.carnet(&["scan", "--format", "sarif", "--all"]).assert_code(0);
    assert!(all.stdout.contains("suppressions"), "{}", all.stdout);
    env.write("new.sh", FLAGGED);
    let said = env.carnet(&["scan"]).assert_code(1);
    assert!(said.stdout.contains("new.sh") && !said.stdout.contains("a.sh"), "{}", said.stdout);
    std::fs::remove_file(env.analysis().join("new.sh")).expect("removed");
    env.write("a.sh", "#!/bin/bash\n");
    let said = env.carnet(&["scan"]);
    assert!(said.stdout.contains("carnet-baseline.json"), "{}", said.stdout);
    env.carnet(&["scan", "--prune-baseline"]).assert_code(0);
    let text = std::fs::read_to_string(env.analysis().join("carnet-baseline.json")).expect("a baseline");
    assert!(!text.contains("a.sh") && text.contains("b.py"), "{text}");
    env.carnet(&["scan", "--baseline", "gone.json"]).assert_code(0);
    env.write("wrong.json", "[");
    let said = env.carnet(&["scan", "--baseline", "wrong.json"]).assert_code(2);
    assert!(said.stderr.contains("wrong.json"), "{}", said.stderr);
}

#[test]
fn comments_suppress_with_a_reason() {
    let env = TestEnv::new();
    let program = |comment: &str| format!("#!/bin/bash\n# {comment}\ncd /afs/cern.ch/user/j/jdoe/work\n");
    env.write("b.sh", program("carnet: ignore[home-path, site-path] kept for the record"));
    let scan = env.scan(&[]);
    let found = scan["findings"].as_array().expect("findings");
    let home = found.iter().find(|one| one["rule"] == "home-path").expect("a finding");
    assert_eq!(home["suppressed"]["reason"], "kept for the record");
    env.carnet(&["scan"]).assert_code(0);
    env.write("b.sh", program("carnet: ignore[home-path, site-path]"));
    env.carnet(&["scan"]).assert_code(1);
}

#[test]
fn the_configuration_is_followed_and_its_mistakes_are_shown_at_their_line() {
    let env = env();
    env.write("carnet.toml", "[scan]\nexclude = [\"*.sh\"]\nselect = [\"absolute-shebang\"]\n");
    assert_eq!(paths(&env.scan(&[])), ["b.py"]);
    env.write("carnet.toml", "[scan]\nselect = [\"absolute-shebang\"]\nignore = [{ rule = \"absolute-shebangs\", path = \"*\", reason = \"x\" }]\n");
    let said = env.carnet(&["scan"]).assert_code(2);
    assert!(said.stderr.contains("absolute-shebangs") && said.stderr.contains("carnet.toml:3:"), "{}", said.stderr);
}

#[test]
fn the_inventory_is_text_or_json() {
    let env = env();
    let said = env.carnet(&["scan", "--inventory"]).assert_code(0);
    assert!(said.stdout.contains("requirements.txt") && said.stdout.contains("uproot"), "{}", said.stdout);
    let said = env.carnet(&["scan", "--inventory", "--format", "json"]).assert_code(0);
    let inventory: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(inventory["requirements"].as_array().map(Vec::len), Some(2));
    let empty = TestEnv::new().carnet(&["scan", "--inventory"]).assert_code(0);
    assert!(empty.stdout.contains("nothing is declared"), "{}", empty.stdout);
}

#[test]
fn two_scans_are_equal_and_leave_nothing_behind() {
    let env = env();
    for n in 0..40 {
        env.write(&format!("d{}/f{n}.sh", n % 7), FLAGGED);
    }
    let before = env.files();
    let mut scans = ["1", "2", "5"].map(|jobs| env.scan(&["--jobs", jobs]));
    for scan in &mut scans {
        assert!(scan.as_object_mut().expect("an object").remove("timing").is_some());
    }
    assert!(scans[0] == scans[1] && scans[1] == scans[2]);
    assert_eq!(env.files(), before);
    assert!(env.cache_leftovers().is_empty() && !env.analysis().join("../cache").exists());
}

/// With no program on the path, no home and no way to the network, the answer is the same.
#[test]
fn neither_an_engine_nor_the_network_is_needed() {
    let env = env();
    let expected = env.carnet(&["scan"]).assert_code(1).stdout;
    let mut command = env.carnet_command(&["scan"]);
    command.env_clear().env("DOCKER_HOST", "tcp://127.0.0.1:1").env("https_proxy", "http://127.0.0.1:1");
    let said = CommandOutput::new(&command.output().expect("it starts")).assert_code(1);
    assert_eq!(timeless(&said.stdout), timeless(&expected));
}

#[test]
fn continuous_integration_is_told_paths_from_the_top_of_the_repository() {
    let env = TestEnv::new();
    let git = |arguments: &[&str]| {
        let done =
            std::process::Command::new("git").arg("-C").arg(env.analysis()).args(arguments).output().expect("git");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "-q"]);
    env.write("inner/a.py", "X = '/eos/user/j/jane/x.root'\n");
    let inner = env.analysis().join("inner");
    let inner = inner.to_str().expect("a path");
    let said = env.carnet(&["scan", inner, "--format", "github"]).assert_code(1);
    assert!(said.stdout.contains("file=inner/a.py,"), "{}", said.stdout);
    let said = env.carnet(&["scan", inner, "--format", "json"]).assert_code(1);
    assert!(said.stdout.contains("\"path\": \"a.py\""), "{}", said.stdout);
}

#[test]
fn a_pipe_is_written_to_and_stays_a_pipe() {
    use std::os::unix::fs::FileTypeExt as _;
    let env = env();
    let pipe = env.analysis().join("../pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).expect("what is written")
    });
    env.carnet(&["scan", "--format", "json", "--output", pipe.to_str().expect("a path")]).assert_code(1);
    assert!(pipe.metadata().expect("it is there").file_type().is_fifo());
    assert!(reader.join().expect("the reader").contains("carnet/scan@1"));
}
