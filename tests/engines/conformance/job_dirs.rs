//! The files of a case.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// Prefix of the directories of cases, which differs from that of engines.
const PREFIX: &str = "conformance-";

/// Directories of this machine for one case.
pub(crate) struct JobDirs {
    dir: TempDir,
    /// A text that is unique to the run.
    pub mark: String,
}

impl JobDirs {
    /// Creates the input, two directories to mount, and a file outside of them that the program must not read.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let dir = tempfile::Builder::new().prefix(PREFIX).tempdir().expect("a temporary directory");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
        let mark = format!("mark-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let env = Self { dir, mark };
        for name in ["in", "in/sub", "ro", "rw"] {
            env.make_dir(name);
        }
        env.write("in/hello.txt", b"hello from outside\n", 0o644);
        env.write("in/sub/bytes", &[0, 255, 10, 13, 0], 0o644);
        env.write("in/run.sh", b"#!/bin/sh\necho started \"$@\"\n", 0o755);
        env.write("ro/note", b"mounted\n", 0o644);
        env.write("secret", b"the secret of this machine\n", 0o644);
        std::os::unix::fs::symlink("hello.txt", env.path("in/link")).expect("a link");
        fs::set_permissions(env.path("rw"), fs::Permissions::from_mode(0o777)).expect("a mode");
        env
    }

    /// A path in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Like [`JobDirs::path`], as text.
    pub(crate) fn text_path(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn make_dir(&self, name: &str) {
        fs::create_dir(self.path(name)).expect("a directory");
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    fn write(&self, name: &str, content: &[u8], mode: u32) {
        fs::write(self.path(name), content).expect("a file");
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("a mode");
    }

    /// Names and contents of the input, which a run does not change.
    pub(crate) fn input(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        for dir in ["in", "in/sub"] {
            for entry in fs::read_dir(self.path(dir)).expect("the input").map(|e| e.expect("an entry")) {
                let content = fs::read(entry.path()).unwrap_or_default();
                found.push((format!("{dir}/{}", entry.file_name().display()), content));
            }
        }
        found.sort();
        found
    }
}

/// The peak memory of this process in bytes.
pub(crate) fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the status of this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kib * 1024
}
