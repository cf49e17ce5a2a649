//! Processes that the kernel killed because of a memory limit, from the counters of the control groups.
//!
//! Version 2 counts in `memory.events` (`oom_kill N`, Documentation/admin-guide/cgroup-v2.rst), version 1 in
//! `memory.oom_control` (`oom_kill N`, Documentation/admin-guide/cgroup-v1/memory.rst, since Linux 4.13).

use std::fs;
use std::path::{Path, PathBuf};

/// The counter of processes in the control group of this process that were killed because of the memory limit.
#[derive(Debug)]
pub(super) struct OomKillCounter {
    file: Option<PathBuf>,
}

impl OomKillCounter {
    /// Finds the counter. It does not exist without control groups or on an old kernel.
    pub(super) fn find() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let file = candidates(&groups).into_iter().find(|file| read(file).is_some());
        Self { file }
    }

    /// Returns the number of processes killed so far, or `None` if it can't be read.
    pub(super) fn count(&self) -> Option<u64> {
        self.file.as_deref().and_then(read)
    }
}

/// Returns the files that may contain the counter, best first. In a container the path in `/proc/self/cgroup` is often
/// that of the host, while the mount has the container's control group at its root.
fn candidates(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(id), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let path = path.trim_start_matches('/');
        let (top, name) = if id == "0" && controllers.is_empty() {
            (Path::new("/sys/fs/cgroup"), "memory.events")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            (Path::new("/sys/fs/cgroup/memory"), "memory.oom_control")
        } else {
            continue;
        };
        if !path.split('/').any(|part| part == "..") {
            files.push(top.join(path).join(name));
        }
        files.push(top.join(name));
    }
    files
}

fn read(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")).and_then(|count| count.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn candidates_include_both_versions_in_the_group_and_at_the_top() {
        let files = candidates("4:memory:/docker/abc\n3:cpu,cpuacct:/x\n0::/../y\n");
        let files: Vec<_> = files.iter().filter_map(|file| file.to_str()).collect();
        assert_eq!(
            files,
            [
                "/sys/fs/cgroup/memory/docker/abc/memory.oom_control",
                "/sys/fs/cgroup/memory/memory.oom_control",
                "/sys/fs/cgroup/memory.events",
            ]
        );
    }
}
