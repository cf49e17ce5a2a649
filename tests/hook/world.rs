//! A home, a remote, a repository that pushes to it, and git with nobody's configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::program;

/// The binary under test.
pub(crate) const CARNET: &str = env!("CARGO_BIN_EXE_carnet");
/// A program with one finding of severity error.
pub(crate) const FLAGGED: &str = "#!/bin/bash\ncd /afs/cern.ch/user/j/jdoe/work\n";
/// What the hook says of it.
pub(crate) const SAID: &str = "[home-path]";
/// A program without one.
pub(crate) const CLEAN: &str = "#!/bin/bash\ncd \"$1\"\n";

/// Where everything is.
pub(crate) struct World {
    dir: TempDir,
    /// The repository that git is run in.
    pub(crate) here: PathBuf,
    path: String,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Fails with all that was said when the code is another one.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// The push went through, and the hook said nothing.
    #[track_caller]
    pub(crate) fn silent(self) -> Self {
        let said = self.expect(0);
        assert!(!said.err.contains("carnet"), "{}", said.err);
        said
    }

    /// The hook stopped the push for what it says of this.
    #[track_caller]
    pub(crate) fn stopped(self, about: &str) -> Self {
        let said = self.expect(1);
        let is_told = said.err.contains(about) && said.err.contains("carnet: the push is stopped");
        assert!(is_told, "nothing about {about}:\n{}", said.err);
        said
    }
}

impl World {
    /// A repository without commits, a remote `origin`, and the hook.
    pub(crate) fn new() -> Self {
        Self::of("sha1")
    }

    /// The same with other hashes.
    pub(crate) fn of(format: &str) -> Self {
        let world = Self::bare(format);
        world.install(&[]).expect(0);
        world
    }

    /// The same without the hook.
    pub(crate) fn bare(format: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let top = dir.path().canonicalize().expect("a path");
        let path = std::env::var("PATH").unwrap_or_default();
        let world = Self { dir, here: top.join("work"), path };
        fs::create_dir(top.join("home")).expect("a directory");
        fs::create_dir(&world.here).expect("a directory");
        let format = format!("--object-format={format}");
        world.git(&["init", "-q", "--bare", &format, "../remote.git"]).expect(0);
        world.git(&["init", "-q", &format]).expect(0);
        world.git(&["remote", "add", "origin", "../remote.git"]).expect(0);
        world
    }

    /// One with a clean commit that the remote has.
    pub(crate) fn pushed() -> Self {
        let world = Self::new();
        world.write("old.sh", CLEAN);
        world.commit("one");
        world.git(&["push", "-q", "origin", "main"]).silent();
        world
    }

    /// The directory that everything is in.
    pub(crate) fn top(&self) -> PathBuf {
        self.dir.path().canonicalize().expect("a path")
    }

    /// Lets programs of this directory be found first.
    pub(crate) fn find_in(&mut self, dir: &Path) {
        self.path = format!("{}:{}", dir.display(), self.path);
    }

    /// Lets only the programs of the system be found.
    pub(crate) fn find_little(&mut self) {
        self.path = "/usr/local/bin:/usr/bin:/bin".to_owned();
    }

    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.here).env_clear().stdin(Stdio::null()).env("PATH", &self.path);
        let top = self.top();
        command.env("HOME", top.join("home")).env("CARNET_CACHE", top.join("cache"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("PRE_COMMIT_HOME", top.join("pre-commit"));
        for (name, value) in [("init.defaultBranch", "main"), ("user.name", "Jane"), ("user.email", "jane@example.org")]
        {
            let at = ["init.defaultBranch", "user.name", "user.email"].iter().position(|one| *one == name).unwrap_or(0);
            command.env(format!("GIT_CONFIG_KEY_{at}"), name).env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        command.env("GIT_CONFIG_COUNT", "3");
        command
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Said {
        Said::of(&self.command(program, arguments).output().unwrap_or_else(|error| panic!("{program}: {error}")))
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> Said {
        self.run("git", arguments)
    }

    pub(crate) fn carnet(&self, arguments: &[&str]) -> Said {
        self.run(CARNET, arguments)
    }

    /// Installs the hook, with more time than it has in life: how long it takes is no matter of tests.
    pub(crate) fn install(&self, arguments: &[&str]) -> Said {
        self.carnet(&[&["hook", "install", "--budget", "60s"], arguments].concat())
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.here.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, text).expect("a file");
        path
    }

    /// A program in a directory that need not be in the repository.
    pub(crate) fn script(&self, path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        let written = self.top().join("script");
        fs::write(&written, format!("#!/bin/sh\n{text}\n")).expect("a file");
        program::put(&written, path);
    }

    /// Commits everything and gives the id.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]).expect(0);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]).expect(0);
        self.git(&["rev-parse", "HEAD"]).expect(0).out.trim().to_owned()
    }

    /// A commit with a program that is flagged.
    pub(crate) fn commit_flagged(&self, path: &str) -> String {
        self.write(path, FLAGGED);
        self.commit(path)
    }

    /// Pushes to `origin`.
    pub(crate) fn push(&self, arguments: &[&str]) -> Said {
        self.git(&[&["push", "origin"], arguments].concat())
    }

    /// What the remote has under this name.
    pub(crate) fn remote_has(&self, name: &str) -> bool {
        self.git(&["ls-remote", "--exit-code", "origin", name]).code == 0
    }
}
