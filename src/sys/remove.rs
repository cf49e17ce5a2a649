//! Removes directory trees, including directories without permissions for their owner.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::model::text;

/// Maximum number of directories open at once. Deeper directories are moved up first, because a hostile program can create
/// trees deeper than the limit on file descriptors.
const MAX_DEPTH: usize = 128;

/// Removes the file or directory at `path`, which may not exist, without following links.
///
/// # Errors
/// Fails if a file can't be removed.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    remove(path, None)
}

/// Removes the file or directory at `path` as [`remove_tree`] does, and returns its size on the disk in bytes.
///
/// # Errors
/// Fails if a file can't be removed.
pub fn remove_and_measure(path: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    remove(path, Some(&mut bytes)).map(|()| bytes)
}

fn remove(path: &Path, bytes: Option<&mut u64>) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(Errno::INVAL.into()) };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(parent, flags, Mode::empty()) {
        Err(Errno::NOENT) => Ok(()),
        other => remove_below(other?, name.as_bytes(), bytes),
    }
}

/// An open directory with its location and its remaining entries.
struct Level {
    parent: OwnedFd,
    name: Vec<u8>,
    entries: Vec<Vec<u8>>,
}

/// Removes `name` in `parent` with its content.
pub(crate) fn remove_at(parent: OwnedFd, name: &[u8]) -> io::Result<()> {
    remove_below(parent, name, None)
}

/// Removes `name` in `parent` with its content, and adds its size to `bytes`. Does not recurse, because a hostile tree may
/// be deep.
fn remove_below(parent: OwnedFd, name: &[u8], mut bytes: Option<&mut u64>) -> io::Result<()> {
    let mut levels: Vec<Level> = Vec::new();
    let mut dir = parent;
    let mut name = name.to_vec();
    let mut moved = 0;
    loop {
        if levels.len() > MAX_DEPTH && lift(&mut levels, &dir, &name, &mut moved)? {
            name.clear();
        }
        if !name.is_empty()
            && let Some(bytes) = &mut bytes
        {
            **bytes += size(&dir, &name);
        }
        if !name.is_empty()
            && let Some((directory, entries)) = enter(&dir, &name)?
        {
            levels.push(Level { parent: dir, name, entries });
            dir = directory;
        }
        loop {
            let Some(level) = levels.last_mut() else { return Ok(()) };
            if let Some(next) = level.entries.pop() {
                name = next;
                break;
            }
            let Some(Level { parent, name, .. }) = levels.pop() else { return Ok(()) };
            ignore_missing(rustix::fs::unlinkat(&parent, name.as_slice(), AtFlags::REMOVEDIR))?;
            dir = parent;
        }
    }
}

/// Returns the size of a file or directory on the disk in bytes. A file with several names is counted with the last one.
fn size(parent: &OwnedFd, name: &[u8]) -> u64 {
    let Ok(stat) = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) else { return 0 };
    let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    if is_directory || stat.st_nlink == 1 { u64::try_from(stat.st_blocks).unwrap_or_default() * 512 } else { 0 }
}

/// Moves a directory that is too deep into the topmost one, where it is removed later.
fn lift(levels: &mut [Level], parent: &OwnedFd, name: &[u8], moved: &mut u64) -> io::Result<bool> {
    let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Ok(false);
    }
    rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
    *moved += 1;
    let fresh = format!(".carnet-removed-{moved}").into_bytes();
    let [top, below, ..] = levels else { return Ok(false) };
    rustix::fs::renameat(parent, name, &below.parent, fresh.as_slice())?;
    top.entries.push(fresh);
    Ok(true)
}

/// Removes a file, or opens a directory and returns its entries.
fn enter(parent: impl AsFd, name: &[u8]) -> io::Result<Option<(OwnedFd, Vec<Vec<u8>>)>> {
    match rustix::fs::unlinkat(&parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(None),
        // Linux returns EISDIR for a directory, POSIX specifies EPERM.
        Err(Errno::ISDIR | Errno::PERM | Errno::ACCESS) => {}
        Err(e) => return Err(e.into()),
    }
    let stat = rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Err(Errno::PERM.into());
    }
    if stat.st_mode & 0o700 != 0o700 {
        rustix::fs::chmodat(&parent, name, Mode::RWXU, AtFlags::empty())?;
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(&parent, name, flags, Mode::empty())?;
    let mut entries = Vec::new();
    for entry in Dir::read_from(&fd)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            entries.push(name);
        }
    }
    Ok(Some((fd, entries)))
}

fn ignore_missing(result: Result<(), Errno>) -> io::Result<()> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        other => Ok(other?),
    }
}

/// Removes a directory, if it exists, and returns a line about it.
pub(crate) fn remove_and_describe(path: &Path) -> Option<String> {
    path.symlink_metadata().is_ok().then(|| removal_line(path, &remove_and_measure(path)))
}

/// Returns a line about a directory that was removed, with its size in bytes, or that could not be removed.
pub(crate) fn removal_line(path: &Path, removed: &io::Result<u64>) -> String {
    match removed {
        Ok(bytes) => format!("removed {} ({})", path.display(), text::size(*bytes)),
        Err(error) => format!("failed to remove {}: {error}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use rustix::fs::{Mode, OFlags};

    use super::remove_tree;

    #[test]
    fn remove_tree_removes_closed_directories_and_keeps_link_targets() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, outside) = (dir.path().join("tree"), dir.path().join("outside"));
        fs::create_dir_all(tree.join("a/b/c")).unwrap();
        fs::write(tree.join("a/b/c/file"), "x").unwrap();
        fs::write(tree.join("a/file"), "x").unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "x").unwrap();
        symlink(&outside, tree.join("a/link")).unwrap();
        fs::set_permissions(tree.join("a/b/c"), Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(tree.join("a/b"), Permissions::from_mode(0o555)).unwrap();
        assert!(super::remove_and_measure(&tree).unwrap() >= 512);
        assert!(!tree.exists());
        assert!(outside.join("kept").exists());
        remove_tree(&tree).unwrap();
        remove_tree(&dir.path().join("no/such/parent")).unwrap();
    }

    #[test]
    fn remove_tree_removes_any_depth() {
        let dir = tempfile::tempdir().unwrap();
        let mut at = rustix::fs::open(dir.path(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
        for _ in 0..3000 {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            at = rustix::fs::openat(&at, "d", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
        }
        remove_tree(&dir.path().join("d")).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn remove_tree_removes_a_link_and_keeps_its_target() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("target"), "x").unwrap();
        symlink("target", dir.path().join("link")).unwrap();
        remove_tree(&dir.path().join("link")).unwrap();
        assert!(dir.path().join("target").exists());
        assert!(!dir.path().join("link").is_symlink());
    }
}
