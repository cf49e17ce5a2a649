//! Mounts at places inside the new root. Both ends are named by descriptors, so that no link of the image decides what
//! is mounted where.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use rustix::fs::{FileType, Mode, OFlags, StatVfsMountFlags};

use crate::sys::rooted::{Found, Rooted};

/// The path by which the kernel finds what a descriptor stands for.
pub(super) fn path_of(fd: &impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

/// Opens something of this machine to be shown inside.
pub(super) fn source(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)
}

/// Mounts a new file system at a directory, which is made if missing.
pub(super) fn file_system(root: &Rooted, at: &Path, kind: &str, flags: MsFlags, options: &str) -> io::Result<()> {
    let target = root.directory(at)?;
    Ok(mount(Some(kind), &path_of(&target.fd), Some(kind), flags, Some(options))?)
}

/// Shows a directory or a file of this machine at a place, which is made if missing, with at least these flags.
pub(super) fn bind(root: &Rooted, from: &impl AsFd, at: &Path, flags: MsFlags) -> io::Result<()> {
    let is_dir = FileType::from_raw_mode(rustix::fs::fstat(from)?.st_mode) == FileType::Directory;
    let target = if is_dir { root.directory(at)? } else { root.place_for_file(at)? };
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(&path_of(from)), &path_of(&target.fd), None::<&str>, bind, None::<&str>)?;
    if !flags.is_empty() {
        restrict(root.find(at)?, flags)?;
    }
    Ok(())
}

/// Adds flags to a mount and to all mounts below it.
pub(super) fn restrict(mounted: Found, flags: MsFlags) -> io::Result<()> {
    set_flags(&mounted.fd, flags)?;
    let top = fs::read_link(path_of(&mounted.fd))?;
    for below in mounts_below(&top)? {
        match source(&below).and_then(|fd| set_flags(&fd, flags)) {
            // Another mount lies over it, so nobody reaches it by this path.
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => {}
            other => other?,
        }
    }
    Ok(())
}

pub(super) fn set_flags(fd: &impl AsFd, flags: MsFlags) -> io::Result<()> {
    // In a user namespace the flags that a mount has may not be left out.
    let all = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | flags | present(fd)?;
    Ok(mount(None::<&str>, &path_of(fd), None::<&str>, all, None::<&str>)?)
}

fn present(fd: &impl AsFd) -> io::Result<MsFlags> {
    let there = rustix::fs::fstatvfs(fd)?.f_flag;
    let pairs = [
        (StatVfsMountFlags::RDONLY, MsFlags::MS_RDONLY),
        (StatVfsMountFlags::NOSUID, MsFlags::MS_NOSUID),
        (StatVfsMountFlags::NODEV, MsFlags::MS_NODEV),
        (StatVfsMountFlags::NOEXEC, MsFlags::MS_NOEXEC),
        (StatVfsMountFlags::NOATIME, MsFlags::MS_NOATIME),
        (StatVfsMountFlags::NODIRATIME, MsFlags::MS_NODIRATIME),
        (StatVfsMountFlags::RELATIME, MsFlags::MS_RELATIME),
    ];
    Ok(pairs.into_iter().filter(|(has, _)| there.contains(*has)).map(|(_, flag)| flag).collect())
}

/// Mount points below a directory of this process's view, by proc_pid_mountinfo(5).
fn mounts_below(top: &Path) -> io::Result<Vec<PathBuf>> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(|point| PathBuf::from(unescape(point)));
    Ok(points.filter(|point| point != top && point.starts_with(top)).collect())
}

/// Space, tabulator, newline and backslash are written as three octal digits.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
}
