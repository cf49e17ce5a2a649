//! Mounts in the mount namespace of this process. Sources and targets are file descriptors, so that no link of an image
//! decides where a file system is mounted.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, StatVfsMountFlags};
pub use rustix::mount::MountFlags;
use rustix::mount::{MountPropagationFlags, UnmountFlags};

use super::rooted::{Found, Rooted};

/// Flags of a mount of `/proc`.
pub const PROC_FLAGS: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);

/// Returns the path by which the kernel finds the file of a descriptor.
pub fn descriptor_path(fd: &impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

/// Opens a file or directory of this machine as the source of a mount.
///
/// # Errors
/// Fails if the path can't be reached.
pub fn open_source(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)
}

/// Makes every mount private, so that other namespaces see no change of it.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn make_private() -> io::Result<()> {
    Ok(rustix::mount::mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?)
}

/// Mounts a new file system, such as `tmpfs`, at a directory of this machine.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn new_file_system(target: &Path, kind: &str, flags: MountFlags, options: &str) -> io::Result<()> {
    let options = CString::new(options)?;
    let options = (!options.is_empty()).then_some(options.as_c_str());
    Ok(rustix::mount::mount(kind, target, kind, flags, options)?)
}

/// Mounts a new file system at a directory of a tree, which is created if missing.
///
/// # Errors
/// Fails if the directory can't be created or the kernel refuses.
pub fn new_file_system_in(root: &Rooted, path: &Path, kind: &str, flags: MountFlags, options: &str) -> io::Result<()> {
    let target = root.directory(path)?;
    new_file_system(&descriptor_path(&target.fd), kind, flags, options)
}

/// Binds a file or directory over a path of this machine.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn bind(source: &Path, target: &Path) -> io::Result<()> {
    Ok(rustix::mount::mount_bind_recursive(source, target)?)
}

/// Binds a file or directory to a path of a tree, which is created if missing, and adds flags to the mount.
///
/// # Errors
/// Fails if the path can't be created or the kernel refuses.
pub fn bind_in(root: &Rooted, source: &impl AsFd, path: &Path, flags: MountFlags) -> io::Result<()> {
    let is_dir = FileType::from_raw_mode(rustix::fs::fstat(source)?.st_mode) == FileType::Directory;
    let target = if is_dir { root.directory(path)? } else { root.find_or_create_file(path)? };
    bind(&descriptor_path(source), &descriptor_path(&target.fd))?;
    if !flags.is_empty() {
        add_flags_recursive(root.find(path)?, flags)?;
    }
    Ok(())
}

/// Adds flags to a mount and to every mount below it.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn add_flags_recursive(mounted: Found, flags: MountFlags) -> io::Result<()> {
    add_flags(&mounted.fd, flags)?;
    let top = fs::read_link(descriptor_path(&mounted.fd))?;
    for below in mounts_below(&top)? {
        match open_source(&below).and_then(|fd| add_flags(&fd, flags)) {
            // Another mount covers it, so the path does not lead to it.
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Adds flags to one mount.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn add_flags(fd: &impl AsFd, flags: MountFlags) -> io::Result<()> {
    // In a user namespace a remount must repeat the flags that the mount has.
    let all = MountFlags::BIND | flags | present_flags(fd)?;
    Ok(rustix::mount::mount_remount(descriptor_path(fd), all, "")?)
}

/// Detaches the mount at a path.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn detach(path: &Path) -> io::Result<()> {
    Ok(rustix::mount::unmount(path, UnmountFlags::DETACH)?)
}

/// An overlay mount. Directories are passed to the kernel as descriptors, whose numbers need no escaping and fit its
/// page of options.
#[derive(Debug, Clone, Copy)]
pub struct Overlay<'a> {
    /// Read-only directories, topmost first.
    pub lower: &'a [PathBuf],
    /// Directory for changes.
    pub upper: &'a Path,
    /// Empty directory for the kernel, on the file system of `upper`.
    pub work: &'a Path,
    /// Whether extended attributes have the prefix `user.`, because only real root may write `trusted.`.
    pub user_attributes: bool,
    /// Flags of the mount.
    pub flags: MountFlags,
}

impl Overlay<'_> {
    /// Mounts the overlay at `target`.
    ///
    /// # Errors
    /// Fails if the kernel refuses.
    pub fn mount(&self, target: &Path) -> io::Result<()> {
        let open = |path: &Path| -> io::Result<OwnedFd> {
            Ok(rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
        };
        let name = |fd: &OwnedFd| descriptor_path(fd).display().to_string();
        let lower = self.lower.iter().map(|path| open(path)).collect::<io::Result<Vec<_>>>()?;
        let (upper, work) = (open(self.upper)?, open(self.work)?);
        let names: Vec<String> = lower.iter().map(name).collect();
        let mut options = format!("lowerdir={},upperdir={},workdir={}", names.join(":"), name(&upper), name(&work));
        if self.user_attributes {
            options.push_str(",userxattr");
        }
        let mount_with = |options: &str| new_file_system(target, "overlay", self.flags, options);
        // `volatile` avoids a sync of the whole disk at the end. Kernels before 5.10 lack it.
        mount_with(&format!("{options},volatile")).or_else(|_| mount_with(&options))
    }
}

fn present_flags(fd: &impl AsFd) -> io::Result<MountFlags> {
    let present = rustix::fs::fstatvfs(fd)?.f_flag;
    let pairs = [
        (StatVfsMountFlags::RDONLY, MountFlags::RDONLY),
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    Ok(pairs.into_iter().filter(|(has, _)| present.contains(*has)).map(|(_, flag)| flag).collect())
}

/// Returns the mount points below a directory; see proc_pid_mountinfo(5).
fn mounts_below(top: &Path) -> io::Result<Vec<PathBuf>> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(|point| PathBuf::from(unescape(point)));
    Ok(points.filter(|point| point != top && point.starts_with(top)).collect())
}

/// Replaces the octal escapes of space, tab, newline and backslash.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
}
