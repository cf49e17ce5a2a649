//! The system directories `/proc`, `/sys` and `/dev`, and the files that name hosts.

use std::io;
use std::path::Path;

use super::super::protocol::{SandboxReport, SandboxRequest};
use super::super::run_dir::name;
use super::{Step, step};
use crate::engine::job::part;
use crate::sys::helper::write_report;
use crate::sys::mount::{MountFlags, PROC_FLAGS, add_flags_recursive, bind_in, new_file_system_in, open_source};
use crate::sys::rooted::Rooted;

const CLOSED: MountFlags = PROC_FLAGS;

/// Entries of `/proc` that change the machine are read-only; those that describe it are hidden (moby, `oci/defaults.go`).
const PROC_READ_ONLY: [&str; 5] = ["bus", "fs", "irq", "sys", "sysrq-trigger"];
const PROC_HIDDEN_FILES: [&str; 6] = ["kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug"];
const PROC_HIDDEN_DIRS: [&str; 3] = ["acpi", "scsi", "asound"];

/// Mounts a new `/proc`, of which [`hide_proc`] later hides parts, and returns true. If that fails, binds the `/proc` of this
/// machine and returns false.
pub(super) fn proc(root: &Rooted) -> Step<bool> {
    let Err(fresh) = new_proc(root) else { return Ok(true) };
    // A container with hidden parts of `/proc` may not mount a new one. Its own shows more processes, which this process
    // still can't reach.
    let reason = |e: io::Error| format!("{fresh}; failed to bind the /proc of this machine: {e}");
    let proc_path = Path::new("/proc");
    open_source(proc_path)
        .and_then(|proc| bind_in(root, &proc, proc_path, MountFlags::empty()))
        .map_err(|e| step("mounting /proc")(reason(e)))?;
    Ok(false)
}

fn new_proc(root: &Rooted) -> io::Result<()> {
    new_file_system_in(root, Path::new("/proc"), "proc", CLOSED, "")
}

/// Mounts a `/proc` of the process namespace of this process over the one at `/`. A user may do so only as long as that
/// one has no hidden parts.
pub(super) fn own_proc() -> Step<()> {
    Rooted::open(Path::new("/")).and_then(|root| new_proc(&root)).map_err(step("mounting /proc"))
}

/// Hides the parts of `/proc` that describe or change this machine.
pub(super) fn hide_proc() -> Step<()> {
    let root = Rooted::open(Path::new("/")).map_err(step("opening the root"))?;
    let proc_path = Path::new("/proc");
    // An entry that this kernel lacks is skipped.
    for name in PROC_READ_ONLY {
        let path = proc_path.join(name);
        if let Ok(found) = root.find(&path) {
            bind_in(&root, &found.fd, &path, MountFlags::RDONLY | CLOSED)
                .map_err(step("making parts of /proc read-only"))?;
        }
    }
    let null = open_source(Path::new("/dev/null")).map_err(step("opening /dev/null"))?;
    for name in PROC_HIDDEN_FILES {
        let path = proc_path.join(name);
        if root.find(&path).is_ok() {
            bind_in(&root, &null, &path, MountFlags::RDONLY).map_err(step("hiding parts of /proc"))?;
        }
    }
    for name in PROC_HIDDEN_DIRS {
        let path = proc_path.join(name);
        if root.find(&path).is_ok() {
            let flags = CLOSED | MountFlags::RDONLY;
            new_file_system_in(&root, &path, "tmpfs", flags, "size=0").map_err(step("hiding parts of /proc"))?;
        }
    }
    Ok(())
}

/// Mounts `/sys` for information about devices. If that fails, programs see an empty directory.
pub(super) fn sys(root: &Rooted) {
    let (sys_path, flags) = (Path::new("/sys"), CLOSED | MountFlags::RDONLY);
    if new_file_system_in(root, sys_path, "sysfs", flags, "").is_ok() {
        return;
    }
    // With the network of the machine a user may not mount a new one, so the existing one is bound.
    let bound = open_source(sys_path).and_then(|sys| bind_in(root, &sys, sys_path, MountFlags::empty()));
    if bound.is_ok() {
        // If it can't be made read-only, the user can't write to it either.
        let _ = root.find(sys_path).and_then(|found| add_flags_recursive(found, flags));
    }
}

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

pub(super) fn dev(root: &Rooted) -> Step<()> {
    let doing = "preparing /dev";
    let dev_path = Path::new("/dev");
    // Without devices: those below have separate mounts, and a device that a program creates must not work.
    new_file_system_in(root, dev_path, "tmpfs", CLOSED, "mode=755,size=65536k").map_err(step(doing))?;
    for name in DEVICES {
        let path = dev_path.join(name);
        match open_source(&path) {
            // Read-only: programs can use the device, but can't change its mode on this machine.
            Ok(device) => bind_in(root, &device, &path, MountFlags::RDONLY).map_err(step(doing))?,
            Err(e) if name == "null" => return Err(step(doing)(e)),
            // The machine lacks it.
            Err(_) => {}
        }
    }
    let dev = root.find(dev_path).map_err(step(doing))?;
    for (name, target) in LINKS {
        rustix::fs::symlinkat(target, &dev.fd, name).map_err(step(doing))?;
    }
    new_file_system_in(root, &dev_path.join("shm"), "tmpfs", CLOSED, "mode=1777").map_err(step(doing))?;
    let pts = "newinstance,ptmxmode=0666,mode=0620";
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    // Few tests open a terminal, so a failure is ignored.
    let _ = new_file_system_in(root, &dev_path.join("pts"), "devpts", flags, pts);
    Ok(())
}

/// Binds `/etc/hosts` and, with a network, the `/etc/hosts` and `/etc/resolv.conf` of the machine.
pub(super) fn network_files(root: &Rooted, request: &SandboxRequest) {
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    let show =
        |from: &Path, path: &str| open_source(from).and_then(|file| bind_in(root, &file, Path::new(path), flags));
    if !request.network {
        // Without this file `localhost` has no address in most images. Tests that need one then fail.
        let _ = show(&request.dir.join(name::HOSTS), "/etc/hosts");
        return;
    }
    for file in ["/etc/hosts", "/etc/resolv.conf"] {
        if Path::new(file).exists()
            && let Err(e) = show(Path::new(file), file)
        {
            write_report(&SandboxReport::not_enforced(part::NETWORK, format!("failed to bind `{file}`: {e}")));
        }
    }
}
