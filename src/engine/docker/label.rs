//! Labels on what is made in the daemon, by which leftovers are found.

use std::collections::HashMap;
use std::fs;

/// The job.
pub(super) const RUN: &str = "carnet.run";
/// The process that made it, as [`owner`] writes it.
pub(super) const OWNER: &str = "carnet.owner";
/// On a kept state: id of the image below it.
pub(super) const BASE: &str = "carnet.base";
/// On a kept state: its key.
pub(super) const KEPT: &str = "carnet.kept";

/// The labels of things of this job.
pub(super) fn labels(job: &str) -> HashMap<String, String> {
    [(RUN.to_owned(), job.to_owned()), (OWNER.to_owned(), owner())].into()
}

/// This process: machine, boot, process namespace, process id and start time, divided by spaces.
fn owner() -> String {
    let pid = std::process::id();
    format!("{} {pid} {}", place(), started(pid).unwrap_or_default())
}

/// What has to be the same for a process id to mean the same process.
fn place() -> String {
    let read = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let host = nix::unistd::gethostname().unwrap_or_default();
    format!("{} {} {}", host.display(), read("/proc/sys/kernel/random/boot_id"), namespace.display())
}

/// When a process started, in ticks since the boot: the 22nd field of its status, the 20th after its name.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let after = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(&stat[after + 1..]).ok()?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Whether these labels are of a run whose process is known to be dead. A process of another machine, boot or namespace
/// may be alive.
pub(super) fn is_dead(labels: &HashMap<String, String>) -> bool {
    let Some(owner) = labels.get(OWNER).filter(|_| labels.contains_key(RUN)) else { return false };
    let Some(process) = owner.strip_prefix(&place()) else { return false };
    let mut fields = process.split_ascii_whitespace();
    let (Some(Ok(pid)), Some(Ok(start))) = (fields.next().map(str::parse), fields.next().map(str::parse)) else {
        return false;
    };
    started(pid) != Some(start)
}

#[cfg(test)]
mod tests {
    use super::{OWNER, is_dead, labels, place};

    #[test]
    fn only_a_dead_process_of_this_place_is_dead() {
        let mut run = labels("x");
        assert!(!is_dead(&run), "this process lives");
        run.insert(OWNER.to_owned(), format!("{} 4194304 1", place()));
        assert!(is_dead(&run), "there is no such process");
        run.insert(OWNER.to_owned(), format!("{} {} 1", place(), std::process::id()));
        assert!(is_dead(&run), "the process id was used again");
        run.insert(OWNER.to_owned(), "elsewhere boot pid:[1] 4194304 1".to_owned());
        assert!(!is_dead(&run), "another machine's is not ours to judge");
        run.remove(OWNER);
        assert!(!is_dead(&run), "no owner is known");
    }
}
