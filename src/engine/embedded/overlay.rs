//! Overlay mounts. Trees are named by descriptors, whose numbers need no escaping and fit the kernel's page of options.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use rustix::fs::{Mode, OFlags};

/// Mounts `lower`, topmost first, under `upper` at `target`. `work` is an empty directory beside `upper`.
pub(super) fn overlay(lower: &[PathBuf], upper: &Path, work: &Path, target: &Path, as_user: bool) -> io::Result<()> {
    let open = |path: &Path| -> io::Result<OwnedFd> {
        Ok(rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
    };
    let name = |fd: &OwnedFd| format!("/proc/self/fd/{}", fd.as_raw_fd());
    let lower = lower.iter().map(|path| open(path)).collect::<io::Result<Vec<_>>>()?;
    let (upper, work) = (open(upper)?, open(work)?);
    let names: Vec<String> = lower.iter().map(name).collect();
    let mut options = format!("lowerdir={},upperdir={},workdir={}", names.join(":"), name(&upper), name(&work));
    if as_user {
        // Attributes of `trusted.` are for real root alone.
        options.push_str(",userxattr");
    }
    let mount_with = |options: &str| {
        let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID;
        mount(Some("overlay"), target, Some("overlay"), flags, Some(options))
    };
    // `volatile` spares the writing of the whole disk's buffers at the end; kernels before 5.10 don't know it.
    mount_with(&format!("{options},volatile")).or_else(|_| mount_with(&options))?;
    Ok(())
}
