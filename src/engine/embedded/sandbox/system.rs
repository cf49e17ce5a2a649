//! What every Linux system has: `/proc`, `/sys`, `/dev`, and the files that name machines.

use std::io;
use std::path::Path;

use nix::mount::MsFlags;

use super::super::protocol::{SandboxReport, SandboxRequest};
use super::super::run_dir::name;
use super::attach::{bind, file_system, restrict, source};
use super::{Step, at, say};
use crate::engine::job::part;
use crate::sys::rooted::Rooted;

const CLOSED: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

/// Parts of `/proc` that change the machine, made read-only, and those that tell of it, hidden (moby, `oci/defaults.go`).
const PROC_READ_ONLY: [&str; 5] = ["bus", "fs", "irq", "sys", "sysrq-trigger"];
const PROC_HIDDEN_FILES: [&str; 6] = ["kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug"];
const PROC_HIDDEN_DIRS: [&str; 3] = ["acpi", "scsi", "asound"];

pub(super) fn proc(root: &Rooted) -> Step<()> {
    let doing = "mounting /proc";
    let at_proc = Path::new("/proc");
    if let Err(fresh) = file_system(root, at_proc, "proc", CLOSED, "") {
        // In some containers no new one may be mounted, since parts of theirs are hidden. Theirs will do: it shows more
        // processes, which are out of reach all the same.
        let reason = |e: io::Error| format!("{fresh}; nor can this machine's be shown: {e}");
        source(at_proc)
            .and_then(|proc| bind(root, &proc, at_proc, MsFlags::empty()))
            .map_err(|e| at(doing)(reason(e)))?;
        return Ok(());
    }
    // Found again for each: what isn't in this kernel needs no hiding.
    for name in PROC_READ_ONLY {
        let path = at_proc.join(name);
        if let Ok(found) = root.find(&path) {
            bind(root, &found.fd, &path, MsFlags::MS_RDONLY | CLOSED).map_err(at("closing parts of /proc"))?;
        }
    }
    let null = source(Path::new("/dev/null")).map_err(at("opening /dev/null"))?;
    for name in PROC_HIDDEN_FILES {
        let path = at_proc.join(name);
        if root.find(&path).is_ok() {
            bind(root, &null, &path, MsFlags::empty()).map_err(at("hiding parts of /proc"))?;
        }
    }
    for name in PROC_HIDDEN_DIRS {
        let path = at_proc.join(name);
        if root.find(&path).is_ok() {
            let flags = CLOSED | MsFlags::MS_RDONLY;
            file_system(root, &path, "tmpfs", flags, "size=0").map_err(at("hiding parts of /proc"))?;
        }
    }
    Ok(())
}

/// A view of the devices; without one, programs see an empty directory.
pub(super) fn sys(root: &Rooted) {
    let (at_sys, flags) = (Path::new("/sys"), CLOSED | MsFlags::MS_RDONLY);
    if file_system(root, at_sys, "sysfs", flags, "").is_ok() {
        return;
    }
    // With the machine's own network a user may mount no view of it: then the machine's own, made read-only.
    let shown = source(at_sys).and_then(|sys| bind(root, &sys, at_sys, MsFlags::empty()));
    if shown.is_ok() {
        // What can't be made read-only a user can't write to either.
        let _ = root.find(at_sys).and_then(|found| restrict(found, flags));
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
    let at_dev = Path::new("/dev");
    // Closed to devices too: those shown have mounts of their own, and one that a program makes here must not work.
    file_system(root, at_dev, "tmpfs", CLOSED, "mode=755,size=65536k").map_err(at(doing))?;
    for name in DEVICES {
        let path = at_dev.join(name);
        match source(&path) {
            Ok(device) => bind(root, &device, &path, MsFlags::empty()).map_err(at(doing))?,
            Err(e) if name == "null" => return Err(at(doing)(e)),
            // A machine without it is one where programs do without it.
            Err(_) => {}
        }
    }
    let dev = root.find(at_dev).map_err(at(doing))?;
    for (name, target) in LINKS {
        rustix::fs::symlinkat(target, &dev.fd, name).map_err(at(doing))?;
    }
    file_system(root, &at_dev.join("shm"), "tmpfs", CLOSED, "mode=1777").map_err(at(doing))?;
    let pts = "newinstance,ptmxmode=0666,mode=0620";
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    // Terminals are for the few tests that open one.
    let _ = file_system(root, &at_dev.join("pts"), "devpts", flags, pts);
    Ok(())
}

/// `/etc/hosts`, and with a network the machine's own, and `/etc/resolv.conf`.
pub(super) fn network_files(root: &Rooted, order: &SandboxRequest) {
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let show = |from: &Path, at: &str| source(from).and_then(|file| bind(root, &file, Path::new(at), flags));
    if !order.network {
        // Without it `localhost` has no address in most images; tests that need one fail and say so.
        let _ = show(&order.dir.join(name::HOSTS), "/etc/hosts");
        return;
    }
    for file in ["/etc/hosts", "/etc/resolv.conf"] {
        if Path::new(file).exists()
            && let Err(e) = show(Path::new(file), file)
        {
            say(&SandboxReport::not_enforced(part::NETWORK, format!("`{file}` can't be shown: {e}")));
        }
    }
}
