//! Limits of the control group, version 1 or 2 (`cgroups(7)`).

use super::file_tree::FileTree;
use super::mount::Mount;
use crate::model::known::Known;
use crate::model::runtime::Cgroup;

/// Minimum value that means no limit in version 1, which uses the largest multiple of the page size.
const UNLIMITED: u64 = 1 << 62;

/// Returns the limits of this process: the lowest of its control group and the visible parent groups.
pub(super) fn limits(root: &FileTree, mounts: &[Mount]) -> Cgroup {
    let Ok(groups) = root.text("/proc/self/cgroup") else {
        let unreadable = || Known::unknown("/proc/self/cgroup is not readable");
        return Cgroup { memory: unreadable(), pids: unreadable(), milli_cpus: unreadable() };
    };
    let read = |controller: &str, v2: fn(&FileTree, &str) -> Option<u64>, v1: fn(&FileTree, &str) -> Option<u64>| {
        let Some((version, directories)) = directories(&groups, mounts, controller) else {
            return Known::unknown(format!("no control group with the {controller} controller is mounted"));
        };
        let limit = if version == 2 { v2 } else { v1 };
        if !directories.iter().any(|directory| root.is_dir(directory)) {
            return Known::unknown(format!("the control group with the {controller} controller is not visible"));
        }
        Known::Known(directories.iter().filter_map(|directory| limit(root, directory)).min())
    };
    Cgroup {
        memory: read(
            "memory",
            |root, directory| number(root, &format!("{directory}/memory.max")),
            |root, directory| {
                number(root, &format!("{directory}/memory.limit_in_bytes")).filter(|&limit| limit < UNLIMITED)
            },
        ),
        pids: read(
            "pids",
            |root, directory| number(root, &format!("{directory}/pids.max")),
            |root, directory| number(root, &format!("{directory}/pids.max")),
        ),
        milli_cpus: read(
            "cpu",
            |root, directory| {
                let text = root.text(format!("{directory}/cpu.max")).ok()?;
                let (quota, period) = text.trim().split_once(' ')?;
                milli(quota, period)
            },
            |root, directory| {
                let quota = root.text(format!("{directory}/cpu.cfs_quota_us")).ok()?;
                let period = root.text(format!("{directory}/cpu.cfs_period_us")).ok()?;
                milli(quota.trim(), period.trim())
            },
        ),
    }
}

fn number(root: &FileTree, path: &str) -> Option<u64> {
    root.text(path).ok()?.trim().parse().ok()
}

fn milli(quota: &str, period: &str) -> Option<u64> {
    let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
    quota.checked_mul(1000)?.checked_div(period)
}

/// Returns the version of the hierarchy with a controller, and the directories of the process group and its parents.
fn directories(groups: &str, mounts: &[Mount], controller: &str) -> Option<(u8, Vec<String>)> {
    let group = |is_match: &dyn Fn(&str) -> bool| {
        groups.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            is_match(controllers).then_some(path)
        })
    };
    let v1 = mounts
        .iter()
        .rev()
        .find(|m| m.kind == "cgroup" && m.super_options.split(',').any(|option| option == controller));
    if let (Some(mount), Some(path)) = (v1, group(&|names| names.split(',').any(|name| name == controller))) {
        return Some((1, ancestors(mount, path)));
    }
    let mount = mounts.iter().rev().find(|mount| mount.kind == "cgroup2" && mount.point == "/sys/fs/cgroup")?;
    Some((2, ancestors(mount, group(&str::is_empty)?)))
}

/// Returns the directories from a group up to the mount point; the mount may contain only a part of the hierarchy.
fn ancestors(mount: &Mount, group: &str) -> Vec<String> {
    let inside = match mount.root.as_str() {
        "/" => group,
        // In a cgroup namespace, and in containers that mount their group as the root, the group is the mount point.
        shown => group.strip_prefix(shown).unwrap_or_default(),
    };
    let mut parts: Vec<&str> = inside.split('/').filter(|part| !part.is_empty() && *part != "..").collect();
    let mut out = Vec::new();
    loop {
        out.push([&[mount.point.as_str()], parts.as_slice()].concat().join("/"));
        if parts.pop().is_none() {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::mount;
    use super::*;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, FileTree) {
        let dir = tempfile::tempdir().expect("a directory");
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, text).expect("a file");
        }
        let root = FileTree::new(dir.path());
        (dir, root)
    }

    #[test]
    fn lowest_limit_of_the_parents_applies() {
        let (_dir, root) = tree(&[
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/memory.max", "1000\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/a/b/pids.max", "max\n"),
        ]);
        let got = limits(&root, &mount::parse("1 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw"));
        assert_eq!(got.memory.get(), Some(&Some(1000)));
        assert_eq!(got.milli_cpus.get(), Some(&Some(1500)));
        assert_eq!(got.pids.get(), Some(&None));
    }

    #[test]
    fn huge_number_in_version_one_is_no_limit() {
        let (_dir, root) = tree(&[
            ("proc/self/cgroup", "4:memory:/x\n3:cpu,cpuacct:/x\n"),
            ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ]);
        let mounts = "1 1 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
            2 1 0:2 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct";
        let got = limits(&root, &mount::parse(mounts));
        assert_eq!(got.memory.get(), Some(&None));
        assert_eq!(got.milli_cpus.get(), Some(&None));
        assert!(got.pids.reason().is_some());
    }
}
