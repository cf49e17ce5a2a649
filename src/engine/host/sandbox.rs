//! Namespaces around a run on this machine: a read-only input, no network, a kept state that doesn't change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid};
use serde::{Deserialize, Serialize};

use super::supervisor;
use crate::cell::network::loopback_up;

/// What is to be different for the run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Sandbox {
    /// Directory that becomes read-only.
    pub input: Option<PathBuf>,
    /// There is no network but loopback.
    pub cut_network: bool,
    /// A directory that changes only for the run.
    pub cover: Option<Cover>,
}

/// A layer over a directory that takes its changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Cover {
    /// The directory.
    pub lower: PathBuf,
    /// Where changes go.
    pub upper: PathBuf,
    /// For the kernel, on the file system of `upper`.
    pub work: PathBuf,
}

/// Whether namespaces can be made here, found out by making them.
pub(super) fn works(helper: &Path) -> bool {
    let mut probe = Command::new(helper);
    probe.args([supervisor::WORD, supervisor::PROBE]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

impl Sandbox {
    /// Puts this process, which has one thread, into its namespaces.
    ///
    /// # Errors
    /// What is refused, with the step.
    pub(super) fn enter(&self) -> Result<(), String> {
        let mut flags = CloneFlags::CLONE_NEWNS;
        if self.cut_network {
            flags |= CloneFlags::CLONE_NEWNET;
        }
        // Root of this machine keeps its own user; in a container root may lack the right, as an ordinary user does.
        if !getuid().is_root() || unshare(flags).is_err() {
            enter_as_user(flags)?;
        }
        let say = |what: &'static str| move |error: nix::Error| format!("{what}: {}", error.desc());
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>).map_err(say("making mounts private"))?;
        if let Some(input) = &self.input {
            read_only(input).map_err(say("making the input read-only"))?;
        }
        if let Some(cover) = &self.cover {
            cover.mount().map_err(say("covering the kept state"))?;
        }
        if self.cut_network {
            loopback_up().map_err(|error| format!("loopback: {error}"))?;
        }
        Ok(())
    }
}

fn enter_as_user(flags: CloneFlags) -> Result<(), String> {
    let (user, group) = (getuid(), getgid());
    unshare(flags | CloneFlags::CLONE_NEWUSER).map_err(|error| format!("no user namespace: {}", error.desc()))?;
    let write = |file: &str, text: String| -> Result<(), String> {
        fs::write(file, text).map_err(|error: io::Error| format!("{file}: {error}"))
    };
    write("/proc/self/setgroups", "deny".to_owned())?;
    write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    write("/proc/self/gid_map", format!("{group} {group} 1"))
}

fn read_only(dir: &Path) -> nix::Result<()> {
    mount(Some(dir), dir, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)?;
    // A mount that is nosuid or the like on this machine can't lose that in a user namespace, so it is asked for.
    let kept = nix::sys::statvfs::statvfs(dir)?.flags();
    let mut flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    for (has, flag) in [
        (nix::sys::statvfs::FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (nix::sys::statvfs::FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (nix::sys::statvfs::FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (nix::sys::statvfs::FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (nix::sys::statvfs::FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ] {
        if kept.contains(has) {
            flags |= flag;
        }
    }
    mount(None::<&str>, dir, None::<&str>, flags, None::<&str>)
}

impl Cover {
    fn mount(&self) -> nix::Result<()> {
        let [lower, upper, work] = [&self.lower, &self.upper, &self.work].map(|path| escape(path));
        let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        let over =
            |options: &str| mount(Some("overlay"), &self.lower, Some("overlay"), MsFlags::empty(), Some(options));
        // In a user namespace the marks of the layer go where an ordinary user can write them.
        over(&format!("{options},userxattr")).or_else(|_| over(&options))
    }
}

/// Overlayfs takes commas and colons in paths behind a backslash.
fn escape(path: &Path) -> String {
    let mut text = String::new();
    for c in path.to_string_lossy().chars() {
        if matches!(c, ',' | ':' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}
