//! The installer of the GitHub Action, with the packages themselves: both know the names of the files.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::packages::{TOP, packages, said};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn the_action_finds_checks_and_unpacks_what_was_packaged() {
    let dir = tempfile::tempdir().expect("a directory");
    symlink(packages(), dir.path().join(format!("v{VERSION}"))).expect("a link");
    let mut install = Command::new("sh");
    install.arg(Path::new(TOP).join("ci/install.sh")).env_clear();
    install.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("RUNNER_TEMP", dir.path());
    install.env("CARNET_BASE_URL", format!("file://{}", dir.path().display()));
    let binary = said(&mut install);
    assert_eq!(said(Command::new(binary.trim_end()).arg("--version")), format!("carnet {VERSION}\n"));
}

crate::support::harness::register!(
    []:
    the_action_finds_checks_and_unpacks_what_was_packaged,
);
