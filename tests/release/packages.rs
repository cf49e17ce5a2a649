//! The packages, which are created once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::engine::tool;
use crate::support::{CommandOutput, lasting_dir, repository};

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The directory with the packages.
pub(crate) fn packages() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| std::env::var_os("CARNET_PACKAGES").map_or_else(create, PathBuf::from))
}

/// Creates packages of the debug build.
fn create() -> PathBuf {
    let dir = lasting_dir("packages");
    if dir.exists() {
        fs::remove_dir_all(&dir).expect("the packages of an earlier run");
    }
    let dir_text = dir.to_str().expect("UTF-8");
    for arguments in [&["build", "--profile", "dev", dir_text][..], &["finish", dir_text]] {
        stdout(package_script(repository()).args(arguments));
    }
    dir
}

/// The script `.ci/package` of the repository at `top`.
pub(crate) fn package_script(top: &Path) -> Command {
    let mut command = Command::new("sh");
    command.arg(".ci/package").current_dir(top);
    // The variables that cargo sets for tests would cause a new build.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") && !matches!(&*text, "CARGO_HOME" | "CARGO_TARGET_DIR") {
            command.env_remove(name);
        }
    }
    command.env("CARNET_TOOLS", tool("venv").parent().expect("a parent"));
    command
}

/// The only package whose name ends with `end`.
pub(crate) fn package(end: &str) -> PathBuf {
    let entries = fs::read_dir(packages()).expect("the packages").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(end)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// The name of a package.
pub(crate) fn name(package: &Path) -> String {
    package.file_name().expect("a name").to_string_lossy().into_owned()
}

/// The standard output of a command that must succeed.
#[track_caller]
pub(crate) fn stdout(command: &mut Command) -> String {
    CommandOutput::run(command).assert_code(0).stdout
}
