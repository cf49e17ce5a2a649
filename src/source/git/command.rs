//! The `git` command.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::GitError;
use super::special;
use crate::sys::environment;

/// Maximum size in bytes of the output of a command.
const MAX_OUTPUT: u64 = 256 << 20;
/// Maximum size in bytes of the error output of a command.
const MAX_ERROR_OUTPUT: u64 = 1 << 16;
/// Maximum number of characters of an error message of git.
const MAX_MESSAGE: usize = 300;
/// Environment variables that contain paths. Relative paths are relative to the working directory of this process.
const PATH_VARIABLES: [&str; 3] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR"];

/// The command `git`, run in one directory.
pub struct Git {
    dir: PathBuf,
}

impl Git {
    /// Runs git in `dir`, or in its nearest parent that exists.
    pub fn at(dir: &Path) -> Self {
        let existing = dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
        Self { dir: existing.to_owned() }
    }

    /// Returns a command with these arguments that reads no input.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(&self.dir).stdin(Stdio::null()).stderr(Stdio::piped());
        // No network access, no prompts, and untranslated messages.
        command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        // A push sends the original objects, not those of `git replace`.
        command.env("GIT_NO_REPLACE_OBJECTS", "1");
        for name in PATH_VARIABLES {
            if let Some(value) = environment::var_os(name)
                && let Ok(absolute) = std::path::absolute(value)
            {
                command.env(name, absolute);
            }
        }
        command
    }

    /// Checks that git would not read a pipe or a device, which may never end.
    ///
    /// # Errors
    /// If it would.
    pub fn check_files(&self) -> Result<(), GitError> {
        special::find(&self.dir).map_or(Ok(()), |path| Err(GitError::Special(path)))
    }

    /// Returns the output of git with these arguments.
    ///
    /// # Errors
    /// If git would read a pipe or a device, can't be started, exits with an error (the message is the last line of its error output) or prints more than
    /// 256 MiB.
    pub fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        self.check_files()?;
        let mut child = self.command(arguments).stdout(Stdio::piped()).spawn().map_err(GitError::Run)?;
        // Both pipes are read at the same time: git blocks if one is full.
        let stderr = child.stderr.take();
        let error_reader = std::thread::spawn(move || {
            let mut output = Vec::new();
            let _ = stderr.map(|stderr| stderr.take(MAX_ERROR_OUTPUT).read_to_end(&mut output));
            output
        });
        let mut bytes = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MAX_OUTPUT + 1).read_to_end(&mut bytes).map_err(GitError::Run)?;
        }
        if bytes.len() as u64 > MAX_OUTPUT {
            let _ = child.kill().and_then(|()| child.wait().map(drop));
            return Err(GitError::TooMuchOutput { arguments: arguments.join(" "), limit: MAX_OUTPUT });
        }
        if child.wait().map_err(GitError::Run)?.success() {
            return Ok(bytes);
        }
        let output = error_reader.join().unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        let message = output.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("git failed without a message");
        Err(GitError::Failed(message.trim_start_matches("fatal: ").chars().take(MAX_MESSAGE).collect()))
    }

    /// Returns the output of git without the final line break.
    ///
    /// # Errors
    /// As [`Self::run`], and if the output is empty or not valid UTF-8.
    pub fn line(&self, arguments: &[&str]) -> Result<String, GitError> {
        let text = String::from_utf8(self.run(arguments)?).map_err(|_| GitError::InvalidUtf8)?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        if line.is_empty() { Err(GitError::NoOutput) } else { Ok(line.to_owned()) }
    }

    /// Returns the id of the commit that `name` refers to. Tags are followed.
    ///
    /// # Errors
    /// If there is no such commit.
    pub fn commit(&self, name: &str) -> Result<String, GitError> {
        let revision = format!("{name}^{{commit}}");
        let output = self.line(&["rev-parse", "--verify", "--quiet", "--end-of-options", &revision]);
        // Versions before 2.30 also print the option `--end-of-options`, on a line before the id.
        let id = output.map(|text| text.lines().next_back().unwrap_or_default().to_owned());
        id.map_err(|_| GitError::CommitNotFound(name.to_owned()))
    }

    /// Returns the best common ancestor of a commit and of others.
    pub fn merge_base(&self, commit: &str, others: &[&str]) -> Option<String> {
        let id = self.line(&[&["merge-base", commit], others].concat()).ok()?;
        id.lines().next().map(str::to_owned)
    }

    /// Returns all best common ancestors of a commit and of others. None of them is an ancestor of another.
    pub fn merge_bases(&self, commit: &str, others: &[&str]) -> Vec<String> {
        let ids = self.line(&[&["merge-base", "--all", commit], others].concat()).unwrap_or_default();
        ids.lines().map(str::to_owned).collect()
    }
}
