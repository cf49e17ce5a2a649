//! `carnet cell --plan FILE`, as engines start it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use carnet::model::cell::{CellResult, End, Outcome, Step};
use carnet::model::plan::{self, CellPlan, Phase, TestCommand, TestKind};
use insta::assert_snapshot;

use crate::leftovers::processes;
use crate::redact::without_timing;
use crate::support::{CARNET, CommandOutput, repository};

/// The entry of a cell without a launcher.
const NOT_PROTECTED: &str = "result not protected: tests run in the process namespace of carnet and can stop it";

/// An analysis and the directory in which its cell runs.
struct CellEnv {
    dir: tempfile::TempDir,
    plan: CellPlan,
}

impl CellEnv {
    /// An analysis with these files. `.sh` files are executable.
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
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
        fs::create_dir(dir.path().join("source")).expect("a directory");
        for (name, text) in files {
            let path = dir.path().join("source").join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(&path, text).expect("a file");
            if name.ends_with(".sh") {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
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
        fs::write(&plan, serde_json::to_vec(&self.plan).expect("JSON")).expect("a file");
        let mut command = Command::new(CARNET);
        // The snapshot starts every Python on the path.
        command.args(["cell", "--plan"]).arg(plan).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        command
    }

    fn result(&self) -> CellResult {
        serde_json::from_slice(&fs::read(&self.plan.result).expect("a result file")).expect("a result")
    }

    fn run(&self) -> CellResult {
        let output = CommandOutput::run(&mut self.command());
        let result = self.result();
        let is_success = result.trouble.is_none() && result.steps.iter().all(|step| step.end.is_success());
        assert_eq!(output.code == 0, is_success, "{}", output.stderr);
        result
    }
}

/// Runs one command in an empty analysis.
fn one(kind: TestKind, run: &str) -> Step {
    let mut result = CellEnv::new(&[]).with(kind, run).run();
    assert_eq!(result.trouble, None);
    result.steps.remove(0)
}

/// A duration for `sleep` that is unique to this run of the tests, so that its process can be found.
fn unique_duration(number: u32) -> String {
    format!("4711.{:07}{number}", std::process::id())
}

fn exit_code_of_the_command_is_recorded() {
    let step = one(TestKind::Command, "false\necho printed; exit 3");
    assert_eq!(step.end, End::Exit { code: 3 });
    assert_eq!(step.output.expect("output").text, "printed\n");
    let case = &step.cases[0];
    assert_eq!((case.outcome, case.message.as_str()), (Outcome::Failed, "exit code 3"));
    // The shell has neither -e nor -u.
    assert_eq!(one(TestKind::Script, "false; : $NOT_SET_ANYWHERE").end, End::Exit { code: 0 });
}

fn signal_is_an_error_instead_of_a_failure() {
    for signal in [11, 40] {
        let step = one(TestKind::Script, &format!("kill -{signal} $$"));
        assert_eq!(step.end, End::Signal { signal });
        assert_eq!(step.cases[0].outcome, Outcome::Errored);
    }
}

fn time_limit_kills_all_descendants() {
    let sleep = unique_duration(1);
    let script = format!(
        "trap '' TERM; setsid sh -c 'trap \"\" TERM; (sleep {sleep} & sleep {sleep} & wait) & wait' & sleep {sleep}"
    );
    let mut env = CellEnv::new(&[]).with(TestKind::Script, &script);
    env.plan.timeout = 1;
    let step = env.run().steps.remove(0);
    assert_eq!(step.end, End::Timeout { seconds: 1 });
    assert_eq!(step.cases[0].message, "killed: time limit of 1 s exceeded");
    assert_eq!(processes(&sleep), Vec::<String>::new());
}

fn background_processes_are_killed_and_reported() {
    let sleep = unique_duration(2);
    let step =
        one(TestKind::Script, &format!("setsid sleep {sleep} & until grep -q sleep /proc/$!/comm; do :; done; exit 1"));
    assert_eq!(step.end, End::Exit { code: 1 });
    assert_snapshot!(step.output.expect("output").text, @"[carnet: killed processes that the command left running: sleep]");
    assert_eq!(processes(&sleep), Vec::<String>::new());
    let sleep = unique_duration(3);
    assert_eq!(one(TestKind::Script, &format!("setsid sleep {sleep} & exit 0")).end, End::Exit { code: 0 });
    assert_eq!(processes(&sleep), Vec::<String>::new());
}

/// As in a container whose first process is started without a process group of its own.
fn process_group_can_be_in_another_namespace() {
    let env = CellEnv::new(&[]).with(TestKind::Script, "setsid sleep 1000 & exit 1");
    let cell = env.command();
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", "\"$0\" \"$@\"; exit $?"]);
    command.arg(cell.get_program()).args(cell.get_args()).env("PATH", "/usr/bin:/bin");
    CommandOutput::run(&mut command).assert_code(1);
    let result = env.result();
    assert_eq!((result.trouble, result.steps[0].end.clone()), (None, End::Exit { code: 1 }));
}

fn time_limit_stops_a_fork_bomb() {
    let mark = unique_duration(4);
    let bomb = format!(
        "i=0; while [ $i -lt 30 ]; do (trap '' TERM; while :; do sh -c :; sh -c ': {mark}'; done) & i=$((i+1)); done; wait"
    );
    let mut env = CellEnv::new(&[]).with(TestKind::Script, &bomb);
    env.plan.timeout = 1;
    let step = env.run().steps.remove(0);
    assert_eq!(step.end, End::Timeout { seconds: 1 });
    assert_eq!(processes(&mark), Vec::<String>::new());
}

fn long_output_is_truncated() {
    let step = one(TestKind::Unittest, "head -c 100000000 /dev/zero | tr '\\0' 'x'; echo end; exit 1");
    let output = step.output.expect("output");
    assert_eq!(output.dropped, 100_000_004 - 100_000);
    assert!(output.text.len() < 101_000 && output.text.ends_with("end\n"));
    assert!(step.cases[0].output.as_ref().expect("output").text.len() < 66_000);
}

fn invalid_utf8_in_output_is_replaced() {
    let step = one(TestKind::Command, r"printf 'a\377b ]]> \033[31m \000 é\n'; exit 1");
    assert_eq!(step.output.expect("output").text, "a\u{fffd}b ]]> \u{1b}[31m \0 é\n");
}

fn setup_lines_run_in_the_shell_of_the_command() {
    let mut env = CellEnv::new(&[("env.sh", "export CHANNEL=mumu\n")])
        .with(TestKind::Command, "test \"$CHANNEL\" = mumu && test $0 = /bin/bash && [[ $FIT == on ]]");
    env.plan.prelude = Some("source ./env.sh\nFIT=on".to_owned());
    assert_eq!(env.run().steps[0].end, End::Exit { code: 0 });
}

fn tests_run_in_the_copy_that_the_setup_changed() {
    let mut env =
        CellEnv::new(&[("data/in.txt", "1"), ("sub/x", "")]).with(TestKind::Script, "cat ../made > ../out/y.json");
    env.plan.phase = Phase::Setup;
    env.plan.setup = Some("mkdir out; echo made > made".to_owned());
    assert_eq!(env.run().steps[0].name, "setup");
    env.plan.phase = Phase::Test;
    env.plan.workdir = "sub".to_owned();
    env.plan.inputs = vec!["data/*.txt".to_owned()];
    env.plan.outputs = vec!["out".to_owned(), "none.root".to_owned()];
    let result = env.run();
    assert_eq!(result.steps[0].cases[0].outcome, Outcome::Passed, "{:?}", result.steps);
    assert_eq!((result.inputs[0].path.as_str(), result.inputs[0].bytes), ("data/in.txt", 1));
    assert_eq!(result.outputs[0].digest.reason(), Some("not found"));
    assert_eq!((result.outputs[1].path.as_str(), result.outputs[1].bytes), ("out/y.json", 5));
    assert_eq!(fs::read_dir(env.path("source")).expect("a directory").count(), 2);
}

/// Writes the report that `PYTEST_ADDOPTS` requests, like pytest.
const FAKE_PYTEST: &str = r#"#!/bin/sh
eval "set -- $PYTEST_ADDOPTS"
for option; do
    case $option in --junitxml=*) cp "$REPORT" "${option#--junitxml=}" ;; esac
done
"#;

fn fake_pytest(report: &str, run: &str) -> CellEnv {
    let recorded = repository().join("tests/data/suite/recorded").join(report);
    let mut env = CellEnv::new(&[("pytest.sh", FAKE_PYTEST), ("tests/test_outcomes.py", "")]);
    fs::copy(recorded, env.path("source/report.xml")).expect("a copy");
    env.plan.prelude = Some("export REPORT=report.xml".to_owned());
    env.with(TestKind::Pytest, run)
}

fn pytest_cases_are_read() {
    let step = fake_pytest("pytest-8-xunit1.xml", "./pytest.sh; exit 1").run().steps.remove(0);
    let count = |outcome| step.cases.iter().filter(|case| case.outcome == outcome).count();
    assert_eq!([Outcome::Passed, Outcome::Skipped, Outcome::Failed, Outcome::Errored].map(count), [10, 3, 3, 4]);
    assert_eq!(step.unread, None);
    let case = step.cases.iter().find(|case| case.name == "test_fail").expect("a case");
    assert_eq!((case.file.as_deref(), case.line), (Some("tests/test_outcomes.py"), Some(24)));
    assert_eq!(case.message, "AssertionError: cut flow: 12 < 20 & rising");
    let broken = &step.cases[0];
    assert_eq!(broken.message, "collection failure: ModuleNotFoundError: No module named 'not_a_module_anywhere'");
    assert_eq!((broken.class.as_str(), broken.file.as_deref()), ("step 1", None));
}

fn exit_code_without_a_failed_case_is_an_error() {
    let env = fake_pytest("pytest-8-xunit1.xml", "sed -i 's/<failure.*//' report.xml; exit 1");
    let step = env.run().steps.remove(0);
    assert_eq!(step.cases.len(), 1);
    assert_eq!((step.cases[0].outcome, step.cases[0].message.as_str()), (Outcome::Errored, "exit code 1"));
    assert_snapshot!(step.unread.expect("a reason"), @"the command wrote no JUnit file, so its cases are unknown");
}

fn exit_code_0_without_a_complete_report_is_an_error() {
    let last = |kind: TestKind, run: &str| {
        let mut env = fake_pytest("pytest-8-xunit1.xml", run);
        env.plan.tests[0].kind = kind;
        let step = env.run().steps.remove(0);
        let case = step.cases.last().expect("a case").clone();
        format!("{:?}: {}", case.outcome, case.message)
    };
    let lines =
        |kind: TestKind, commands: &[&str]| commands.iter().map(|run| last(kind, run)).collect::<Vec<_>>().join("\n");
    let link = "f=${PYTEST_ADDOPTS#*--junitxml=\\'}; ln -s /etc/passwd \"${f%%\\'*}\"";
    let empty = "f=${PYTEST_ADDOPTS#*--junitxml=\\'}; echo '<testsuites/>' > \"${f%%\\'*}\"";
    let cut = "head -c 2000 report.xml | sed 's/<failure.*//; s/<error.*//' > cut.xml; REPORT=cut.xml ./pytest.sh";
    assert_snapshot!(lines(TestKind::Pytest, &["echo 'tests/a.py ..'", "echo '=== 2 passed in 0.1s ==='", link, empty, cut]), @"
    Errored: exit code 0, but pytest wrote neither a JUnit file nor a summary; a test may have called os._exit
    Passed: 
    Errored: exit code 0, but failed to read the JUnit file: Too many levels of symbolic links (os error 40)
    Errored: no tests were run
    Errored: exit code 0, but the JUnit file is invalid at byte 762: ill-formed document: expected `</testcase>`, but `</error>` was found
    ");
    assert_snapshot!(lines(TestKind::Command, &["true", link, empty, cut]), @"
    Passed: 
    Errored: exit code 0, but failed to read the JUnit file: Too many levels of symbolic links (os error 40)
    Errored: no tests were run
    Errored: exit code 0, but the JUnit file is invalid at byte 762: ill-formed document: expected `</testcase>`, but `</error>` was found
    ");
    let unittest = "echo 'test_a (m.T) ... ok'; echo 'test_b (m.T) ... '";
    assert_snapshot!(lines(TestKind::Unittest, &[unittest, &format!("{unittest}; echo 'Ran 2 tests in 0.1s'")]), @"
    Errored: exit code 0, but unittest did not report the number of tests that it ran; a test may have called os._exit
    Passed:
    ");
    assert_snapshot!(lines(TestKind::Pytest, &["./pytest.sh"]), @"Passed:");
}

fn truncated_report_gives_its_cases_and_the_crash() {
    let run = "head -c 5000 report.xml > cut.xml; REPORT=cut.xml ./pytest.sh; kill -SEGV $$";
    let step = fake_pytest("pytest-8-xunit1.xml", run).run().steps.remove(0);
    assert!(step.cases.iter().any(|case| case.name == "test_pass" && case.outcome == Outcome::Passed));
    let last = step.cases.last().expect("a case");
    assert_eq!((last.name.as_str(), last.outcome), ("step 1", Outcome::Errored));
    assert_eq!(last.message, "killed by signal 11 (SIGSEGV)");
    assert_snapshot!(step.unread.expect("a reason"), @"the JUnit file is invalid at byte 4986: syntax error: tag not closed: `>` not found before end of input");
}

fn missing_pytest_is_an_error_instead_of_a_failure() {
    let message = |run: &str| {
        let step = one(TestKind::Pytest, run);
        assert_eq!(step.cases[0].outcome, Outcome::Errored);
        step.cases[0].message.clone()
    };
    assert_snapshot!(message("missing_pytest -q"), @"pytest is not in this environment (command not found)");
    assert_snapshot!(message("echo '/usr/bin/python3: No module named pytest'; exit 1"), @"pytest is not in this environment (no module named pytest)");
    assert_eq!(one(TestKind::Pytest, "exit 5").cases[0].message, "pytest collected no tests");
}

fn report_that_is_not_a_regular_file_is_rejected() {
    let reason = |make: &str| {
        let run = format!("f=${{PYTEST_ADDOPTS#*--junitxml=\\'}}; {make} \"${{f%%\\'*}}\"; exit 1");
        let step = one(TestKind::Pytest, &run);
        assert_eq!(step.cases.len(), 1);
        step.unread.expect("a reason")
    };
    assert_snapshot!(reason("ln -s /etc/passwd"), @"failed to read the JUnit file: Too many levels of symbolic links (os error 40)");
    assert_snapshot!(reason("mkfifo"), @"failed to read the JUnit file: not a regular file");
}

fn unittest_cases_are_read_from_the_output() {
    let cases = |version: &str| {
        let recorded = repository().join("tests/data/suite/recorded").join(format!("unittest-{version}.txt"));
        let step = one(TestKind::Unittest, &format!("cat '{}'; exit 1", recorded.display()));
        assert_eq!(step.unread, None);
        let mut cases: Vec<String> = step
            .cases
            .iter()
            .map(|case| format!("{:?} {} {} {}", case.outcome, case.class, case.name, case.message))
            .collect();
        cases.sort();
        cases.join("\n")
    };
    let oldest = cases("3.8");
    assert_snapshot!(oldest, @"
    Errored test_u.NoData setUpClass RuntimeError: no data
    Errored test_u.Yields test_error OSError: no file
    Failed test_u.Yields test_documented AssertionError: 1 != 2 : sum
    Failed test_u.Yields test_fail AssertionError: {'a': 1} != {'a': 2}
    Failed test_u.Yields test_subtests (channel='mumu') AssertionError: 'mumu' != 'ee'
    Failed test_u.Yields test_unexpected_success unexpected success
    Passed test_u.Yields test_pass 
    Skipped test_u.Yields test_expected_failure expected failure
    Skipped test_u.Yields test_skip needs the 'grid'
    ");
    assert_eq!(cases("3.11"), oldest);
    assert_eq!(cases("3.13"), oldest);
}

fn ctest_cases_are_read_from_the_report_or_the_output() {
    let recorded = repository().join("tests/data/suite/recorded").display().to_string();
    // CMake before 3.21 has no `--output-junit`.
    let table = one(TestKind::Ctest, &format!("cat '{recorded}/ctest-3.25.txt'; exit 8"));
    let fake = format!(
        "#!/bin/sh\ncase $1 in --help) echo ' --output-junit' ;; *) cp '{recorded}/ctest-3.25.xml' \"$2\"; cat '{recorded}/ctest-3.25.txt'; exit 8 ;; esac\n"
    );
    let env = CellEnv::new(&[("ctest", &fake)]).with(TestKind::Ctest, "chmod +x ctest; PATH=.:$PATH; ctest -j 2");
    let both = env.run().steps.remove(0);
    let outcomes = |step: &Step| step.cases.iter().map(|case| (case.name.clone(), case.outcome)).collect::<Vec<_>>();
    assert_eq!(outcomes(&table), outcomes(&both));
    let case =
        |name: &str| both.cases.iter().find(|case| case.name == name).map(|case| (case.outcome, case.message.as_str()));
    assert_eq!(case("missing"), Some((Outcome::Errored, "Unable to find executable")));
    assert_eq!(case("crash"), Some((Outcome::Errored, "Exception: SegFault")));
    assert_eq!(both.cases.len(), 8);
}

fn root_macro_that_prints_an_error_fails() {
    let step = one(TestKind::RootMacro, "echo 'Processing fit.C...'; echo 'Error in <TFile::TFile>: no such file' >&2");
    assert_eq!((step.end, step.cases[0].outcome), (End::Exit { code: 0 }, Outcome::Failed));
    assert_eq!(step.cases[0].message, "Error in <TFile::TFile>: no such file");
    assert!(step.output.is_some() && step.cases[0].output.is_some());
    assert_eq!(one(TestKind::RootMacro, "echo fine").cases[0].outcome, Outcome::Passed);
}

fn test_that_passes_in_a_retry_is_flaky() {
    let run = "test -e again || { touch again; echo first; exit 1; }";
    let mut env = CellEnv::new(&[]).with(TestKind::Script, run);
    assert_eq!(env.run().steps[0].attempts, 1);
    fs::remove_dir_all(&env.plan.work).expect("removed");
    env.plan.retries = 3;
    let step = env.run().steps.remove(0);
    assert_eq!((step.attempts, step.end), (2, End::Exit { code: 0 }));
    let case = &step.cases[0];
    assert_eq!((case.outcome, case.message.as_str()), (Outcome::Flaky, "attempt 1: exit code 1"));
    assert_eq!(case.output.as_ref().expect("output").text, "first\n");
}

fn failure_without_network_is_marked() {
    let mut env = CellEnv::new(&[])
        .with(TestKind::Script, "echo 'curl: (6) Could not resolve host: example.org'; exit 6")
        .with(TestKind::Script, "exit 1");
    assert!(!env.run().steps[0].cases[0].tried_network, "the cell has network");
    env.plan.network = false;
    let result = env.run();
    let case = &result.steps[0].cases[0];
    assert!(case.tried_network, "{}", case.message);
    assert_eq!(result.not_enforced, [NOT_PROTECTED]);
}

fn network_is_cut_or_reported() {
    let mut env = CellEnv::new(&[]).with(TestKind::Script, "cut -d: -f1 -s /proc/net/dev | tr -d ' \\n'; exit 1");
    env.plan.network = false;
    env.plan.cut_network = true;
    let result = env.run();
    let interfaces = &result.steps[0].output.as_ref().expect("output").text;
    match result.not_enforced.as_slice() {
        [first] => assert_eq!((first.as_str(), interfaces.as_str()), (NOT_PROTECTED, "lo")),
        // The user is not allowed to create namespaces.
        [_, entry] => assert!(entry.starts_with("network: not disabled: "), "{entry}"),
        entries => panic!("{entries:?}"),
    }
}

fn repeated_cell_gives_the_same_result() {
    let result = |env: &CellEnv| {
        let _ = fs::remove_dir_all(&env.plan.work);
        without_timing(serde_json::to_value(env.run()).expect("JSON"))
    };
    let mut env = fake_pytest("pytest-9-xunit1.xml", "echo $PYTEST_ADDOPTS; ./pytest.sh; exit 1");
    env = env.with(TestKind::Script, "echo b > b; echo a > a; exit 2");
    env.plan.outputs = vec!["?".to_owned(), "tests".to_owned()];
    assert_eq!(result(&env), result(&env));
}

fn infrastructure_errors_are_recorded() {
    let mut env = CellEnv::new(&[]).with(TestKind::Script, "true");
    env.plan.workdir = "not/there".to_owned();
    let result = env.run();
    let reason = format!("working directory {}/not/there does not exist", env.plan.work);
    assert_eq!(result.steps[0].end, End::NotStarted { reason });
    assert_eq!(result.steps[0].cases[0].outcome, Outcome::Errored);
    fs::remove_dir_all(&env.plan.work).expect("removed");
    fs::remove_dir_all(&env.plan.source).expect("removed");
    let trouble = env.run().trouble.expect("an error");
    assert_snapshot!(trouble.replace(env.dir.path().to_str().expect("UTF-8"), "[DIR]"), @"failed to copy `.`: No such file or directory (os error 2)");
}

fn interrupted_cell_writes_finished_steps() {
    let sleep = unique_duration(5);
    let env = CellEnv::new(&[])
        .with(TestKind::Script, "true")
        .with(TestKind::Script, &format!("touch ready; sleep {sleep}"))
        .with(TestKind::Script, "true");
    let mut cell = env.command().spawn().expect("carnet starts");
    while !env.path("work/ready").exists() {
        assert!(cell.try_wait().expect("a status").is_none(), "the cell ended before the signal");
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(cell.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("a signal");
    cell.wait().expect("carnet ends");
    let result = env.result();
    assert_eq!(result.trouble.as_deref(), Some("interrupted by signal 15"));
    assert_eq!(result.steps.len(), 2);
    assert_eq!(result.steps[0].cases[0].outcome, Outcome::Passed);
    assert_eq!(processes(&sleep), Vec::<String>::new());
}

fn plan_of_another_version_is_rejected() {
    let env = CellEnv::new(&[]);
    let mut command = env.command();
    fs::write(env.path("plan.json"), r#"{"schema":"carnet/plan@2","more":1}"#).expect("a file");
    let output = CommandOutput::run(&mut command).assert_code(2);
    assert_snapshot!(output.text().replace(env.dir.path().to_str().expect("UTF-8"), "[DIR]"), @"
    error: invalid plan `[DIR]/plan.json`: unsupported schema `carnet/plan@2`; expected `carnet/plan@1`
     |
     = help: plans are generated by carnet and have schema `carnet/plan@1`
    ");
    assert!(!env.path("result.json").exists());
}

crate::support::harness::register!(
    []:
    exit_code_of_the_command_is_recorded,
    signal_is_an_error_instead_of_a_failure,
    time_limit_kills_all_descendants,
    background_processes_are_killed_and_reported,
    time_limit_stops_a_fork_bomb,
    long_output_is_truncated,
    invalid_utf8_in_output_is_replaced,
    setup_lines_run_in_the_shell_of_the_command,
    tests_run_in_the_copy_that_the_setup_changed,
    pytest_cases_are_read,
    exit_code_without_a_failed_case_is_an_error,
    exit_code_0_without_a_complete_report_is_an_error,
    truncated_report_gives_its_cases_and_the_crash,
    missing_pytest_is_an_error_instead_of_a_failure,
    report_that_is_not_a_regular_file_is_rejected,
    unittest_cases_are_read_from_the_output,
    ctest_cases_are_read_from_the_report_or_the_output,
    root_macro_that_prints_an_error_fails,
    test_that_passes_in_a_retry_is_flaky,
    failure_without_network_is_marked,
    network_is_cut_or_reported,
    repeated_cell_gives_the_same_result,
    infrastructure_errors_are_recorded,
    interrupted_cell_writes_finished_steps,
    plan_of_another_version_is_rejected,
);

crate::support::harness::register!([Root]: process_group_can_be_in_another_namespace);
