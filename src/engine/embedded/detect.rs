//! Detects whether namespaces can be created here by creating some.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::protocol::SandboxReport;
use super::sandbox::{PROBE, ROLE};
use crate::engine::Availability;
use crate::sys::helper::{HELPER_ARG, parse_reports};

/// Maximum time for the probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn detect(program: &Path) -> Availability {
    let mut command = Command::new(program);
    command.args([HELPER_ARG, ROLE, PROBE]).env_clear().stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(PROBE_TIMEOUT, command.output()).await {
        Ok(Ok(output)) => output.stdout,
        Ok(Err(e)) => {
            return missing(&format!("carnet can't start itself as a helper: {e}"), "check that /proc is mounted");
        }
        Err(_) => return missing("the probe timed out", "try again when the machine is less busy"),
    };
    match parse_reports(&output).next_back() {
        Some(SandboxReport::Works { overlay }) => ready(overlay),
        Some(SandboxReport::Failed { doing, reason }) => refused(&doing, &reason),
        _ => missing("the probe ended without a report", "run `carnet doctor` again with RUST_BACKTRACE=1"),
    }
}

fn ready(overlay: bool) -> Availability {
    let user = if rustix::process::geteuid().is_root() { "root" } else { "an ordinary user" };
    let extent = if overlay { "with overlays" } else { "without overlays: image roots are read-only" };
    Availability::Ready(format!("kernel namespaces as {user}, {extent}"))
}

fn missing(reason: &str, hint: &str) -> Availability {
    Availability::Missing { reason: reason.to_owned(), hint: hint.to_owned() }
}

/// Settings that forbid namespaces to users: the file, the value that forbids them, and the command that allows them.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
    ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
];

fn refused(doing: &str, reason: &str) -> Availability {
    for (file, forbids, fix) in SETTINGS {
        let value = std::fs::read_to_string(Path::new("/proc/sys").join(file)).unwrap_or_default();
        if value.trim() == *forbids {
            let name = file.replace('/', ".");
            return missing(
                &format!("{doing}: {reason}; {name} is {forbids}"),
                &format!("run `{fix}` as root or use another engine"),
            );
        }
    }
    let hint = if is_in_container() {
        "carnet runs in a container that does not allow namespaces; start the container with `--security-opt \
         seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined`, or use the engine \
         `host`"
    } else {
        "ask the administrator to allow user namespaces, or use another engine"
    };
    missing(&format!("{doing}: {reason}"), hint)
}

fn is_in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|file| Path::new(file).exists())
        // Containers filter system calls: field `Seccomp` in proc_pid_status(5).
        || std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nSeccomp:\t2"))
}
