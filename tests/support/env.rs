//! A temporary directory with an analysis, a home and a cache, and commands without this machine's environment.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::program::install_script;
use super::{CARNET, CommandOutput, read_json};

/// The lines of `carnet.toml` for a facility without an image: the tests run on this machine.
pub(crate) const HOST: &str = "[[facility]]\nid = \"here\"\nengine = \"host\"\n";

/// Git settings of every command: no configuration of this machine applies.
const GIT_CONFIG: [(&str, &str); 4] = [
    ("init.defaultBranch", "main"),
    ("user.name", "Jane"),
    ("user.email", "jane@example.org"),
    // Tests add submodules from directories.
    ("protocol.file.allow", "always"),
];

/// A temporary directory with a working directory, `home` and `cache`.
pub(crate) struct TestEnv {
    dir: TempDir,
    /// The directory in which commands run.
    work: PathBuf,
    search_path: OsString,
}

impl TestEnv {
    /// An empty analysis outside of any git repository.
    pub(crate) fn new() -> Self {
        Self::in_directory("analysis")
    }

    /// Like [`TestEnv::new`], with another name for the directory of the analysis.
    pub(crate) fn in_directory(name: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let work = dir.path().canonicalize().expect("a path").join(name);
        let env = Self { dir, work, search_path: std::env::var_os("PATH").unwrap_or_default() };
        fs::create_dir_all(env.analysis()).expect("a directory");
        fs::create_dir_all(env.home()).expect("a directory");
        env
    }

    /// An analysis whose `carnet.toml` runs `script` on this machine.
    pub(crate) fn with_test(script: &str) -> Self {
        let env = Self::new();
        env.write_script("t.sh", script);
        env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{HOST}"));
        env
    }

    /// A git repository with these files committed. Files that start with `#!` are executable.
    pub(crate) fn with_repository(files: &[(&str, &str)]) -> Self {
        let env = Self::new();
        for (path, text) in files {
            env.write(path, text);
        }
        env.git(&["init", "--quiet"]).assert_code(0);
        env.commit("files");
        env
    }

    /// The temporary directory.
    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().expect("a path")
    }

    /// The directory of the analysis, in which commands run.
    pub(crate) fn analysis(&self) -> PathBuf {
        self.work.clone()
    }

    /// Runs later commands in another directory.
    pub(crate) fn set_analysis(&mut self, directory: PathBuf) {
        self.work = directory;
    }

    /// `HOME` of every command.
    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// `CARNET_CACHE` of every command.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root().join("cache")
    }

    /// A path in the temporary directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Puts a directory at the front of `PATH`.
    pub(crate) fn prepend_path(&mut self, directory: &Path) {
        let mut path = directory.as_os_str().to_owned();
        path.push(":");
        path.push(&self.search_path);
        self.search_path = path;
    }

    /// Replaces `PATH`.
    pub(crate) fn set_path(&mut self, path: &str) {
        self.search_path = path.into();
    }

    /// Writes a file of the analysis. A text that starts with `#!` becomes executable.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.analysis().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, &text).expect("a file");
        if text.as_ref().starts_with(b"#!") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        path
    }

    /// Writes a shell script of the analysis, which is executable.
    pub(crate) fn write_script(&self, path: &str, text: &str) {
        self.write(path, format!("#!/bin/sh\n{text}\n"));
    }

    /// Writes a program that is started while other tests run.
    pub(crate) fn install_script(&self, path: &Path, text: &str) {
        install_script(path, text);
    }

    /// Reads a file of the analysis.
    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.analysis().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Reads a JSON file of the analysis.
    pub(crate) fn read_json(&self, path: &str) -> Value {
        read_json(&self.analysis().join(path))
    }

    /// The document of the last check.
    pub(crate) fn document(&self) -> Value {
        self.read_json("carnet-out/carnet.json")
    }

    /// A command in the analysis, with a scrubbed environment.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.analysis()).env_clear().stdin(Stdio::null());
        command.env("PATH", &self.search_path).env("HOME", self.home()).env("CARNET_CACHE", self.cache());
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_COUNT", GIT_CONFIG.len().to_string());
        for (index, (name, value)) in GIT_CONFIG.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), name).env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        command
    }

    /// The binary under test with these arguments.
    pub(crate) fn carnet_command(&self, arguments: &[&str]) -> Command {
        self.command(CARNET, arguments)
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn run(&self, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> CommandOutput {
        CommandOutput::run(&mut self.command(program, arguments))
    }

    /// Runs the binary under test to its end.
    #[track_caller]
    pub(crate) fn carnet(&self, arguments: &[&str]) -> CommandOutput {
        self.run(CARNET, arguments)
    }

    /// Runs git to its end.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> CommandOutput {
        self.run("git", arguments)
    }

    /// Commits all changes and returns the id of the commit.
    #[track_caller]
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]).assert_code(0);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]).assert_code(0);
        self.git(&["rev-parse", "HEAD"]).assert_code(0).stdout.trim().to_owned()
    }

    /// The text without temporary paths, object ids and durations.
    pub(crate) fn redact(&self, text: &str) -> String {
        let [analysis, root] = [self.analysis(), self.root()].map(|path| path.to_str().expect("UTF-8").to_owned());
        let text = text.replace(&analysis, "[ANALYSIS]").replace(&root, "[ROOT]");
        let words: Vec<&str> = text.split_inclusive(|c: char| c.is_whitespace()).collect();
        let is_duration = |index: usize| {
            let is_number = words[index].trim_start_matches('(').trim_end().parse::<f64>().is_ok();
            let unit = words.get(index + 1).map(|unit| unit.trim_end().trim_end_matches([')', ',', ';']));
            is_number && unit == Some("s")
        };
        (0..words.len())
            .map(|index| if is_duration(index) { redact_number(words[index]) } else { redact_ids(words[index]) })
            .collect()
    }

    /// Untracked and changed files of the analysis, as `git status --porcelain` prints them.
    pub(crate) fn changed_files(&self) -> String {
        self.git(&["status", "--porcelain"]).stdout
    }

    /// Path and content of every file of the analysis, without the reports.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut queue = vec![self.analysis()];
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

    /// Directories of runs in the cache. A finished run leaves none.
    pub(crate) fn cache_leftovers(&self) -> Vec<PathBuf> {
        let entries = |name: &str| fs::read_dir(self.cache().join(name)).into_iter().flatten().flatten();
        entries("stage").chain(entries("runs")).map(|entry| entry.path()).collect()
    }
}

/// Replaces the number in a word such as `(0.1 `.
fn redact_number(word: &str) -> String {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    word.replacen(is_number, "[TIME]", 1).replace(is_number, "")
}

/// Replaces hexadecimal numbers of 12 or more digits.
fn redact_ids(word: &str) -> String {
    let parts = word.split_inclusive(|c: char| !c.is_ascii_alphanumeric()).map(|part| {
        let id = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_id = id.len() >= 12 && id.bytes().all(|b| b.is_ascii_hexdigit());
        if is_id { part.replacen(id, "[ID]", 1) } else { part.to_owned() }
    });
    parts.collect()
}

/// Waits until a condition holds, and fails after a minute.
#[track_caller]
pub(crate) fn wait_until(description: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "after a minute: not {description}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
