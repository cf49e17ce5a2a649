//! A directory with a small analysis in it, and the binary run there with nothing of this machine's environment.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The binary under test.
pub(crate) const CARNET: &str = env!("CARGO_BIN_EXE_carnet");

/// An analysis and a cache of its own.
pub(crate) struct Room {
    dir: TempDir,
}

/// What a run said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Room {
    /// An empty directory that is no git repository.
    pub(crate) fn new() -> Self {
        let room = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        fs::create_dir(room.top()).expect("a directory");
        room
    }

    /// One with a carnet.toml that runs `script` on this machine.
    pub(crate) fn testing(script: &str) -> Self {
        let room = Self::new();
        room.script("t.sh", script);
        room.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{HOST}"));
        room
    }

    pub(crate) fn top(&self) -> PathBuf {
        self.dir.path().join("analysis")
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.top().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, text).expect("a file");
        path
    }

    pub(crate) fn script(&self, path: &str, text: &str) {
        let path = self.write(path, format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    /// The binary with these arguments, in the analysis.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.other(CARNET, arguments)
    }

    /// Another program, in the analysis.
    pub(crate) fn other(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.top()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.dir.path()).env("CARNET_CACHE", self.dir.path().join("cache"));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&self.command(arguments).output().expect("it starts"))
    }

    /// The document that the last check wrote.
    pub(crate) fn document(&self) -> Value {
        read(&self.top().join("carnet-out/carnet.json"))
    }

    /// Everything below the analysis but the reports, with content.
    pub(crate) fn content(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut queue = vec![self.top()];
        while let Some(dir) = queue.pop() {
            for entry in fs::read_dir(dir).expect("a directory").flatten() {
                let path = entry.path();
                if path.is_dir() && !path.ends_with("carnet-out") {
                    queue.push(path);
                } else if path.is_file() {
                    found.push((path.clone(), fs::read(&path).expect("a file")));
                }
            }
        }
        found.sort();
        found
    }

    /// What is left of runs in the cache: nothing should be.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let inside =
            |name: &str| fs::read_dir(self.dir.path().join("cache").join(name)).into_iter().flatten().flatten();
        inside("stage").chain(inside("runs")).map(|entry| entry.path()).collect()
    }
}

/// A facility that is this machine.
pub(crate) const HOST: &str = "[[facility]]\nid = \"here\"\nengine = \"host\"\n";

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Fails with all that was said when the code is another one.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }
}

pub(crate) fn read(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}
