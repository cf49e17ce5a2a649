//! Tests that run again in another process, which is killed, or has another user or mount namespace.

use std::path::Path;
use std::process::Command;

use crate::support::CommandOutput;

/// An ordinary user.
pub(crate) const NOBODY: u32 = 65534;

/// The command that runs one test of this binary. It fails if a requirement of the test is missing.
pub(crate) fn test_command(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the path of this binary"));
    command.args(["--exact", name, "--nocapture"]).env("CARNET_TEST_REQUIRE_ALL", "1");
    command
}

/// Fails unless `count` tests ran, and all passed. A filter that matches no test succeeds as well.
#[track_caller]
pub(crate) fn assert_passed(output: &CommandOutput, count: usize) {
    let result = output.stdout.lines().find_map(|line| line.strip_prefix("test result: "));
    let counts: Vec<&str> = result.unwrap_or_default().split("; ").take(3).collect();
    assert_eq!(counts.join("; "), format!("ok. {count} passed; 0 failed; 0 ignored"), "{}", output.text());
}

/// Copies a directory.
pub(crate) fn copy_directory(from: &Path, to: &Path) {
    let mut command = Command::new("cp");
    command.args(["-R", "--no-target-directory"]).args([from, to]);
    CommandOutput::run(&mut command).assert_code(0);
}
