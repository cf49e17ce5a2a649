//! The descendants of this process, found through `/proc` (proc(5)).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group, wait};

use crate::model::cell::End;

/// Maximum time for killing. A process that is stuck in the kernel can't be killed.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);

/// One process of `/proc`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    parent: i32,
    group: i32,
    /// Whether the process has ended and waits to be reaped.
    is_dead: bool,
    name: String,
}

/// The children that this process had before it started a command. They do not belong to the command.
#[derive(Debug, Default)]
pub(crate) struct Before(BTreeSet<i32>);

impl Before {
    /// Returns the current children.
    pub(super) fn now() -> Self {
        let me = own_pid();
        let table = table().unwrap_or_default();
        Self(table.into_iter().filter(|(_, process)| process.parent == me).map(|(pid, _)| pid).collect())
    }
}

/// Returns the names of live descendants by process id, without those of `before`.
///
/// A process whose parent ends becomes a child of this process, which is a subreaper. Forking twice or starting a
/// session therefore hides no process. The result is empty if `/proc` can't be used.
pub(crate) fn live(before: &Before) -> BTreeMap<i32, String> {
    let found = all(before).into_iter().filter(|(_, process)| !process.is_dead);
    found.map(|(pid, process)| (pid, process.name)).collect()
}

/// Returns all descendants, including dead ones that are not reaped.
fn all(before: &Before) -> BTreeMap<i32, Process> {
    let Some(table) = table() else { return BTreeMap::new() };
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for (&pid, process) in &table {
        children.entry(process.parent).or_default().push(pid);
    }
    let mut found = BTreeMap::new();
    let mut open: Vec<i32> = children.get(&own_pid()).into_iter().flatten().copied().collect();
    open.retain(|pid| !before.0.contains(pid));
    while let Some(pid) = open.pop() {
        if let Some(process) = table.get(&pid) {
            found.insert(pid, process.clone());
        }
        open.extend(children.get(&pid).into_iter().flatten());
    }
    found
}

/// Kills every descendant except those of `before`, and calls `reap` between the rounds. Returns the number of
/// processes that could not be killed.
pub(super) fn kill_all(before: &Before, mut reap: impl FnMut()) -> usize {
    let end = Instant::now() + KILL_TIMEOUT;
    let mut pause = Duration::from_millis(1);
    loop {
        if own_pid() == 1 {
            // The first process of a container. One call kills every other process, even one that forks.
            let _ = kill_process_group(Pid::INIT, Signal::KILL);
        } else {
            kill_round(&all(before));
        }
        reap();
        let left = live(before).len();
        if left == 0 || Instant::now() >= end {
            return left;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Kills process groups first. The kernel does that in one step, which reaches processes that fork faster than `/proc`
/// can be read. The group of a dead process may still contain live ones.
fn kill_round(found: &BTreeMap<i32, Process>) {
    let own_group = own_group();
    let groups: BTreeSet<i32> = found.values().map(|process| process.group).collect();
    for group in groups.into_iter().filter(|&group| group > 1 && group != own_group) {
        let _ = Pid::from_raw(group).map(|group| kill_process_group(group, Signal::KILL));
    }
    for (&pid, _) in found.iter().filter(|(_, process)| !process.is_dead) {
        let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::KILL));
    }
}

/// Waits for the child with this process id and returns how it ended. Orphans that end meanwhile are reaped.
pub(crate) fn wait_for(child: u32) -> End {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if u32::try_from(pid.as_raw_nonzero().get()) == Ok(child) => {
                if let Some(end) = end_of(status) {
                    return end;
                }
            }
            Ok(_) | Err(Errno::INTR) => (),
            Err(error) => return End::NotStarted { reason: format!("failed to wait for the program: {error}") },
        }
    }
}

/// Returns how a process ended, or `None` if it did not end.
pub(super) fn end_of(status: WaitStatus) -> Option<End> {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Some(End::Exit { code }),
        (None, signal) => signal.map(|signal| End::Signal { signal }),
    }
}

fn own_pid() -> i32 {
    getpid().as_raw_nonzero().get()
}

/// Returns the process group of this process. It is 0 if the leader of the group is in another process namespace, which
/// rustix's `getpgrp` does not support.
fn own_group() -> i32 {
    let stat = fs::read("/proc/self/stat").unwrap_or_default();
    parse(&String::from_utf8_lossy(&stat)).map_or(0, |process| process.group)
}

/// Returns all processes, or `None` if `/proc` is missing or shows another process namespace, where the same number is
/// another process.
fn table() -> Option<BTreeMap<i32, Process>> {
    let me = fs::read_link("/proc/self").ok()?;
    if me.to_str()?.parse() != Ok(own_pid()) {
        return None;
    }
    let mut table = BTreeMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // The process ended after the directory was read.
        let Ok(stat) = fs::read(entry.path().join("stat")) else { continue };
        if let Some(process) = parse(&String::from_utf8_lossy(&stat)) {
            table.insert(pid, process);
        }
    }
    Some(table)
}

/// Parses `/proc/PID/stat`. The name is in parentheses and may itself contain parentheses and spaces.
fn parse(stat: &str) -> Option<Process> {
    let (front, rest) = stat.rsplit_once(')')?;
    let (_, name) = front.split_once('(')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    Some(Process { parent, group, is_dead: matches!(state, "Z" | "X" | "x"), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::{Process, parse};

    #[test]
    fn parse_reads_name_with_parentheses_and_spaces() {
        let found = parse("17 (a) S (b) Z 4 17 17 0 -1");
        assert_eq!(found, Some(Process { parent: 4, group: 17, is_dead: true, name: "a) S (b".to_owned() }));
        assert_eq!(parse("17 sleep S 4 17"), None);
    }
}
