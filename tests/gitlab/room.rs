//! A repository with a small analysis, and gitlab-ci-local run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::program;

/// The binary under test.
pub(crate) const CARNET: &str = env!("CARGO_BIN_EXE_carnet");

/// A machine, an image that isn't pulled where every job runs in a shell, one whose tests fail, and one that isn't there.
pub(crate) const CONFIG: &str = r#"
[analysis]
name = "dimuon"

[test]
run = "sh check.sh"

[[facility]]
id = "laptop"
engine = "host"

[[facility]]
id = "group"
image = "docker://registry.example.org/group/analysis:2026.1"

[[facility]]
id = "old"
image = "docker://registry.example.org/group/analysis:2020.1"
env = { BROKEN = "1" }

[[facility]]
id = "disk"
image = "oci:not-here"
"#;

/// A repository, and a home beside it.
pub(crate) struct Room {
    dir: TempDir,
}

/// What a pipeline said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Room {
    /// A repository with one commit: the analysis, this project's templates, and `pipeline` as its `.gitlab-ci.yml`.
    pub(crate) fn new(pipeline: &str) -> Self {
        let room = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        fs::create_dir_all(room.home()).expect("a directory");
        room.write("carnet.toml", CONFIG);
        room.write("check.sh", "echo seen; test -z \"${BROKEN:-}\"\n");
        room.write(".gitlab-ci.yml", pipeline);
        // Where gitlab-ci-local looks first for what `include: remote:` names.
        let remote = ".gitlab-ci-local/includes/raw.githubusercontent.com/carnet-hep/carnet/v0.1.0";
        for name in [".gitlab-ci-template.yml", ".gitlab-ci-jobs.yml"] {
            room.write(&format!("{remote}/{name}"), project(name));
        }
        room.write("templates/check.yml", project("templates/check.yml"));
        room.git(&["init", "-q", "-b", "main"]);
        // What the tool keeps is no part of the analysis.
        room.write(".git/info/exclude", ".gitlab-ci-local/\n");
        room.git(&["remote", "add", "origin", "https://gitlab.example.org/my-group/carnet.git"]);
        room.commit();
        room
    }

    pub(crate) fn top(&self) -> PathBuf {
        self.dir.path().join("carnet")
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.top().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, text).expect("a file");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.top().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.read(path)).expect("JSON")
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let mut command = self.command("git");
        let output = command.args(arguments).output().expect("git is installed");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    /// Commits everything, and gives back the commit's name.
    pub(crate) fn commit(&self) -> String {
        self.git(&["add", "--force", "--", "carnet.toml", "check.sh", ".gitlab-ci.yml", "templates"]);
        self.git(&["add", "--", "."]);
        let author = ["-c", "user.name=Jane", "-c", "user.email=jane@example.org"];
        self.git(&[&author[..], &["commit", "-q", "--allow-empty", "-m", "An analysis"]].concat());
        self.git(&["rev-parse", "HEAD"])
    }

    /// A program in the repository, with nothing of this machine's environment.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.top()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.home());
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("NO_COLOR", "1").env("FORCE_COLOR", "0");
        command
    }

    pub(crate) fn carnet(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(CARNET).args(arguments))
    }

    /// gitlab-ci-local with these arguments, jobs as children of this process.
    pub(crate) fn pipeline(&self, arguments: &[&str]) -> Said {
        let bin = format!("CARNET_BIN={CARNET}");
        self.gitlab(&[&["--force-shell-executor", "--variable", &bin][..], arguments].concat())
    }

    /// gitlab-ci-local with these arguments.
    pub(crate) fn gitlab(&self, arguments: &[&str]) -> Said {
        self.gitlab_with(&std::env::var("PATH").unwrap_or_default(), arguments)
    }

    /// The same with programs from elsewhere.
    pub(crate) fn gitlab_with(&self, path: &str, arguments: &[&str]) -> Said {
        let mut command = self.command(tool("venv/bin/node"));
        command.env("PATH", path);
        command.arg(tool("node/node_modules/gitlab-ci-local/dist/index.js"));
        // Schemas are the linters' matter, and take most of the time here.
        command.arg("--json-schema-validation=false");
        // Else a variable of the job that starts a child pipeline wins over what the child sees.
        command.args(["--ignore-predefined-vars", "CI_PIPELINE_SOURCE"]).args(arguments);
        if let Ok(host) = std::env::var("CARNET_TEST_DOCKER_HOST") {
            command.env("DOCKER_HOST", host);
        }
        Said::of(&mut command)
    }
}

impl Said {
    fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let text = [output.stdout, output.stderr].map(|bytes| plain(&String::from_utf8_lossy(&bytes))).concat();
        Self { code: output.status.code().unwrap_or(-1), text }
    }

    /// Fails with all that was said when a text isn't part of it.
    #[track_caller]
    pub(crate) fn has(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(self.text.contains(text), "no `{text}` in\n{}", self.text);
        }
        self
    }

    #[track_caller]
    pub(crate) fn lacks(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "`{text}` in\n{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn ends(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}", self.text);
        self
    }
}

/// A text without its colours.
fn plain(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// A file of this project.
pub(crate) fn project(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A program that `make test-tools` installs.
pub(crate) fn tool(path: &str) -> PathBuf {
    let dir = std::env::var_os("CARNET_TOOLS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools"), PathBuf::from);
    let path = dir.join(path);
    assert!(path.exists(), "no {}: run `make test-tools`", path.display());
    path
}

/// A program for tests, which is a shell script.
pub(crate) fn script(path: &Path, text: &str) {
    let written = path.with_extension("text");
    fs::write(&written, format!("#!/bin/sh\n{text}\n")).expect("a file");
    program::put(&written, path);
    fs::remove_file(&written).expect("removed");
}

/// Status of each cell of a document, in order.
pub(crate) fn statuses(document: &Value) -> Vec<(&str, &str)> {
    let cells = document["cells"].as_array().expect("cells").iter();
    cells.map(|cell| (cell["id"].as_str().expect("an id"), cell["status"].as_str().expect("a status"))).collect()
}
