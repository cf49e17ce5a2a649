//! The processes below this one, found through `/proc` (proc(5)), and their end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// How long killing goes on before what is left is given up, such as a process stuck in the kernel.
const PATIENCE: Duration = Duration::from_secs(10);

/// One process of `/proc`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    parent: i32,
    group: i32,
    /// Ended, waiting for its parent to notice.
    dead: bool,
    name: String,
}

/// The children this process had before a command was started: those are none of the command's.
#[derive(Debug, Default)]
pub(crate) struct Before(BTreeSet<i32>);

impl Before {
    /// The children there are now.
    pub(super) fn now() -> Self {
        let me = own_pid();
        let table = table().unwrap_or_default();
        Self(table.into_iter().filter(|(_, process)| process.parent == me).map(|(pid, _)| pid).collect())
    }
}

/// Live processes below this one by process id with their names, apart from those of `before`.
///
/// Whoever leaves its parent becomes a child of this process (it is a subreaper), so none gets lost by forking twice
/// or by starting a session of its own. Empty when `/proc` can't be used.
pub(crate) fn live(before: &Before) -> BTreeMap<i32, String> {
    let found = all(before).into_iter().filter(|(_, process)| !process.dead);
    found.map(|(pid, process)| (pid, process.name)).collect()
}

/// All of them, the dead ones that nobody has noticed yet included.
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

/// Kills every process below this one, apart from those of `before`, and calls `reap` between the rounds. Gives back
/// how many are still there when it has to give up; 0 otherwise.
pub(super) fn kill_all(before: &Before, mut reap: impl FnMut()) -> usize {
    let end = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(1);
    loop {
        if own_pid() == 1 {
            // As the first process of a container: one call, which no fork can outrun.
            let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
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

/// Kills groups first: the kernel does that in one step, so processes that fork faster than `/proc` can be read are
/// met as well, as long as they stay in their group. A dead one still tells the group of the living.
fn kill_round(found: &BTreeMap<i32, Process>) {
    let own_group = nix::unistd::getpgrp().as_raw();
    let groups: BTreeSet<i32> = found.values().map(|process| process.group).collect();
    for group in groups.into_iter().filter(|&group| group > 1 && group != own_group) {
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    for (&pid, _) in found.iter().filter(|(_, process)| !process.dead) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

fn own_pid() -> i32 {
    nix::unistd::getpid().as_raw()
}

/// All processes; none when `/proc` is not there or speaks of another process namespace, where its numbers would
/// mean other processes.
fn table() -> Option<BTreeMap<i32, Process>> {
    let me = fs::read_link("/proc/self").ok()?;
    if me.to_str()?.parse() != Ok(own_pid()) {
        return None;
    }
    let mut table = BTreeMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // Gone since the directory was read: nothing to miss.
        let Ok(stat) = fs::read(entry.path().join("stat")) else { continue };
        if let Some(process) = parse(&String::from_utf8_lossy(&stat)) {
            table.insert(pid, process);
        }
    }
    Some(table)
}

/// Reads `/proc/PID/stat`. The name stands in parentheses and may hold parentheses and spaces itself.
fn parse(stat: &str) -> Option<Process> {
    let (front, rest) = stat.rsplit_once(')')?;
    let (_, name) = front.split_once('(')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    Some(Process { parent, group, dead: matches!(state, "Z" | "X" | "x"), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::{Process, parse};

    #[test]
    fn a_name_with_parentheses_and_spaces_is_read_whole() {
        let found = parse("17 (a) S (b) Z 4 17 17 0 -1");
        assert_eq!(found, Some(Process { parent: 4, group: 17, dead: true, name: "a) S (b".to_owned() }));
        assert_eq!(parse("17 sleep S 4 17"), None);
    }
}
