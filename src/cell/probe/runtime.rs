//! Runtime properties: user, directories and limits.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Access, AtFlags, CWD, StatVfsMountFlags, accessat, statvfs};
use rustix::process::{Resource, getegid, geteuid, getrlimit};
use rustix::thread::sched_getaffinity;

use super::file_tree::{FileTree, reason};
use super::mount::{self, Mount};
use super::{cgroup, cpu, site_path};
use crate::model::known::Known;
use crate::model::runtime::{Cgroup, Directory, Imposed, Runtime};
use crate::sys::bounded;

const NOT_RUNNING: &str = "not a running system";

/// Returns the properties defined by the contract.
pub(super) fn runtime(root: &Arc<FileTree>, live: bool, env: &BTreeMap<String, String>, mounts: &[Mount]) -> Runtime {
    let uid = live.then(|| geteuid().as_raw());
    let entry = passwd(root, uid.unwrap_or(0));
    let home = match env.get("HOME") {
        Some(home) => home.clone(),
        // Engines set HOME from the users of an image; a running process without HOME has none.
        None if live => String::new(),
        None => {
            entry.as_ref().ok().and_then(|entry| entry.as_ref()).map(|entry| entry.home.clone()).unwrap_or_default()
        }
    };
    let may_block = mount::any_may_block(mounts);
    let read = |path: &str| directory(root, live, path, may_block);
    Runtime {
        uid: if_live(live, geteuid().as_raw()),
        gid: if_live(live, getegid().as_raw()),
        user: if live {
            entry.map_or_else(Known::Unknown, |entry| Known::Known(entry.map(|entry| entry.name)))
        } else {
            Known::unknown(NOT_RUNNING)
        },
        home: read(&home),
        root: read("/"),
        tmp: read("/tmp"),
        umask: if live {
            status(root, "Umask").map(|umask| format!("{umask:0>4}"))
        } else {
            Known::unknown(NOT_RUNNING)
        },
        site_paths: site_path::site_paths(root, mounts),
    }
}

/// Returns the mode of the system call filter; see `Seccomp` in proc_pid_status(5).
fn system_calls(root: &FileTree) -> Option<String> {
    let mode = match status(root, "Seccomp").get()?.as_str() {
        "0" => "not filtered",
        "1" => "strict",
        "2" => "filtered",
        _ => return None,
    };
    Some(mode.to_owned())
}

/// Returns the properties of the engine and the machine.
pub(super) fn imposed(root: &FileTree, live: bool, mounts: &[Mount]) -> Imposed {
    if !live {
        let unknown = || Known::unknown(NOT_RUNNING);
        return Imposed {
            kernel: Known::unknown(NOT_RUNNING),
            x86_64_level: None,
            cpus: Known::unknown(NOT_RUNNING),
            limits: BTreeMap::new(),
            cgroup: Cgroup { memory: unknown(), pids: unknown(), milli_cpus: unknown() },
            tmp_size: Known::unknown(NOT_RUNNING),
            system_calls: None,
        };
    }
    let kernel = "/proc/sys/kernel/osrelease";
    Imposed {
        kernel: root
            .text(kernel)
            .map_or_else(|error| Known::Unknown(reason(kernel, &error)), |text| text.trim().to_owned().into()),
        x86_64_level: cpu::level(),
        cpus: cpus(),
        limits: limits(),
        cgroup: cgroup::limits(root, mounts),
        tmp_size: bounded::within_where(mount::any_may_block(mounts), bounded::FILE_SYSTEM, || statvfs("/tmp"))
            .map_or_else(
                || Known::unknown("/tmp does not respond"),
                |found| match found {
                    Ok(found) => found.f_blocks.saturating_mul(found.f_frsize).into(),
                    Err(error) => Known::unknown(format!("/tmp: {error}")),
                },
            ),
        system_calls: system_calls(root),
    }
}

fn if_live<T>(live: bool, value: T) -> Known<T> {
    if live { Known::Known(value) } else { Known::unknown(NOT_RUNNING) }
}

/// One user of `/etc/passwd`.
pub(super) struct User {
    pub(super) name: String,
    pub(super) home: String,
}

/// Returns the user with an id. `None` if there is no entry; an error if the file cannot be read.
pub(super) fn passwd(root: &FileTree, uid: u32) -> Result<Option<User>, String> {
    const PATH: &str = "/etc/passwd";
    let text = match root.text(PATH) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(reason(PATH, &error)),
    };
    Ok(text.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        let id: u32 = parts.nth(1)?.parse().ok()?;
        let home = parts.nth(2)?;
        (id == uid).then(|| User { name: name.to_owned(), home: home.to_owned() })
    }))
}

fn directory(root: &FileTree, live: bool, path: &str, may_block: bool) -> Directory {
    let unknown = |why: &str| (Known::unknown(why), Known::unknown(why));
    let (exists, (writable, noexec)) = if path.is_empty() {
        (false, unknown("no variable is set"))
    } else if !live {
        (root.is_dir(path), unknown(NOT_RUNNING))
    } else {
        let owned = path.to_owned();
        match bounded::within_where(may_block, bounded::FILE_SYSTEM, move || inspect(&owned)) {
            Some(Some((writable, noexec))) => (true, (Known::Known(writable), noexec)),
            Some(None) => (false, unknown("it does not exist")),
            None => (false, unknown("its file system does not respond")),
        }
    };
    Directory { path: path.to_owned(), exists, writable, noexec }
}

/// Returns whether a directory is writable and whether programs cannot be executed from it. `None` if it does not
/// exist.
///
/// `access(2)` takes permissions, capabilities, user namespaces and read-only mounts into account without creating a
/// file.
fn inspect(path: &str) -> Option<(bool, Known<bool>)> {
    if !Path::new(path).is_dir() {
        return None;
    }
    let flags = statvfs(path).map(|found| found.f_flag);
    let read_only = flags.is_ok_and(|flags| flags.contains(StatVfsMountFlags::RDONLY));
    let writable = !read_only && accessat(CWD, path, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok();
    let noexec = flags.map_or_else(
        |error| Known::unknown(error.to_string()),
        |flags| Known::Known(flags.contains(StatVfsMountFlags::NOEXEC)),
    );
    Some((writable, noexec))
}

/// Returns a field of `/proc/self/status`.
fn status(root: &FileTree, name: &str) -> Known<String> {
    const PATH: &str = "/proc/self/status";
    let text = match root.text(PATH) {
        Ok(text) => text,
        Err(error) => return Known::Unknown(reason(PATH, &error)),
    };
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.map_or_else(|| Known::unknown(format!("{PATH} has no {name}")), |value| Known::Known(value.trim().to_owned()))
}

fn cpus() -> Known<u64> {
    match sched_getaffinity(None) {
        Ok(set) => Known::Known(u64::from(set.count())),
        Err(error) => Known::unknown(error.to_string()),
    }
}

fn limits() -> BTreeMap<String, String> {
    let names = [
        ("as", Resource::As),
        ("core", Resource::Core),
        ("cpu", Resource::Cpu),
        ("data", Resource::Data),
        ("fsize", Resource::Fsize),
        ("memlock", Resource::Memlock),
        ("nofile", Resource::Nofile),
        ("nproc", Resource::Nproc),
        ("stack", Resource::Stack),
    ];
    let text = |soft: Option<u64>| soft.map_or_else(|| "unlimited".to_owned(), |soft| soft.to_string());
    names.into_iter().map(|(name, resource)| (name.to_owned(), text(getrlimit(resource).current))).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn read_only_directory_is_not_writable() {
        assert_eq!(inspect("/nowhere/at/all"), None);
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().to_str().expect("UTF-8");
        assert_eq!(inspect(path).map(|(writable, _)| writable), Some(true));
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o555)).expect("permissions");
        // Permissions do not apply to root.
        assert_eq!(inspect(path).map(|(writable, _)| writable), Some(geteuid().is_root()));
    }

    #[test]
    fn user_without_an_entry_has_no_name() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(dir.path().join("etc")).expect("a directory");
        std::fs::write(dir.path().join("etc/passwd"), "root:x:0:0:r:/root:/bin/sh\nbroken\na:x:1000:1:::\n")
            .expect("a file");
        let root = FileTree::new(dir.path());
        assert_eq!(passwd(&root, 0).expect("reads").map(|user| user.home), Some("/root".to_owned()));
        assert!(passwd(&root, 7).expect("reads").is_none());
    }

    #[test]
    fn unpacked_tree_has_no_kernel_and_no_user() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = Arc::new(FileTree::new(dir.path()));
        let got = runtime(&root, false, &BTreeMap::new(), &[]);
        assert_eq!(got.uid.reason(), Some(NOT_RUNNING));
        assert_eq!(imposed(&root, false, &[]).kernel.reason(), Some(NOT_RUNNING));
    }
}
