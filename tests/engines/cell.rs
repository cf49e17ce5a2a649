//! `carnet cell --plan FILE`, as an engine starts it, with commands that end in every way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use carnet::model::cell::{CellResult, End, Outcome, Step};
use carnet::model::plan::{self, CellPlan, Phase, TestCommand, TestKind};

/// An analysis and the place its cell runs in.
struct Place {
    dir: tempfile::TempDir,
    plan: CellPlan,
}

impl Place {
    /// An analysis with these files; `.sh` files can be executed.
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name).to_str().expect("plain").to_owned();
        let plan = CellPlan {
            schema: plan::SCHEMA.to_owned(),
            cell: "here".to_owned(),
            phase: Phase::Test,
            source: at("source"),
            work: at("work"),
            workdir: ".".to_owned(),
            result: at("result.json"),
            prelude: None,
            setup: None,
            tests: Vec::new(),
            timeout: 60,
            retries: 0,
            network: true,
            cut_network: false,
            outputs: Vec::new(),
            inputs: Vec::new(),
            output_cap: 100_000,
            allow_env: Vec::new(),
            own_env: std::collections::BTreeMap::new(),
        };
        fs::create_dir(dir.path().join("source")).expect("made");
        for (name, text) in files {
            let path = dir.path().join("source").join(name);
            fs::create_dir_all(path.parent().expect("below source")).expect("made");
            fs::write(&path, text).expect("written");
            if name.ends_with(".sh") {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
            }
        }
        Self { dir, plan }
    }

    fn with(mut self, kind: TestKind, run: &str) -> Self {
        let name = format!("step {}", self.plan.tests.len() + 1);
        self.plan.tests.push(TestCommand { name, kind, run: run.to_owned() });
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self) -> Command {
        let plan = self.path("plan.json");
        fs::write(&plan, serde_json::to_vec(&self.plan).expect("is JSON")).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_carnet"));
        // The snapshot asks every Python it finds: fewer on a short path.
        command.args(["cell", "--plan"]).arg(plan).env("PATH", "/usr/bin:/bin");
        command
    }

    fn result(&self) -> CellResult {
        serde_json::from_slice(&fs::read(&self.plan.result).expect("was written")).expect("is a result")
    }

    fn run(&self) -> CellResult {
        let output = self.command().output().expect("starts");
        let result = self.result();
        let good = result.trouble.is_none() && result.steps.iter().all(|step| step.end.is_success());
        assert_eq!(output.status.success(), good, "{}", String::from_utf8_lossy(&output.stderr));
        result
    }
}

fn one(kind: TestKind, run: &str) -> Step {
    let mut result = Place::new(&[]).with(kind, run).run();
    assert_eq!(result.trouble, None);
    result.steps.remove(0)
}

/// Whether a live process has this word in its arguments.
fn runs(word: &str) -> bool {
    let words = |entry: fs::DirEntry| fs::read(entry.path().join("cmdline")).unwrap_or_default();
    let mut lines = fs::read_dir("/proc").expect("is mounted").flatten().map(words);
    lines.any(|line| line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes()))
}

/// The text with the numbers that mark processes made those of this run: the same tests may run beside.
fn unique(text: &str) -> String {
    let own = format!("{:07}", std::process::id());
    (4711..=4714).fold(text.to_owned(), |text, number| text.replace(&format!("{number}."), &format!("{number}.{own}")))
}

fn an_exit_code_is_the_commands_own() {
    let step = one(TestKind::Command, "false\necho said; exit 3");
    assert_eq!(step.end, End::Exit { code: 3 });
    assert_eq!(step.output.expect("kept").text, "said\n");
    let case = &step.cases[0];
    assert_eq!((case.outcome, case.message.as_str()), (Outcome::Failed, "exit code 3"));
    // A fresh shell: neither -e nor -u.
    assert_eq!(one(TestKind::Script, "false; : $NOT_SET_ANYWHERE").end, End::Exit { code: 0 });
}

fn a_signal_is_seen_and_is_no_verdict_of_the_test() {
    for signal in [11, 40] {
        let step = one(TestKind::Script, &format!("kill -{signal} $$"));
        assert_eq!(step.end, End::Signal { signal });
        assert_eq!(step.cases[0].outcome, Outcome::Errored);
    }
}

fn a_time_out_ends_everything_that_was_started() {
    let mut place = Place::new(&[]).with(
        TestKind::Script,
        &unique(
            "trap '' TERM; setsid sh -c 'trap \"\" TERM; (sleep 4711.25 & sleep 4711.5 & wait) & wait' & sleep 4711.75",
        ),
    );
    place.plan.timeout = 1;
    let started = Instant::now();
    let step = place.run().steps.remove(0);
    assert_eq!(step.end, End::Timeout { seconds: 1 });
    assert_eq!(step.cases[0].message, "killed: ran longer than 1 s");
    assert!(started.elapsed() < Duration::from_secs(30));
    for word in ["4711.25", "4711.5", "4711.75"] {
        assert!(!runs(&unique(word)), "{word} is still there");
    }
}

fn what_is_left_in_the_background_is_killed_and_named() {
    let step =
        one(TestKind::Script, &unique("setsid sleep 4712.25 & until grep -q sleep /proc/$!/comm; do :; done; exit 1"));
    assert_eq!(step.end, End::Exit { code: 1 });
    assert!(step.output.expect("kept").text.contains("[carnet: killed what the command left running: sleep]"));
    assert!(!runs(&unique("4712.25")));
    assert!(one(TestKind::Script, &unique("setsid sleep 4712.5 & exit 0")).timing.seconds < 20.0);
    assert!(!runs(&unique("4712.5")));
}

fn a_storm_of_forks_is_survived() {
    let storm = unique(
        "i=0; while [ $i -lt 30 ]; do (trap '' TERM; while :; do sh -c :; sh -c ': 4713.25'; done) & i=$((i+1)); done; wait",
    );
    let mut place = Place::new(&[]).with(TestKind::Script, &storm);
    place.plan.timeout = 1;
    let step = place.run().steps.remove(0);
    assert_eq!(step.end, End::Timeout { seconds: 1 });
    assert!(!runs(&storm) && !runs(&unique(": 4713.25")));
}

fn much_output_is_read_to_its_end_and_kept_within_the_cap() {
    let step = one(TestKind::Unittest, "head -c 100000000 /dev/zero | tr '\\0' 'x'; echo end; exit 1");
    let output = step.output.expect("kept");
    assert_eq!(output.dropped, 100_000_004 - 100_000);
    assert!(output.text.len() < 101_000 && output.text.ends_with("end\n"));
    assert!(step.cases[0].output.as_ref().expect("kept").text.len() < 66_000);
}

fn bytes_that_are_no_text_do_not_break_the_result() {
    let step = one(TestKind::Command, r"printf 'a\377b ]]> \033[31m \000 é\n'; exit 1");
    assert_eq!(step.output.expect("kept").text, "a\u{fffd}b ]]> \u{1b}[31m \0 é\n");
}

fn bash_lines_before_a_command_run_in_its_shell() {
    let mut place = Place::new(&[("env.sh", "export CHANNEL=mumu\n")])
        .with(TestKind::Command, "test \"$CHANNEL\" = mumu && test $0 = /bin/bash && [[ $FIT == on ]]");
    place.plan.prelude = Some("source ./env.sh\nFIT=on".to_owned());
    assert_eq!(place.run().steps[0].end, End::Exit { code: 0 });
}

fn the_set_up_is_saved_for_the_tests_and_the_source_stays_as_it_is() {
    let mut place =
        Place::new(&[("data/in.txt", "1"), ("sub/x", "")]).with(TestKind::Script, "cat ../made > ../out/y.json");
    place.plan.phase = Phase::Setup;
    place.plan.setup = Some("mkdir out; echo made > made".to_owned());
    assert_eq!(place.run().steps[0].name, "setup");
    place.plan.phase = Phase::Test;
    place.plan.workdir = "sub".to_owned();
    place.plan.inputs = vec!["data/*.txt".to_owned()];
    place.plan.outputs = vec!["out".to_owned(), "none.root".to_owned()];
    let result = place.run();
    assert_eq!(result.steps[0].cases[0].outcome, Outcome::Passed, "{:?}", result.steps);
    assert_eq!((result.inputs[0].path.as_str(), result.inputs[0].bytes), ("data/in.txt", 1));
    assert_eq!(result.outputs[0].digest.reason(), Some("not there"));
    assert_eq!((result.outputs[1].path.as_str(), result.outputs[1].bytes), ("out/y.json", 5));
    assert_eq!(fs::read_dir(place.path("source")).expect("there").count(), 2);
}

/// A program that does as pytest does: writes the report that `PYTEST_ADDOPTS` asks for.
const FAKE_PYTEST: &str = r#"#!/bin/sh
eval "set -- $PYTEST_ADDOPTS"
for option; do
    case $option in --junitxml=*) cp "$REPORT" "${option#--junitxml=}" ;; esac
done
"#;

fn fake_pytest(report: &str, run: &str) -> Place {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/suite/recorded").join(report);
    let mut place = Place::new(&[("pytest.sh", FAKE_PYTEST), ("tests/test_outcomes.py", "")]);
    fs::copy(recorded, place.path("source/report.xml")).expect("copied");
    place.plan.prelude = Some("export REPORT=report.xml".to_owned());
    place.with(TestKind::Pytest, run)
}

fn pytest_is_read_case_by_case() {
    let step = fake_pytest("pytest-8-xunit1.xml", "./pytest.sh; exit 1").run().steps.remove(0);
    let count = |outcome| step.cases.iter().filter(|case| case.outcome == outcome).count();
    assert_eq!([Outcome::Passed, Outcome::Skipped, Outcome::Failed, Outcome::Errored].map(count), [10, 3, 3, 4]);
    assert_eq!(step.unread, None);
    let case = step.cases.iter().find(|case| case.name == "test_fail").expect("was run");
    assert_eq!((case.file.as_deref(), case.line), (Some("tests/test_outcomes.py"), Some(24)));
    assert_eq!(case.message, "AssertionError: cut flow: 12 < 20 & rising");
    let broken = &step.cases[0];
    assert_eq!(broken.message, "collection failure: ModuleNotFoundError: No module named 'not_a_module_anywhere'");
    assert_eq!((broken.class.as_str(), broken.file.as_deref()), ("step 1", None));
}

fn an_exit_code_without_a_failed_case_is_not_green() {
    let place = fake_pytest("pytest-8-xunit1.xml", "sed -i 's/<failure.*//' report.xml; exit 1");
    let step = place.run().steps.remove(0);
    assert_eq!(step.cases.len(), 1);
    assert_eq!((step.cases[0].outcome, step.cases[0].message.as_str()), (Outcome::Errored, "exit code 1"));
    assert!(step.unread.expect("said").contains("no JUnit file"));
}

fn a_report_cut_short_by_a_crash_gives_what_it_has_and_the_crash() {
    let run = "head -c 5000 report.xml > cut.xml; REPORT=cut.xml ./pytest.sh; kill -SEGV $$";
    let step = fake_pytest("pytest-8-xunit1.xml", run).run().steps.remove(0);
    assert!(step.cases.iter().any(|case| case.name == "test_pass" && case.outcome == Outcome::Passed));
    let last = step.cases.last().expect("some");
    assert_eq!((last.name.as_str(), last.outcome), ("step 1", Outcome::Errored));
    assert_eq!(last.message, "killed by signal 11 (SIGSEGV)");
    assert!(step.unread.expect("said").contains("JUnit file"));
}

fn an_image_without_pytest_is_told_from_a_failed_test() {
    for run in ["pytest_that_is_not_there -q", "echo '/usr/bin/python3: No module named pytest'; exit 1"] {
        let step = one(TestKind::Pytest, run);
        assert_eq!(step.cases[0].outcome, Outcome::Errored);
        assert!(step.cases[0].message.starts_with("pytest is not in this environment"), "{:?}", step.cases);
    }
    assert_eq!(one(TestKind::Pytest, "exit 5").cases[0].message, "pytest collected no tests");
}

fn a_report_that_is_a_link_or_a_pipe_is_not_read() {
    for make in ["ln -s /etc/passwd", "mkfifo"] {
        let run = format!("f=${{PYTEST_ADDOPTS#*--junitxml=\\'}}; {make} \"${{f%%\\'*}}\"; exit 1");
        let step = one(TestKind::Pytest, &run);
        assert!(step.unread.expect("said").starts_with("the JUnit file can't be read"), "{make}");
        assert_eq!(step.cases.len(), 1);
    }
}

fn unittest_is_read_from_its_output() {
    for version in ["3.8", "3.11", "3.13"] {
        let recorded = format!("{}/tests/data/suite/recorded/unittest-{version}.txt", env!("CARGO_MANIFEST_DIR"));
        let step = one(TestKind::Unittest, &format!("cat '{recorded}'; exit 1"));
        let mut shown: Vec<String> = step
            .cases
            .iter()
            .map(|case| format!("{:?} {} {} {}", case.outcome, case.class, case.name, case.message))
            .collect();
        shown.sort();
        insta::assert_snapshot!("unittest_cases", shown.join("\n"));
        assert_eq!(step.unread, None);
    }
}

fn ctest_is_read_from_its_file_and_its_table() {
    let recorded = format!("{}/tests/data/suite/recorded", env!("CARGO_MANIFEST_DIR"));
    // Not through the shell function that adds the option, as before CMake 3.21.
    let table = one(TestKind::Ctest, &format!("cat '{recorded}/ctest-3.25.txt'; exit 8"));
    let fake = format!(
        "#!/bin/sh\ncase $1 in --help) echo ' --output-junit' ;; *) cp '{recorded}/ctest-3.25.xml' \"$2\"; cat '{recorded}/ctest-3.25.txt'; exit 8 ;; esac\n"
    );
    let place = Place::new(&[("ctest", &fake)]).with(TestKind::Ctest, "chmod +x ctest; PATH=.:$PATH; ctest -j 2");
    let both = place.run().steps.remove(0);
    let shown = |step: &Step| step.cases.iter().map(|case| (case.name.clone(), case.outcome)).collect::<Vec<_>>();
    assert_eq!(shown(&table), shown(&both));
    let said =
        |name: &str| both.cases.iter().find(|case| case.name == name).map(|case| (case.outcome, case.message.as_str()));
    assert_eq!(said("missing"), Some((Outcome::Errored, "Unable to find executable")));
    assert_eq!(said("crash"), Some((Outcome::Errored, "Exception: SegFault")));
    assert_eq!(both.cases.len(), 8);
}

fn a_root_macro_that_prints_an_error_fails_although_it_exits_with_0() {
    let step = one(TestKind::RootMacro, "echo 'Processing fit.C...'; echo 'Error in <TFile::TFile>: no such file' >&2");
    assert_eq!((step.end, step.cases[0].outcome), (End::Exit { code: 0 }, Outcome::Failed));
    assert_eq!(step.cases[0].message, "Error in <TFile::TFile>: no such file");
    assert!(step.output.is_some() && step.cases[0].output.is_some());
    assert_eq!(one(TestKind::RootMacro, "echo fine").cases[0].outcome, Outcome::Passed);
}

fn a_test_that_passes_only_when_tried_again_is_flaky() {
    let run = "test -e again || { touch again; echo first; exit 1; }";
    let mut place = Place::new(&[]).with(TestKind::Script, run);
    assert_eq!(place.run().steps[0].attempts, 1);
    fs::remove_dir_all(&place.plan.work).expect("removed");
    place.plan.retries = 3;
    let step = place.run().steps.remove(0);
    assert_eq!((step.attempts, step.end), (2, End::Exit { code: 0 }));
    let case = &step.cases[0];
    assert_eq!((case.outcome, case.message.as_str()), (Outcome::Flaky, "attempt 1: exit code 1"));
    assert_eq!(case.output.as_ref().expect("kept").text, "first\n");
}

fn a_test_that_says_it_found_no_network_is_told_what_to_do() {
    let mut place = Place::new(&[])
        .with(TestKind::Script, "echo 'curl: (6) Could not resolve host: example.org'; exit 6")
        .with(TestKind::Script, "exit 1");
    assert!(!place.run().steps[0].cases[0].tried_network, "the network is there");
    place.plan.network = false;
    let result = place.run();
    let case = &result.steps[0].cases[0];
    assert!(case.tried_network, "{}", case.message);
    assert_eq!(result.not_enforced, Vec::<String>::new());
}

fn a_network_that_is_to_be_cut_is_gone_or_said_to_be_there() {
    let mut place = Place::new(&[]).with(TestKind::Script, "cut -d: -f1 -s /proc/net/dev | tr -d ' \\n'; exit 1");
    place.plan.network = false;
    place.plan.cut_network = true;
    let result = place.run();
    if result.not_enforced.is_empty() {
        let seen = result.steps[0].output.as_ref().expect("kept").text.clone();
        assert!(seen.ends_with("lo") && !seen.contains("eth"), "{seen}");
    } else {
        assert!(result.not_enforced[0].starts_with("network not cut: "), "{:?}", result.not_enforced);
    }
}

/// Takes every `timing` away.
fn drop_timing(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            map.remove("timing");
            map.values_mut().for_each(drop_timing);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(drop_timing),
        _ => {}
    }
}

/// Compares line by line, so that a failure shows where.
fn assert_same_lines(first: &str, second: &str) {
    for (first, second) in first.lines().zip(second.lines()) {
        assert_eq!(first, second);
    }
    assert_eq!(first.lines().count(), second.lines().count());
}

fn the_same_cell_twice_gives_the_same_bytes_apart_from_timing() {
    let text = |place: &Place| {
        let _ = fs::remove_dir_all(&place.plan.work);
        let mut value = serde_json::to_value(place.run()).expect("is JSON");
        drop_timing(&mut value);
        serde_json::to_string_pretty(&value).expect("is JSON")
    };
    let mut place = fake_pytest("pytest-9-xunit1.xml", "echo $PYTEST_ADDOPTS; ./pytest.sh; exit 1");
    place = place.with(TestKind::Script, "echo b > b; echo a > a; exit 2");
    place.plan.outputs = vec!["?".to_owned(), "tests".to_owned()];
    assert_same_lines(&text(&place), &text(&place));
}

fn what_goes_wrong_with_the_place_is_written_as_trouble() {
    let mut place = Place::new(&[]).with(TestKind::Script, "true");
    place.plan.workdir = "not/there".to_owned();
    let result = place.run();
    let reason = format!("the working directory {}/not/there is not there", place.plan.work);
    assert_eq!(result.steps[0].end, End::NotStarted { reason });
    assert_eq!(result.steps[0].cases[0].outcome, Outcome::Errored);
    fs::remove_dir_all(&place.plan.work).expect("removed");
    fs::remove_dir_all(&place.plan.source).expect("removed");
    let trouble = place.run().trouble.expect("said");
    assert!(trouble.starts_with("copying ``") || trouble.contains("copying"), "{trouble}");
}

fn being_asked_to_end_keeps_what_was_learned() {
    let place = Place::new(&[])
        .with(TestKind::Script, "true")
        .with(TestKind::Script, &unique("touch ready; sleep 4714.25"))
        .with(TestKind::Script, "true");
    let mut cell = place.command().spawn().expect("starts");
    while !place.path("work/ready").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(cell.id()).expect("small"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("sent");
    cell.wait().expect("ends");
    let result = place.result();
    assert_eq!(result.trouble.as_deref(), Some("interrupted by signal 15"));
    assert_eq!(result.steps.len(), 2);
    assert_eq!(result.steps[0].cases[0].outcome, Outcome::Passed);
    assert!(!runs(&unique("4714.25")));
}

fn a_plan_of_another_format_is_refused() {
    let place = Place::new(&[]);
    let mut command = place.command();
    fs::write(place.path("plan.json"), r#"{"schema":"carnet/plan@2","more":1}"#).expect("written");
    let output = command.output().expect("starts");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("its schema is `carnet/plan@2`"));
    assert!(!place.path("result.json").exists());
}

crate::support::harness::register!(
    []:
    an_exit_code_is_the_commands_own,
    a_signal_is_seen_and_is_no_verdict_of_the_test,
    a_time_out_ends_everything_that_was_started,
    what_is_left_in_the_background_is_killed_and_named,
    a_storm_of_forks_is_survived,
    much_output_is_read_to_its_end_and_kept_within_the_cap,
    bytes_that_are_no_text_do_not_break_the_result,
    bash_lines_before_a_command_run_in_its_shell,
    the_set_up_is_saved_for_the_tests_and_the_source_stays_as_it_is,
    pytest_is_read_case_by_case,
    an_exit_code_without_a_failed_case_is_not_green,
    a_report_cut_short_by_a_crash_gives_what_it_has_and_the_crash,
    an_image_without_pytest_is_told_from_a_failed_test,
    a_report_that_is_a_link_or_a_pipe_is_not_read,
    unittest_is_read_from_its_output,
    ctest_is_read_from_its_file_and_its_table,
    a_root_macro_that_prints_an_error_fails_although_it_exits_with_0,
    a_test_that_passes_only_when_tried_again_is_flaky,
    a_test_that_says_it_found_no_network_is_told_what_to_do,
    a_network_that_is_to_be_cut_is_gone_or_said_to_be_there,
    the_same_cell_twice_gives_the_same_bytes_apart_from_timing,
    what_goes_wrong_with_the_place_is_written_as_trouble,
    being_asked_to_end_keeps_what_was_learned,
    a_plan_of_another_format_is_refused,
);
