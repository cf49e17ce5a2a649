//! Tests of an analysis that misbehave, through the real binary and the engine without a daemon: the cell gets its
//! verdict, the cell beside it is unharmed, the reports are valid, and nothing is left.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use carnet::sys::remove::remove_tree;
use serde_json::Value;
use tempfile::TempDir;

/// The ordinary user that root runs the cases as once more.
const NOBODY: u32 = 65534;

/// One misbehaviour.
struct Case {
    name: &'static str,
    /// What the test does. `$MARK` is a number that nobody else sleeps for.
    script: &'static str,
    /// Lines of the facility.
    contract: &'static str,
    /// Status of the cell.
    status: &'static str,
    /// Part of the cell's reason or of the test's message.
    says: &'static str,
    /// The contract holds only where root makes control groups.
    as_root_only: bool,
}

const fn case(name: &'static str, script: &'static str, status: &'static str, says: &'static str) -> Case {
    Case { name, script, contract: "", status, says, as_root_only: false }
}

const CASES: &[Case] = &[
    // What it does to the result.
    case("result is a directory", "mkdir -p ../result.json/x ../result.json.part/x", "passed", ""),
    case("result is a fifo", "mkfifo ../result.json", "passed", ""),
    case("result is a link", "ln -s /etc/passwd ../result.json; ln -s /etc/passwd ../result.json.part", "passed", ""),
    case("everything is removed", "rm -rf /carnet/box /tmp /home /etc 2>/dev/null; exit 0", "passed", ""),
    case("everything is closed", "chmod 000 t.sh .; chmod 000 /carnet/box", "passed", ""),
    case(
        "a result too large",
        "dd if=/dev/zero of=../result.json bs=1 count=1 seek=300M 2>/dev/null; kill -9 $PPID; sleep 9",
        "error",
        "is larger than",
    ),
    case(
        "a forged result",
        "echo '{\"schema\": 1}' > ../result.json; kill -9 $PPID; sleep 9",
        "error",
        "can't be read",
    ),
    // What it does to processes.
    case("its parent is killed", "kill -9 $PPID; sleep 9", "error", "carnet was killed inside by signal 9"),
    case("everything is killed", "kill -9 -1", "error", "carnet was killed inside by signal 9"),
    case(
        "processes that ignore signals are left",
        "i=0; while [ $i -lt 200 ]; do (trap '' TERM INT HUP; exec sleep $MARK) & i=$((i+1)); done",
        "passed",
        "",
    ),
    case(
        "it outlives its time",
        "trap '' TERM INT HUP; while :; do sleep $MARK; done",
        "failed",
        "ran longer than 2 s",
    ),
    case("it closes its streams", "exec 0<&- 1>&- 2>&-; sleep 0.2", "passed", ""),
    // What it prints and writes.
    case("much output", "yes | head -c 20000000; exit 1", "failed", "exit code 1"),
    case(
        "odd output",
        r"printf 'x\377 ]]> \033[31m \000 ::error::x </failure>\n##[error]y\n'; exit 1",
        "failed",
        "exit code 1",
    ),
    case(
        "deep directories with odd names",
        r#"i=0; while [ $i -lt 100 ]; do n=$(printf 'a\n\377"%d' $i); mkdir "$n" && cd "$n" || exit 1; i=$((i+1)); done
           chmod 500 ."#,
        "passed",
        "",
    ),
    case("a sparse file", "dd if=/dev/zero of=big bs=1 count=1 seek=5G 2>/dev/null", "passed", ""),
    Case {
        contract: "tmp_size = \"1m\"",
        ..case("a full /tmp", "dd if=/dev/zero of=/tmp/x bs=1M count=9", "failed", "exit code 1")
    },
    // What the limits are for.
    Case {
        contract: "memory = \"32m\"",
        as_root_only: true,
        ..case("all memory", "x=a; while :; do x=$x$x; done", "failed", "over the memory limit")
    },
    Case {
        contract: "pids = 20",
        as_root_only: true,
        ..case("all processes", "i=0; while [ $i -lt 50 ]; do sleep $MARK & i=$((i+1)); done", "failed", "exit code 2")
    },
    // What the facility does before the tests.
    Case {
        contract: "setup = \"exit 0\"",
        ..case("a prelude that ends the shell", "exit 0", "error", "it ended the shell")
    },
    Case { contract: "setup = \"exit 3\"", ..case("a prelude that fails", "exit 0", "error", "exit code 3") },
    Case {
        contract: "setup = \"while :; do :; done\"",
        ..case("a prelude without end", "exit 0", "error", "ran longer than 2 s")
    },
    Case { contract: "setup = \"set -eu; cd /\"", ..case("a strict prelude", "exit 0", "failed", "exit code 2") },
];

fn a_test_that_misbehaves_harms_nobody() {
    let env = UserEnv::new(None);
    let root = nix::unistd::geteuid().is_root();
    for case in CASES.iter().filter(|case| root || !case.as_root_only) {
        env.check(case);
    }
}

fn nor_does_it_when_an_ordinary_user_runs_it() {
    if !nix::unistd::geteuid().is_root() {
        println!("the other test runs as an ordinary user already");
        return;
    }
    let env = UserEnv::new(Some(NOBODY));
    for case in CASES.iter().filter(|case| !case.as_root_only) {
        env.check(case);
    }
}

/// A directory with the binary and the image, which its user can read, and an analysis and a cache, which are theirs.
struct UserEnv {
    dir: TempDir,
    user: Option<u32>,
    mark: String,
}

impl UserEnv {
    fn new(user: Option<u32>) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("a mode");
        let mark = format!("9{}{}", std::process::id(), user.unwrap_or_default());
        let env = Self { dir, user, mark };
        crate::support::program::install(Path::new(env!("CARGO_BIN_EXE_carnet")), &env.path("carnet"));
        copy(&crate::support::engine::image("busybox"), &env.path("image"));
        for name in ["analysis", "cache", "tmp"] {
            fs::create_dir(env.path(name)).expect("a directory");
            chown(env.path(name), user, user).expect("an owner");
        }
        env
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs the case with a cell beside it that does nothing of the kind.
    fn check(&self, case: &Case) {
        self.write(case);
        let mut command = Command::new(self.path("carnet"));
        command.args(["check", "--quiet"]).current_dir(self.path("analysis")).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TMPDIR", self.path("tmp"));
        command.env("CARNET_CACHE", self.path("cache"));
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        let output = command.output().expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let told = format!("{}: {}{}", case.name, text(&output.stdout), text(&output.stderr));

        let (document, size) = self.document(&told);
        let (cell, other) = (&document["cells"][0], &document["cells"][1]);
        assert_eq!((cell["status"].as_str(), other["status"].as_str()), (Some(case.status), Some("passed")), "{told}");
        let said = [&cell["reason"], &cell["steps"][0]["cases"][0]["message"]];
        assert!(said.iter().any(|said| said.as_str().unwrap_or_default().contains(case.says)), "{told}\n{said:?}");
        let code = match case.status {
            "passed" => 0,
            "failed" => 1,
            _ => 4,
        };
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(size < 1 << 20, "{told}: {size} bytes");
        assert!(!text(&output.stdout).contains('\u{1b}'), "{told}");
        assert_eq!(self.left(), Vec::<String>::new(), "{told}");
    }

    fn write(&self, case: &Case) {
        let Case { script, contract, .. } = case;
        let facility = |id: &str, more: &str| {
            format!(
                "[[facility]]\nid = \"{id}\"\nimage = \"oci:{}:latest\"\nengine = \"embedded\"\n{more}\n",
                self.path("image").display()
            )
        };
        let env = format!("env = {{ MARK = \"{}\" }}", self.mark);
        let toml = format!(
            "[test]\nrun = \"sh ./t.sh\"\ntimeout = \"2s\"\n{}{}",
            facility("bad", &format!("{env}\n{contract}")),
            facility("good", "")
        );
        fs::write(self.path("analysis/carnet.toml"), toml).expect("a file");
        fs::write(self.path("analysis/t.sh"), format!("[ -n \"$MARK\" ] || exit 0\n{script}\n")).expect("a file");
    }

    /// The document, checked with its schema, and its size in bytes; the JUnit file has to be one.
    fn document(&self, told: &str) -> (Value, usize) {
        let read = |name: &str| {
            fs::read(self.path("analysis/carnet-out").join(name)).unwrap_or_else(|e| panic!("{told}: {e}"))
        };
        let bytes = read("carnet.json");
        let document: Value = serde_json::from_slice(&bytes).expect("JSON");
        let schema = serde_json::from_str(include_str!("../../docs/schema/document.json")).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{told}");
        let suites = junit_parser::from_reader(read("junit.xml").as_slice()).unwrap_or_else(|e| panic!("{told}: {e}"));
        assert_eq!(suites.suites.len(), 2, "{told}");
        (document, bytes.len())
    }

    /// What is left: files of runs, temporary files, mounts, processes.
    fn left(&self) -> Vec<String> {
        let inside = |name: &str| fs::read_dir(self.path(name)).into_iter().flatten().flatten();
        let files = ["cache/stage", "cache/runs", "tmp"].into_iter().flat_map(inside);
        let files = files.map(|entry| entry.path().display().to_string());
        let mounts = fs::read_to_string("/proc/self/mountinfo").expect("mounts");
        let own = self.dir.path().display().to_string();
        let mounts: Vec<String> = mounts.lines().filter(|line| line.contains(&own)).map(str::to_owned).collect();
        let processes = fs::read_dir("/proc").expect("/proc").flatten();
        let processes = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        let processes = processes.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "));
        let processes = processes.filter(|line| line.contains(&own) || line.contains(&self.mark));
        files.chain(mounts).chain(processes).collect()
    }
}

impl Drop for UserEnv {
    fn drop(&mut self) {
        // Trees hold directories that their modes close.
        let _ = remove_tree(&self.path("cache"));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())).flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a copy");
        }
    }
}

crate::support::harness::register!(
    [Image("busybox")]:
    a_test_that_misbehaves_harms_nobody,
    nor_does_it_when_an_ordinary_user_runs_it,
);
