//! A repository with a remote, in which git starts the installed hook.

use std::fs;
use std::ops::{Deref, DerefMut};

use super::{CommandOutput, TestEnv};

/// A program with one `error` finding.
pub(crate) const FLAGGED: &str = "#!/bin/bash\ncd /afs/cern.ch/user/j/jdoe/work\n";
/// Part of the hook's output for [`FLAGGED`].
pub(crate) const FLAGGED_RULE: &str = "[home-path]";
/// A program without findings.
pub(crate) const CLEAN: &str = "#!/bin/bash\ncd \"$1\"\n";

/// A repository in `work` with a bare remote `origin` next to it.
pub(crate) struct HookEnv(TestEnv);

impl Deref for HookEnv {
    type Target = TestEnv;

    fn deref(&self) -> &TestEnv {
        &self.0
    }
}

impl DerefMut for HookEnv {
    fn deref_mut(&mut self) -> &mut TestEnv {
        &mut self.0
    }
}

impl HookEnv {
    /// A repository without commits, a remote, and the installed hook.
    pub(crate) fn new() -> Self {
        Self::with_object_format("sha1")
    }

    /// Like [`HookEnv::new`], with `sha1` or `sha256` object ids.
    pub(crate) fn with_object_format(format: &str) -> Self {
        let env = Self::without_hook(format);
        env.install(&[]).assert_code(0);
        env
    }

    /// Like [`HookEnv::with_object_format`], without the hook.
    pub(crate) fn without_hook(format: &str) -> Self {
        let env = Self(TestEnv::in_directory("work"));
        let format = format!("--object-format={format}");
        env.git(&["init", "-q", "--bare", &format, "../remote.git"]).assert_code(0);
        env.git(&["init", "-q", &format]).assert_code(0);
        env.git(&["remote", "add", "origin", "../remote.git"]).assert_code(0);
        env
    }

    /// A repository with one clean commit that the remote has.
    pub(crate) fn with_pushed_commit() -> Self {
        let env = Self::new();
        env.write("old.sh", CLEAN);
        env.commit("one");
        env.git(&["push", "-q", "origin", "main"]).assert_silent();
        env
    }

    /// Installs the hook with a time budget that a busy machine does not exceed.
    pub(crate) fn install(&self, arguments: &[&str]) -> CommandOutput {
        self.carnet(&[&["hook", "install", "--budget", "60s"], arguments].concat())
    }

    /// Commits a program with a finding.
    pub(crate) fn commit_flagged(&self, path: &str) -> String {
        self.write(path, FLAGGED);
        self.commit(path)
    }

    /// Pushes to `origin`. Git itself prints only errors.
    pub(crate) fn push(&self, arguments: &[&str]) -> CommandOutput {
        self.git(&[&["push", "--quiet", "origin"], arguments].concat())
    }

    /// The output of the hook without the messages of findings, which depend on the facilities that carnet knows.
    pub(crate) fn redact_messages(&self, output: &CommandOutput) -> String {
        let lines = output.stderr.lines().filter(|line| !line.starts_with("        ")).map(|line| {
            let is_finding = line.starts_with("  error ") || line.starts_with("  warning ");
            let parts = line.split_once(": ").zip(line.rsplit_once(" [")).filter(|_| is_finding);
            parts.map_or_else(|| line.to_owned(), |((location, _), (_, rule))| format!("{location}: [MESSAGE] [{rule}"))
        });
        self.redact(&lines.collect::<Vec<_>>().join("\n"))
    }

    /// Reports whether the remote has a ref of this name.
    pub(crate) fn remote_has(&self, name: &str) -> bool {
        self.git(&["ls-remote", "--exit-code", "origin", name]).code == 0
    }
}

impl CommandOutput {
    /// A quiet push succeeded and the hook printed nothing.
    #[track_caller]
    pub(crate) fn assert_silent(self) -> Self {
        let output = self.assert_code(0);
        assert_eq!(output.text(), "");
        output
    }

    /// The hook blocked the push and printed `reason`.
    #[track_caller]
    pub(crate) fn assert_blocked(self, reason: &str) -> Self {
        let output = self.assert_code(1);
        output.assert_contains(&[reason, "carnet: push blocked; "]);
        output
    }
}
