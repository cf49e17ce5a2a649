//! Tests of an analysis that misbehave, run by the embedded engine: the cell gets the right verdict, the other cell passes, the
//! reports are valid, and nothing is left.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use carnet::sys::remove::remove_tree;
use serde_json::Value;
use tempfile::TempDir;

use crate::isolation::FORGE;
use crate::leftovers;
use crate::nested::{NOBODY, copy_directory};
use crate::support::{CARNET, CommandOutput, program};

/// One misbehavior.
struct Case {
    name: &'static str,
    /// The script of the test. `$MARK` is a duration for `sleep` that is unique to this run.
    script: &'static str,
    /// More lines of the facility.
    contract: &'static str,
    /// Status of the cell.
    status: &'static str,
    /// The reason of the cell, or the message of its test.
    message: &'static str,
    /// Time limit of the test.
    timeout: &'static str,
    /// The contract requires control groups, which only root can create.
    requires_root: bool,
}

const fn case(name: &'static str, script: &'static str, status: &'static str, message: &'static str) -> Case {
    Case { name, script, contract: "", status, message, timeout: "60s", requires_root: false }
}

const CASES: &[Case] = &[
    // The result.
    case("result is forged", FORGE, "failed", "exit code 1"),
    case("all files are removed", "rm -rf /carnet/box /tmp /home /etc 2>/dev/null; exit 0", "passed", ""),
    case("no file is accessible", "chmod 000 t.sh .; chmod 000 /carnet/box", "passed", ""),
    // Processes.
    case("parent is killed", "kill -9 $PPID; kill -9 1; exit 0", "passed", ""),
    case("all processes are killed", "kill -9 -1; exit 0", "passed", ""),
    case("shell is killed", "kill -9 $$", "failed", "killed by signal 9 (SIGKILL)"),
    case(
        "carnet is visible",
        r#"for pid in /proc/[0-9]*; do tr '\0' ' ' < $pid/cmdline; done | grep -c 'cell --plan' | grep -qx 0
        ! cat /proc/1/environ /proc/1/maps 2>/dev/null"#,
        "passed",
        "",
    ),
    case(
        "background processes ignore signals",
        "i=0; while [ $i -lt 200 ]; do (trap '' TERM INT HUP; exec sleep $MARK) & i=$((i+1)); done",
        "passed",
        "",
    ),
    Case {
        timeout: "2s",
        ..case(
            "time limit is exceeded",
            "trap '' TERM INT HUP; while :; do sleep $MARK; done",
            "failed",
            "killed: time limit of 2 s exceeded",
        )
    },
    case("streams are closed", "exec 0<&- 1>&- 2>&-; sleep 0.2", "passed", ""),
    // Output and files.
    case("output is long", "yes | head -c 20000000; exit 1", "failed", "exit code 1"),
    case(
        "output contains control characters",
        r"printf 'x\377 ]]> \033[31m \000 ::error::x </failure>\n##[error]y\n'; exit 1",
        "failed",
        "exit code 1",
    ),
    case(
        "directories are deep and have unusual names",
        r#"i=0; while [ $i -lt 100 ]; do n=$(printf 'a\n\377"%d' $i); mkdir "$n" && cd "$n" || exit 1; i=$((i+1)); done
           chmod 500 ."#,
        "passed",
        "",
    ),
    case("file is sparse", "dd if=/dev/zero of=big bs=1 count=1 seek=5G 2>/dev/null", "passed", ""),
    Case {
        contract: "tmp_size = \"1m\"",
        ..case("/tmp is full", "dd if=/dev/zero of=/tmp/x bs=1M count=9", "failed", "exit code 1")
    },
    // Limits.
    Case {
        contract: "disk = \"8m\"",
        ..case(
            "disk limit is exceeded",
            "dd if=/dev/zero of=big bs=1M count=40; sleep $MARK",
            "failed",
            "killed: disk limit exceeded",
        )
    },
    Case {
        contract: "disk = \"100m\"",
        ..case("disk limit is kept", "dd if=/dev/zero of=big bs=1M count=4", "passed", "")
    },
    Case {
        contract: "memory = \"32m\"",
        requires_root: true,
        ..case("memory limit is exceeded", "x=a; while :; do x=$x$x; done", "failed", "killed: memory limit exceeded")
    },
    Case {
        contract: "pids = 20",
        requires_root: true,
        ..case(
            "process limit is exceeded",
            "i=0; while [ $i -lt 50 ]; do sleep $MARK & i=$((i+1)); done",
            "failed",
            "exit code 2",
        )
    },
    // The setup of the facility.
    Case {
        contract: "setup = \"exit 0\"",
        ..case(
            "setup ends the shell",
            "exit 0",
            "error",
            "`setup` of the facility failed before the tests: it exited the shell (`exit 0`)",
        )
    },
    Case {
        contract: "setup = \"exit 3\"",
        ..case("setup fails", "exit 0", "error", "`setup` of the facility failed before the tests: exit code 3")
    },
    Case {
        contract: "setup = \"while :; do :; done\"",
        timeout: "2s",
        ..case(
            "setup never ends",
            "exit 0",
            "error",
            "`setup` of the facility failed before the tests: killed: time limit of 2 s exceeded",
        )
    },
    Case {
        contract: "setup = \"set -eu; cd /\"",
        ..case("setup sets strict options", "exit 0", "failed", "exit code 2")
    },
];

fn misbehaving_test_harms_nothing() {
    let env = UserEnv::new(None);
    let is_root = nix::unistd::geteuid().is_root();
    for case in CASES.iter().filter(|case| is_root || !case.requires_root) {
        env.check(case);
    }
}

fn misbehaving_test_of_ordinary_user_harms_nothing() {
    let env = UserEnv::new(Some(NOBODY));
    for case in CASES.iter().filter(|case| !case.requires_root) {
        env.check(case);
    }
}

/// A directory with the binary and the image, which the user can read, and an analysis and a cache that belong to the user.
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
        program::install(Path::new(CARNET), &env.path("carnet"));
        copy_directory(&crate::support::engine::image("busybox"), &env.path("image"));
        for name in ["analysis", "cache", "tmp"] {
            fs::create_dir(env.path(name)).expect("a directory");
            chown(env.path(name), user, user).expect("an owner");
        }
        env
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Checks the analysis in two cells: in one the test misbehaves, in the other it passes.
    fn check(&self, case: &Case) {
        self.write(case);
        let mut command = Command::new(self.path("carnet"));
        command.args(["check", "--quiet"]).current_dir(self.path("analysis")).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TMPDIR", self.path("tmp"));
        command.env("CARNET_CACHE", self.path("cache"));
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        let output = CommandOutput::run(&mut command);
        let context = format!("{}: {}", case.name, output.text());

        let (document, size) = self.document(&context);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (cell, other) = (&document["cells"][0], &document["cells"][1]);
        let message = [&cell["reason"], &cell["steps"][0]["cases"][0]["message"]].map(text).concat();
        assert_eq!((text(&cell["status"]).as_str(), message.as_str()), (case.status, case.message), "{context}");
        assert_eq!(other["status"], "passed", "{context}");
        let code = match case.status {
            "passed" => 0,
            "failed" => 1,
            _ => 4,
        };
        assert_eq!(output.code, code, "{context}");
        assert!(size < 1 << 20, "{context}: {size} bytes");
        output.assert_lacks("\u{1b}");
        assert_eq!(self.leftovers(), Vec::<String>::new(), "{context}");
    }

    fn write(&self, case: &Case) {
        let Case { script, contract, timeout, .. } = case;
        let facility = |id: &str, more: &str| {
            format!(
                "[[facility]]\nid = \"{id}\"\nimage = \"oci:{}:latest\"\nengine = \"embedded\"\n{more}\n",
                self.path("image").display()
            )
        };
        let env = format!("env = {{ MARK = \"{}\" }}", self.mark);
        let toml = format!(
            "[test]\nrun = \"sh ./t.sh\"\ntimeout = \"{timeout}\"\n{}{}",
            facility("bad", &format!("{env}\n{contract}")),
            facility("good", "")
        );
        fs::write(self.path("analysis/carnet.toml"), toml).expect("a file");
        fs::write(self.path("analysis/t.sh"), format!("[ -n \"$MARK\" ] || exit 0\n{script}\n")).expect("a file");
    }

    /// The document and its size in bytes. Fails unless it matches its schema and the JUnit file is valid.
    fn document(&self, context: &str) -> (Value, usize) {
        let read = |name: &str| {
            let path = self.path("analysis/carnet-out").join(name);
            fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}: {context}"))
        };
        let bytes = read("carnet.json");
        let document: Value = serde_json::from_slice(&bytes).expect("JSON");
        let schema = serde_json::from_str(include_str!("../../docs/schema/document.json")).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{context}");
        let suites = junit_parser::from_reader(read("junit.xml").as_slice());
        assert_eq!(suites.expect("a JUnit file").suites.len(), 2, "{context}");
        (document, bytes.len())
    }

    /// Files of runs, temporary files, mounts and processes that are left.
    fn leftovers(&self) -> Vec<String> {
        let root = self.dir.path().display().to_string();
        let files = ["cache/stage", "cache/runs", "tmp"].map(|name| leftovers::entries(&self.path(name), ""));
        let others = [leftovers::mounts(&root), leftovers::processes(&root), leftovers::processes(&self.mark)];
        files.into_iter().chain(others).flatten().collect()
    }
}

impl Drop for UserEnv {
    fn drop(&mut self) {
        // Some directories of unpacked images are not accessible.
        let _ = remove_tree(&self.path("cache"));
    }
}

crate::support::harness::register!(
    [Image("busybox")]:
    misbehaving_test_harms_nothing,
);

crate::support::harness::register!(
    [Root, Image("busybox")]:
    misbehaving_test_of_ordinary_user_harms_nothing,
);
