//! Signals during a check, and what a killed check leaves behind.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use insta::assert_snapshot;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::env::wait_until;
use crate::support::{CommandOutput, TestEnv};

/// A running check whose messages are read while it runs.
struct RunningCheck {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
    text: String,
}

impl RunningCheck {
    fn start(env: &TestEnv, arguments: &[&str]) -> Self {
        let mut command = env.carnet_command(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("carnet starts");
        let errors = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, errors, text: String::new() }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"))
    }

    /// Sends SIGINT and waits for the message that starts with `message`.
    fn interrupt(&mut self, message: &str) {
        kill(self.pid(), Signal::SIGINT).expect("a signal");
        loop {
            let mut line = String::new();
            assert!(self.errors.read_line(&mut line).expect("text") > 0, "no `{message}` in\n{}", self.text);
            self.text += &line;
            if line.starts_with(message) {
                return;
            }
        }
    }

    /// Returns the exit code and all messages.
    fn end(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("carnet ends");
        self.errors.read_to_string(&mut self.text).expect("text");
        (status.code(), self.text)
    }
}

/// Returns the processes whose parent is `parent`.
fn children(parent: Pid) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    let stat = |path: PathBuf| {
        let text = fs::read_to_string(path.join("stat")).ok()?;
        let (pid, rest) = text.split_once(' ')?;
        let mut fields = rest.rsplit_once(')')?.1.split_whitespace();
        Some((Pid::from_raw(pid.parse().ok()?), Pid::from_raw(fields.nth(1)?.parse().ok()?)))
    };
    entries.filter_map(|entry| stat(entry.path())).filter(|(_, of)| *of == parent).map(|(pid, _)| pid).collect()
}

#[test]
fn second_signal_writes_the_results_of_cells_that_ended() {
    let env = TestEnv::new();
    let [first, started] = ["first", "started"].map(|name| env.path(name));
    env.write_script(
        "t.sh",
        &format!("mkdir {} 2> /dev/null || {{ touch {}; sleep 300; }}", first.display(), started.display()),
    );
    let facilities = ["one", "two", "three"].map(|id| format!("[[facility]]\nid = \"{id}\"\nengine = \"host\"\n"));
    env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{}", facilities.concat()));
    let mut check = RunningCheck::start(&env, &["check", "--jobs=1"]);
    wait_until("started", || started.exists());
    // A stopped supervisor does not react to the first signal.
    let supervisors = children(check.pid());
    for supervisor in &supervisors {
        kill(*supervisor, Signal::SIGSTOP).expect("a signal");
    }
    check.interrupt("interrupted: stopping");
    check.interrupt("interrupted again");
    let (code, text) = check.end();
    for supervisor in supervisors {
        kill(supervisor, Signal::SIGCONT).expect("a signal");
    }
    assert_eq!(code, Some(130), "{text}");
    assert_snapshot!(env.redact(&text), @r"
    checking 3 cells with `./t.sh`
      one: opening image
      one: tests
      one: passed, 1 test ([TIME] s)
      two: opening image
      two: tests
    interrupted: stopping and writing the partial result
    interrupted again: not waiting for what does not stop
      two: not run: interrupted: it did not stop ([TIME] s)
      three: not run: interrupted before it started ([TIME] s)
    reports written to carnet-out
    ");
    let document = env.document();
    assert_eq!(document["interrupted"], true);
    let cells = document["cells"].as_array().expect("cells").iter();
    let cells = cells.map(|cell| format!("{}: {} ({})", cell["id"], cell["status"], cell["reason"]));
    assert_snapshot!(cells.collect::<Vec<_>>().join("\n"), @r#"
    "one": "passed" (null)
    "two": "skipped" ("interrupted: it did not stop")
    "three": "skipped" ("interrupted before it started")
    "#);
}

#[test]
fn second_signal_ends_a_check_whose_repository_does_not_respond() {
    let mut env = TestEnv::with_repository(&[("test_a.py", "def test_a(): pass\n")]);
    // libgit2 can't read a split index, so carnet starts git.
    env.git(&["update-index", "--split-index"]).assert_code(0);
    let (pipe, started, bin) = (env.make_pipe("../pipe"), env.path("started"), env.path("bin"));
    env.install_script(&bin.join("git"), &format!("touch {}; exec cat {}", started.display(), pipe.display()));
    env.prepend_path(&bin);
    let mut check = RunningCheck::start(&env, &["check"]);
    wait_until("started", || started.exists());
    let git = children(check.pid());
    check.interrupt("interrupted: stopping");
    check.interrupt("interrupted again");
    let (code, text) = check.end();
    for pid in git {
        kill(pid, Signal::SIGKILL).expect("a signal");
    }
    assert_eq!(code, Some(130), "{text}");
    assert_snapshot!(env.redact(&text), @r"
    interrupted: stopping and writing the partial result
    interrupted again: not waiting for what does not stop
    error: interrupted before any cell ran: reading the analysis did not end
     |
     = help: check that the network file systems with the analysis and the cache respond
    ");
    assert!(!env.analysis().join("carnet-out").exists());
}

#[test]
fn signal_ends_a_check_that_waits_for_its_output() {
    let env = TestEnv::with_test("true");
    let pipe = env.make_pipe("../output");
    // Nobody reads the pipe, which is too small for the report.
    let output = fs::File::options().read(true).write(true).open(&pipe).expect("a pipe");
    rustix::pipe::fcntl_setpipe_size(&output, 4096).expect("a size");
    let mut command = env.carnet_command(&["check", "--quiet", "--format=json"]);
    let mut check = command.stdout(output.try_clone().expect("a pipe")).spawn().expect("carnet starts");
    // carnet prints after it wrote the reports.
    wait_until("written", || env.analysis().join("carnet-out/report.html").exists());
    let pid = Pid::from_raw(i32::try_from(check.id()).expect("a process id"));
    kill(pid, Signal::SIGTERM).expect("a signal");
    assert_eq!(check.wait().expect("carnet ends").code(), Some(130));
}

/// Names of the entries of the directories that runs create.
fn run_directories(env: &TestEnv) -> Vec<String> {
    let names = |dir: PathBuf| fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let dirs = ["cache/stage", "cache/runs", "cache/kept-host", "tmp"].map(|dir| env.path(dir));
    let mut names: Vec<_> = dirs.into_iter().flat_map(names).map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn check_removes_what_killed_checks_left() {
    let env = TestEnv::new();
    let started = env.path("started");
    fs::create_dir(env.path("tmp")).expect("a directory");
    let config = |test: &str, setup: &str| {
        env.write("carnet.toml", format!("[test]\nrun = \"{test}\"\n{setup}\n{}", crate::support::env::HOST));
    };
    let hang = format!("touch {}; sleep 300", started.display());
    let tmp = env.path("tmp");
    let command = |arguments: &[&str]| {
        let mut command = env.carnet_command(arguments);
        command.env("TMPDIR", &tmp);
        command
    };
    let has = |prefix: &str| run_directories(&env).iter().any(|name| name.starts_with(prefix));
    let has_entry = |dir: &str| fs::read_dir(env.path(dir)).is_ok_and(|entries| entries.count() > 0);
    let points: [(&str, &str, &dyn Fn() -> bool); 4] = [
        (&hang, "", &|| has_entry("cache/stage")),
        (&hang, "", &|| has("carnet-run-")),
        (&hang, "", &|| started.exists()),
        ("true", &format!("setup = \"{hang}\""), &|| started.exists()),
    ];
    for (test, setup, is_reached) in points {
        config(test, setup);
        let _ = fs::remove_file(&started);
        let mut check = command(&["check", "--quiet"]).stdout(Stdio::null()).spawn().expect("carnet starts");
        wait_until("reached", is_reached);
        check.kill().expect("a signal");
        check.wait().expect("carnet ends");
    }
    assert!(has_entry("cache/stage"), "a killed check leaves its input");
    config("true", "");
    // The supervisors of the killed checks detect the death of carnet later, and hold locks until then.
    wait_until("removed", || {
        let output = CommandOutput::run(&mut command(&["check"])).assert_code(0);
        assert!(!output.stderr.contains("failed to remove"), "{}", output.stderr);
        run_directories(&env).is_empty()
    });
}

#[test]
fn clean_names_what_it_removes_and_its_size() {
    let env = TestEnv::new();
    for dir in ["cache/stage/dead", "cache/trees/abc.new/rootfs", "cache/runs/dead"] {
        fs::create_dir_all(env.path(dir)).expect("directories");
    }
    for lock in ["cache/stage/dead.lock", "cache/trees/abc.lock", "cache/runs/dead.lock"] {
        fs::write(env.path(lock), "").expect("a file");
    }
    let data = vec![1; 3 << 20];
    for file in ["cache/stage/dead/carnet", "cache/trees/abc.new/rootfs/data", "cache/runs/dead/data"] {
        fs::write(env.path(file), &data).expect("a file");
    }
    let output = env.carnet(&["clean"]).assert_code(0);
    assert_snapshot!(env.redact(&output.stdout), @r"
    removed [ROOT]/cache/stage/dead (3 MiB)
    removed [ROOT]/cache/trees/abc.new (3 MiB)
    removed leftovers of run dead (3 MiB)
    ");
    assert_eq!(env.carnet(&["clean"]).assert_code(0).stdout, "");
}
