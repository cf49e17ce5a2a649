//! The packages, made once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Top of the repository.
pub(crate) const TOP: &str = env!("CARGO_MANIFEST_DIR");

/// The directory with what `.ci/package` makes.
pub(crate) fn packages() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| std::env::var_os("CARNET_PACKAGES").map_or_else(made, PathBuf::from))
}

fn made() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages");
    if dir.exists() {
        fs::remove_dir_all(&dir).expect("the packages of an earlier run");
    }
    let dir_text = dir.to_str().expect("a plain path");
    for arguments in [&["build", "--profile", "dev", dir_text][..], &["finish", dir_text]] {
        said(package(Path::new(TOP)).args(arguments));
    }
    dir
}

/// `.ci/package` of the repository at `top`. What cargo set for this test would make another build of it.
pub(crate) fn package(top: &Path) -> Command {
    let mut command = Command::new("sh");
    command.arg(".ci/package").current_dir(top);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") && !matches!(&*text, "CARGO_HOME" | "CARGO_TARGET_DIR") {
            command.env_remove(name);
        }
    }
    command.env("CARNET_TOOLS", tools());
    command
}

/// The one file of the packages whose name ends so.
pub(crate) fn file(end: &str) -> PathBuf {
    let entries = fs::read_dir(packages()).expect("the packages").map(|entry| entry.expect("an entry").path());
    let found: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(end)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().expect("one")
}

/// Where `make test-tools` puts tools.
pub(crate) fn tools() -> PathBuf {
    std::env::var_os("CARNET_TOOLS").map_or_else(|| Path::new(TOP).join("target/tools"), PathBuf::from)
}

/// A Python tool.
pub(crate) fn tool(name: &str) -> Command {
    let path = tools().join("venv/bin").join(name);
    assert!(path.exists(), "{} is not there: run `make test-tools` as root", path.display());
    Command::new(path)
}

/// Standard output of a command that must succeed.
#[track_caller]
pub(crate) fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n--- stdout\n{out}\n--- stderr\n{err}", output.status);
    out.into_owned()
}
