//! Whether namespaces can be made here, found out by making some.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::protocol::SandboxReport;
use super::sandbox::{TRIAL, WORD};
use crate::engine::Availability;

const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn detect(helper: &Path) -> Availability {
    let mut command = Command::new(helper);
    command.args([WORD, TRIAL]).env_clear().stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let lines = match tokio::time::timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) => output.stdout,
        Ok(Err(e)) => return missing(&format!("this program can't start itself: {e}"), "see that /proc is mounted"),
        Err(_) => return missing("a trial took too long", "try again when the machine has less to do"),
    };
    let lines = String::from_utf8_lossy(&lines);
    match lines.lines().filter_map(|line| serde_json::from_str(line).ok()).next_back() {
        Some(SandboxReport::Works { overlay }) => ready(overlay),
        Some(SandboxReport::Failed { doing, reason }) => why_not(&doing, &reason),
        _ => missing("a trial ended without a word", "run `carnet doctor` again with RUST_BACKTRACE=1"),
    }
}

fn ready(overlay: bool) -> Availability {
    let who = if nix::unistd::geteuid().is_root() { "root" } else { "an ordinary user" };
    let how = if overlay { "with overlays" } else { "without overlays: image roots are read-only" };
    Availability::Ready(format!("namespaces of this kernel as {who}, {how}"))
}

fn missing(reason: &str, mend: &str) -> Availability {
    Availability::Missing { reason: reason.to_owned(), mend: mend.to_owned() }
}

/// Settings that forbid namespaces to users: the file, the value that forbids, and how to mend it.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
    ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
];

fn why_not(doing: &str, reason: &str) -> Availability {
    for (file, forbids, mend) in SETTINGS {
        let value = std::fs::read_to_string(Path::new("/proc/sys").join(file)).unwrap_or_default();
        if value.trim() == *forbids {
            let name = file.replace('/', ".");
            return missing(
                &format!("{doing}: {reason}; {name} is {forbids}"),
                &format!("as root: `{mend}`, or use another engine"),
            );
        }
    }
    let mend = if in_container() {
        "the container that carnet is in forbids namespaces: start it with `--security-opt seccomp=unconfined \
         --security-opt apparmor=unconfined --security-opt systempaths=unconfined`, or use the engine `host` in it"
    } else {
        "ask the administrator to allow user namespaces, or use another engine"
    };
    missing(&format!("{doing}: {reason}"), mend)
}

fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|file| Path::new(file).exists())
        // A filter of system calls, as containers have it: field `Seccomp` of proc_pid_status(5).
        || std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nSeccomp:\t2"))
}
