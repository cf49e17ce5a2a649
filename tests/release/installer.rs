//! The installer of the GitHub Action with the packages.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::packages::{VERSION, packages, stdout};
use crate::support::repository;

fn installer_installs_packages() {
    let dir = tempfile::tempdir().expect("a directory");
    symlink(packages(), dir.path().join(format!("v{VERSION}"))).expect("a link");
    let mut install = Command::new("sh");
    install.arg(repository().join("ci/install.sh")).env_clear();
    install.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("RUNNER_TEMP", dir.path());
    install.env("CARNET_BASE_URL", format!("file://{}", dir.path().display()));
    let binary = stdout(&mut install);
    assert_eq!(stdout(Command::new(binary.trim_end()).arg("--version")), format!("carnet {VERSION}\n"));
}

crate::support::harness::register!(
    [Tool("venv/bin/python")]:
    installer_installs_packages,
);
