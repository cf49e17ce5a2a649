//! Limits by control groups of version 2 or 1, where this process may create them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::protocol::Group;
use crate::engine::job::part;
use crate::model::contract::Contract;

const BASE: &str = "/sys/fs/cgroup";
/// Number of helper processes in the group, in addition to the program: `outer`, `inner` and the launcher.
const HELPER_PROCESSES: u64 = 3;
/// Period of the processor limit in microseconds: the default of the kernel.
const PERIOD: u64 = 100_000;

/// A limit in the terms of the kernel.
struct Limit {
    part: &'static str,
    controller: &'static str,
    /// Files to write in version 2.
    v2: Vec<Setting>,
    /// Files to write in version 1.
    v1: Vec<Setting>,
}

struct Setting {
    file: &'static str,
    value: String,
    /// Whether the file may be missing: not every kernel counts swap.
    optional: bool,
}

fn set(file: &'static str, value: impl ToString) -> Setting {
    Setting { file, value: value.to_string(), optional: false }
}

/// Control groups of a run, removed when dropped.
#[derive(Debug, Default)]
pub(super) struct Control {
    pub groups: Vec<Group>,
    /// Parts of the contract that are not limited, with the reasons.
    pub not_enforced: Vec<String>,
}

impl Control {
    /// Creates groups for the limits of a contract. `record` is called with each directory before it is created.
    pub(super) fn create(id: &str, contract: &Contract, record: &dyn Fn(&Path) -> io::Result<()>) -> Self {
        let mut control = Self::default();
        let limits = limits(contract);
        if limits.is_empty() {
            return control;
        }
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let name = format!("carnet-{id}");
        let result = if Path::new(BASE).join("cgroup.controllers").exists() {
            control.create_v2(&limits, &own, &name, record)
        } else {
            Err("control groups are not mounted".to_owned())
        };
        let Err(reason) = result else { return control };
        for limit in &limits {
            if let Err(e) = control.create_v1(limit, &own, &name, record) {
                let reason = if e.kind() == io::ErrorKind::NotFound { reason.clone() } else { refused(&e) };
                control.not_enforced.push(format!("{}: {reason}", limit.part));
            }
        }
        control
    }

    /// Creates one group for all limits, in the lowest directory above this process that allows it.
    fn create_v2(
        &mut self,
        limits: &[Limit],
        own: &str,
        name: &str,
        record: &dyn Fn(&Path) -> io::Result<()>,
    ) -> Result<(), String> {
        let path = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
        let mut reason = "control groups can't be created".to_owned();
        for above in Path::new(path).ancestors() {
            let parent = Path::new(BASE).join(above.strip_prefix("/").unwrap_or(above));
            for limit in limits {
                // Fails where the group itself contains processes. A group above may allow it.
                let _ = fs::write(parent.join("cgroup.subtree_control"), format!("+{}", limit.controller));
            }
            let dir = parent.join(name);
            let created = record(&dir)
                .and_then(|()| fs::create_dir(&dir))
                .and_then(|()| limits.iter().flat_map(|limit| &limit.v2).try_for_each(|setting| setting.write(&dir)));
            match created {
                Ok(()) => {
                    let parts = limits.iter().map(|limit| limit.part.to_owned()).collect();
                    self.groups.push(Group { dir, parts });
                    return Ok(());
                }
                Err(e) => {
                    reason = refused(&e);
                    remove(&dir);
                }
            }
        }
        Err(reason)
    }

    fn create_v1(
        &mut self,
        limit: &Limit,
        own: &str,
        name: &str,
        record: &dyn Fn(&Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let base = Path::new(BASE).join(limit.controller);
        let path = own.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            controllers.split(',').any(|c| c == limit.controller).then_some(path)
        });
        let parent = path.map(|path| base.join(path.trim_start_matches('/'))).filter(|p| p.exists()).unwrap_or(base);
        let dir = parent.join(name);
        record(&dir)?;
        fs::create_dir(&dir)?;
        self.groups.push(Group { dir: dir.clone(), parts: vec![limit.part.to_owned()] });
        limit.v1.iter().try_for_each(|setting| setting.write(&dir))
    }

    /// Reports whether the kernel killed a process because of the memory limit.
    pub(super) fn out_of_memory(&self) -> bool {
        self.groups.iter().any(|group| {
            ["memory.events", "memory.oom_control"].iter().any(|file| {
                let text = fs::read_to_string(group.dir.join(file)).unwrap_or_default();
                let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
                count.is_some_and(|count| count.trim() != "0")
            })
        })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        for group in &self.groups {
            remove(&group.dir);
        }
    }
}

impl Setting {
    fn write(&self, dir: &Path) -> io::Result<()> {
        match fs::write(dir.join(self.file), &self.value) {
            Err(_) if self.optional => Ok(()),
            other => other,
        }
    }
}

fn limits(contract: &Contract) -> Vec<Limit> {
    let memory = contract.memory.map(|bytes| Limit {
        part: part::MEMORY,
        controller: "memory",
        v2: vec![set("memory.max", bytes), Setting { optional: true, ..set("memory.swap.max", 0) }],
        v1: vec![
            set("memory.limit_in_bytes", bytes),
            Setting { optional: true, ..set("memory.memsw.limit_in_bytes", bytes) },
        ],
    });
    let pids = contract.pids.map(|n| Limit {
        part: part::PIDS,
        controller: "pids",
        v2: vec![set("pids.max", n.saturating_add(HELPER_PROCESSES))],
        v1: vec![set("pids.max", n.saturating_add(HELPER_PROCESSES))],
    });
    let cpus = contract.milli_cpus.map(|milli| {
        // The kernel requires at least one millisecond.
        let quota = milli.saturating_mul(PERIOD / 1000).max(1000);
        Limit {
            part: part::CPUS,
            controller: "cpu",
            v2: vec![set("cpu.max", format!("{quota} {PERIOD}"))],
            v1: vec![set("cpu.cfs_period_us", PERIOD), set("cpu.cfs_quota_us", quota)],
        }
    });
    memory.into_iter().chain(pids).chain(cpus).collect()
}

fn refused(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "this user is not allowed to create control groups".to_owned()
        }
        _ => format!("failed to create a control group: {error}"),
    }
}

/// Removes a group, which may not exist. Killed processes stay in it for a moment.
pub(super) fn remove(dir: &Path) {
    for _ in 0..100 {
        match fs::remove_dir(dir) {
            Err(e) if e.kind() == io::ErrorKind::ResourceBusy => thread::sleep(Duration::from_millis(10)),
            // The next sweep removes a group that is left.
            _ => return,
        }
    }
}

/// Moves this process to the group above and removes the group.
pub(super) fn leave(group: &Group) {
    if let Some(parent) = group.dir.parent() {
        // If this fails, the next sweep removes the group.
        let _ = join(parent);
        remove(&group.dir);
    }
}

/// Moves this process into a group.
pub(super) fn join(dir: &Path) -> io::Result<()> {
    fs::write(dir.join("cgroup.procs"), "0")
}

/// Parses the recorded directory of a control group. Returns `None` if it is not a group of carnet.
pub(super) fn parse_recorded(line: &str) -> Option<PathBuf> {
    let path = Path::new(line);
    let is_named = path.file_name()?.to_str()?.starts_with("carnet-");
    let is_plain = path.components().all(|part| !matches!(part, std::path::Component::ParentDir));
    (is_named && is_plain && path.starts_with(BASE)).then(|| path.to_owned())
}
