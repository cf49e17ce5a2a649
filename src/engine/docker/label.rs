//! Labels of containers, volumes and images, which the sweep uses.

use std::collections::HashMap;
use std::fs;

/// The id of the job.
pub(super) const RUN: &str = "carnet.run";
/// The process that created it, as returned by [`owner`].
pub(super) const OWNER: &str = "carnet.owner";
/// Id of the image below a saved state.
pub(super) const BASE: &str = "carnet.base";
/// Key of a saved state.
pub(super) const STATE_KEY: &str = "carnet.kept";

/// Returns the labels for a job.
pub(super) fn labels(job: &str) -> HashMap<String, String> {
    [(RUN.to_owned(), job.to_owned()), (OWNER.to_owned(), owner())].into()
}

/// Describes this process: machine, boot, process namespace, process id and start time, separated by spaces.
fn owner() -> String {
    let pid = std::process::id();
    format!("{} {pid} {}", namespace_id(), start_time(pid).unwrap_or_default())
}

/// Describes the process namespace in which a process id is valid.
fn namespace_id() -> String {
    let read = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let system = rustix::system::uname();
    format!(
        "{} {} {}",
        system.nodename().to_string_lossy(),
        read("/proc/sys/kernel/random/boot_id"),
        namespace.display()
    )
}

/// Returns when a process started, in ticks since the boot: the 22nd field of its status, the 20th after its name.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let after = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(&stat[after + 1..]).ok()?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Reports whether the process of these labels is dead. A process of another machine, boot or namespace may be alive.
pub(super) fn is_dead(labels: &HashMap<String, String>) -> bool {
    let Some(owner) = labels.get(OWNER).filter(|_| labels.contains_key(RUN)) else { return false };
    let Some(process) = owner.strip_prefix(&namespace_id()) else { return false };
    let mut fields = process.split_ascii_whitespace();
    let (Some(Ok(pid)), Some(Ok(start))) = (fields.next().map(str::parse), fields.next().map(str::parse)) else {
        return false;
    };
    start_time(pid) != Some(start)
}

#[cfg(test)]
mod tests {
    use super::{OWNER, is_dead, labels, namespace_id};

    #[test]
    fn is_dead_requires_a_dead_process_of_this_machine() {
        let mut run = labels("x");
        assert!(!is_dead(&run), "this process is alive");
        run.insert(OWNER.to_owned(), format!("{} 4194304 1", namespace_id()));
        assert!(is_dead(&run), "the process does not exist");
        run.insert(OWNER.to_owned(), format!("{} {} 1", namespace_id(), std::process::id()));
        assert!(is_dead(&run), "the process id was reused");
        run.insert(OWNER.to_owned(), "elsewhere boot pid:[1] 4194304 1".to_owned());
        assert!(!is_dead(&run), "a process of another machine may be alive");
        run.remove(OWNER);
        assert!(!is_dead(&run), "the labels have no owner");
    }
}
