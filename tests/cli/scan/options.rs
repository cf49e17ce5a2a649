//! Options and configuration of `carnet scan`, and its output.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;

use insta::assert_snapshot;
use serde_json::Value;

use crate::scan::findings::{FLAGGED, FORMATS, paths, redacted, summary};
use crate::support::{CommandOutput, TestEnv};

/// An analysis with findings of severity error, warning and note.
fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write("a.sh", FLAGGED);
    env.write("b.py", "#!/opt/python/bin/python3\nprint(1)\n");
    env.write("requirements.txt", "numpy==2.1.0\nuproot>=5\n");
    env
}

/// The report without the duration of the scan.
fn without_timing(mut scan: Value) -> Value {
    scan.as_object_mut().expect("an object").remove("timing").expect("a duration");
    scan
}

/// Removes the start times of a JUnit report, which have a resolution of a second.
fn without_timestamps(text: &str) -> String {
    let mut parts = text.split(" timestamp=\"");
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once('"').expect("a closing quote").1);
    [first].into_iter().chain(rest).collect()
}

#[test]
fn scan_prints_or_writes_each_format_with_the_same_exit_code() {
    let env = env();
    let starts = ["", "{", "<?xml", "#", "{", "[", "::"];
    for (format, start) in FORMATS.iter().zip(starts) {
        let printed = env.carnet(&["scan", "--format", format]).assert_code(1).stdout;
        assert!(printed.starts_with(start) && printed.contains("a.sh"), "{format}: {printed}");
        env.carnet(&["scan", "--format", format, "--output", "../report"]).assert_code(1);
        if *format == "json" {
            let printed = serde_json::from_str(&printed).expect("JSON");
            assert_eq!(without_timing(env.read_json("../report")), without_timing(printed));
        } else {
            let comparable = |text: &str| without_timestamps(&redacted(&env, text));
            assert_eq!(comparable(&env.read("../report")), comparable(&printed), "{format}");
        }
    }
}

#[test]
fn scan_rejects_formats_of_other_reports() {
    let output = env().carnet(&["scan", "--format", "html"]).assert_code(2);
    assert_snapshot!(output.text(), @"
    error: invalid value 'html' for '--format <FORMAT>'
      [possible values: human, json, junit, markdown, sarif, gitlab, github]

    For more information, try '--help'.
    ");
}

#[test]
fn fail_on_sets_the_minimum_severity_for_exit_code_1() {
    let env = env();
    env.carnet(&["scan"]).assert_code(1);
    env.carnet(&["scan", "--fail-on", "never"]).assert_code(0);
    env.carnet(&["scan", "--select", "absolute-shebang"]).assert_code(0);
    env.carnet(&["scan", "--select", "absolute-shebang", "--fail-on", "warning"]).assert_code(1);
    TestEnv::new().carnet(&["scan", "--fail-on", "warning"]).assert_code(0);
}

#[test]
fn select_runs_only_the_given_rules() {
    let env = env();
    assert_snapshot!(summary(&env.scan(&["--select", "absolute-shebang"])), @"b.py:1: warning[absolute-shebang]");
    let output = env.carnet(&["scan", "--select", "absolute-shebangs"]).assert_code(2);
    assert_snapshot!(output.text(), @"
    error: unknown rule `absolute-shebangs`
     |
     = help: did you mean `absolute-shebang`? Run `carnet rules` to list all ids
    ");
}

#[test]
fn facility_limits_the_scan_to_known_facilities() {
    let env = env();
    let scan = env.scan(&["--facility", "cern-lxplus", "--facility", "desy-naf"]);
    assert_eq!(scan["facilities"], serde_json::json!(["cern-lxplus", "desy-naf"]));
    let output = env.carnet(&["scan", "--facility", "cern-lxplux"]).assert_code(2);
    assert_snapshot!(output.text(), @"
    error: unknown facility `cern-lxplux`
     |
     = help: did you mean `cern-lxplus`? Run `carnet facilities list` to list all ids
    ");
    let output = env.carnet(&["scan", "--facility", "zzz\u{1b}[2J"]).assert_code(2);
    assert_snapshot!(output.text(), @r"
    error: unknown facility `zzz\u{1b}[2J`
     |
     = help: run `carnet facilities list` to list all ids
    ");
}

#[test]
fn baseline_suppresses_findings_until_they_are_fixed() {
    let env = env();
    let output = env.carnet(&["scan", "--update-baseline"]).assert_code(0);
    assert_snapshot!(redacted(&env, &output.text()), @"wrote 5 findings to carnet-baseline.json (before: 0)");
    env.carnet(&["scan", "--fail-on", "warning"]).assert_code(0);
    let reported = |arguments: &[&str]| {
        let output = env.carnet(&[&["scan", "--format", "sarif"], arguments].concat()).assert_code(0);
        let log: Value = serde_json::from_str(&output.stdout).expect("JSON");
        log["runs"][0]["results"].as_array().map(Vec::len)
    };
    assert_eq!((reported(&[]), reported(&["--all"])), (Some(0), Some(5)));
    env.write("new.sh", FLAGGED);
    let output = env.carnet(&["scan", "--facility", "cern-lxplus", "--facility", "desy-naf"]).assert_code(1);
    assert_snapshot!(redacted(&env, &output.text()), @"
    error[home-path]: `/afs/cern.ch/user/j/jdoe/work` is in jdoe's directory; `/afs/cern.ch/user` exists at cern-lxplus
     --> new.sh:2:4
      |
    2 | cd /afs/cern.ch/user/j/jdoe/work
      |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: works at cern-lxplus
      = help: read it from an argument, a configuration file or an environment variable, and reference data by logical names or URLs

    1 error in 1 file
    5 suppressed: 5 by the baseline
    4 files scanned in [TIME]
    ");
    fs::remove_file(env.analysis().join("new.sh")).expect("removed");
    env.write("a.sh", "#!/bin/bash\n");
    assert_snapshot!(redacted(&env, &env.carnet(&["scan"]).assert_code(0).text()), @"
    warning[unused-ignore]: 1 entry does not match a finding
    --> carnet-baseline.json
     = help: remove unmatched entries with carnet scan --prune-baseline

    1 warning in 1 file
    4 suppressed: 4 by the baseline
    3 files scanned in [TIME]
    ");
    let output = env.carnet(&["scan", "--prune-baseline"]).assert_code(0);
    assert_snapshot!(redacted(&env, &output.text()), @"wrote 4 findings to carnet-baseline.json (before: 5)");
    assert_eq!(paths(&env.read_json("carnet-baseline.json")), ["b.py", "requirements.txt", "requirements.txt"]);
}

#[test]
fn scan_reports_missing_and_invalid_baselines() {
    let env = TestEnv::new();
    assert_snapshot!(redacted(&env, &env.carnet(&["scan", "--baseline", "gone.json"]).assert_code(0).text()), @"
    no findings
    0 files scanned in [TIME]
    ");
    env.write("wrong.json", "[");
    assert_snapshot!(redacted(&env, &env.carnet(&["scan", "--baseline", "wrong.json"]).assert_code(2).text()), @"
    error: invalid baseline `wrong.json`: invalid JSON: EOF while parsing a list at line 1 column 1
     |
     = help: create a new baseline with carnet scan --update-baseline
    ");
}

#[test]
fn ignore_comment_requires_a_reason() {
    let env = TestEnv::new();
    let program = |comment: &str| format!("#!/bin/bash\n# {comment}\ncd /afs/cern.ch/user/j/jdoe/work\n");
    env.write("b.sh", program("carnet: ignore[home-path, site-path] kept for the record"));
    let scan = env.scan(&[]);
    let findings = scan["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|finding| finding["rule"] == "home-path").expect("a finding");
    assert_eq!(finding["suppressed"]["reason"], "kept for the record");
    env.carnet(&["scan"]).assert_code(0);
    env.write("b.sh", program("carnet: ignore[home-path, site-path]"));
    let output = env.carnet(&["scan", "--facility", "cern-lxplus", "--facility", "desy-naf"]).assert_code(1);
    assert_snapshot!(redacted(&env, &output.text()), @"
    error[home-path]: `/afs/cern.ch/user/j/jdoe/work` is in jdoe's directory; `/afs/cern.ch/user` exists at cern-lxplus
     --> b.sh:3:4
      |
    3 | cd /afs/cern.ch/user/j/jdoe/work
      |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: works at cern-lxplus
      = help: read it from an argument, a configuration file or an environment variable, and reference data by logical names or URLs

    note[missing-tests]: repository has no tests
    --> the repository
     = help: add a test that processes a few events, or set `[test] run` in carnet.toml

    note: b.sh: line 2: `carnet: ignore` without a reason has no effect
    1 error, 1 note in 1 file
    1 file scanned in [TIME]
    ");
}

#[test]
fn scan_applies_the_configuration_and_reports_its_errors() {
    let env = env();
    env.write("carnet.toml", "[scan]\nexclude = [\"*.sh\"]\nselect = [\"absolute-shebang\"]\n");
    assert_eq!(paths(&env.scan(&[])), ["b.py"]);
    env.write("carnet.toml", "[scan]\nselect = [\"absolute-shebang\"]\nignore = [{ rule = \"absolute-shebangs\", path = \"*\", reason = \"x\" }]\n");
    assert_snapshot!(redacted(&env, &env.carnet(&["scan"]).assert_code(2).text()), @r#"
    error: unknown rule `absolute-shebangs`
     --> [ANALYSIS]/carnet.toml:3:20
      |
    3 | ignore = [{ rule = "absolute-shebangs", path = "*", reason = "x" }]
      |                    ^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `absolute-shebang`?
    "#);
}

#[test]
fn inventory_lists_declared_requirements() {
    let env = env();
    assert_snapshot!(redacted(&env, &env.carnet(&["scan", "--inventory"]).assert_code(0).text()), @"
    requirements.txt  (requirements, sha256:f1525bd090052bc27d25836d5b91b7f4e833775c62c374a9f97a7a56cec8fc92)
        numpy==2.1.0
        uproot>=5
    Binder builds from requirements.txt
    ");
    let output = env.carnet(&["scan", "--inventory", "--format", "json"]).assert_code(0);
    let inventory: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(inventory["requirements"].as_array().map(Vec::len), Some(2), "{inventory}");
    let env = TestEnv::new();
    assert_snapshot!(redacted(&env, &env.carnet(&["scan", "--inventory"]).assert_code(0).text()), @"no declared requirements, lock files or images");
}

#[test]
fn scan_is_deterministic_and_leaves_no_files() {
    let env = env();
    for n in 0..40 {
        env.write(&format!("d{}/f{n}.sh", n % 7), FLAGGED);
    }
    let before = env.files();
    let [one, two, five] = ["1", "2", "5"].map(|jobs| without_timing(env.scan(&["--jobs", jobs])));
    assert!(one == two && two == five, "{one}\n{two}\n{five}");
    assert_eq!(env.files(), before);
    assert!(!env.cache().exists());
}

#[test]
fn scan_requires_no_programs_home_or_network() {
    let env = env();
    let expected = env.carnet(&["scan"]).assert_code(1).stdout;
    let mut command = env.carnet_command(&["scan"]);
    command.env_clear().env("DOCKER_HOST", "tcp://127.0.0.1:1").env("https_proxy", "http://127.0.0.1:1");
    let output = CommandOutput::run(&mut command).assert_code(1);
    assert_eq!(redacted(&env, &output.stdout), redacted(&env, &expected));
}

#[test]
fn ci_formats_use_paths_relative_to_the_repository() {
    let env = TestEnv::new();
    env.git(&["init", "-q"]).assert_code(0);
    let file = env.write("inner/a.py", "X = '/eos/user/j/jane/x.root'\n");
    let inner = file.parent().and_then(|path| path.to_str()).expect("UTF-8");
    let arguments = ["scan", inner, "--format", "github", "--facility", "cern-lxplus", "--facility", "desy-naf"];
    let output = env.carnet(&arguments).assert_code(1);
    assert_snapshot!(redacted(&env, &output.text()), @"
    ::error file=inner/a.py,line=1,endLine=1,col=6,endColumn=29,title=carnet%3A home-path::`/eos/user/j/jane/x.root` is in jane's directory; `/eos/user` exists at cern-lxplus; not at 1 other. Breaks at desy-naf; works at cern-lxplus. Help: use `root://eosuser.cern.ch//eos/user/j/jane/x.root`, or read it from an argument, a configuration file or an environment variable.
    ::notice file=inner,line=1,title=carnet%3A missing-tests::Repository has no tests. Help: add a test that processes a few events, or set `[test] run` in carnet.toml.
    ");
    assert_eq!(paths(&env.scan(&[inner])), ["a.py"]);
}

#[test]
fn output_writes_to_a_named_pipe_without_replacing_it() {
    let env = env();
    let pipe = env.make_pipe("../pipe");
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).expect("UTF-8")
    });
    env.carnet(&["scan", "--format", "json", "--output", "../pipe"]).assert_code(1);
    assert!(pipe.metadata().expect("a file").file_type().is_fifo());
    let scan: Value = serde_json::from_str(&reader.join().expect("the reader")).expect("JSON");
    assert_eq!(scan["schema"], "carnet/scan@1");
}
