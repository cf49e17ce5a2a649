//! Removes trees that their owner may have no right to enter: read-only or closed directories are opened first.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

/// Directories held open at once; what lies deeper is moved up first, for there are not enough file descriptors for
/// every depth that a hostile program can make.
const DEPTH_CAP: usize = 128;

/// Removes whatever lies at `path`, never following a link. Nothing there is fine.
///
/// # Errors
/// When something in it can't be removed.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(Errno::INVAL.into()) };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(parent, flags, Mode::empty()) {
        Err(Errno::NOENT) => Ok(()),
        other => remove_at(other?, name.as_bytes()),
    }
}

/// A directory on the way down: where it lies, and what of it is still to be removed.
struct Level {
    parent: OwnedFd,
    name: Vec<u8>,
    entries: Vec<Vec<u8>>,
}

/// Removes `name` under `parent` with everything in it. Works without recursion: a hostile tree may be deep.
pub(crate) fn remove_at(parent: OwnedFd, name: &[u8]) -> io::Result<()> {
    let mut levels: Vec<Level> = Vec::new();
    let mut at = parent;
    let mut name = name.to_vec();
    let mut moved = 0;
    loop {
        if levels.len() > DEPTH_CAP && lift(&mut levels, &at, &name, &mut moved)? {
            name.clear();
        }
        if !name.is_empty()
            && let Some((directory, entries)) = enter(&at, &name)?
        {
            levels.push(Level { parent: at, name, entries });
            at = directory;
        }
        loop {
            let Some(level) = levels.last_mut() else { return Ok(()) };
            if let Some(next) = level.entries.pop() {
                name = next;
                break;
            }
            let Some(Level { parent, name, .. }) = levels.pop() else { return Ok(()) };
            gone(rustix::fs::unlinkat(&parent, name.as_slice(), AtFlags::REMOVEDIR))?;
            at = parent;
        }
    }
}

/// Moves a directory that lies too deep into the top one, to be removed later from there.
fn lift(levels: &mut [Level], at: &OwnedFd, name: &[u8], moved: &mut u64) -> io::Result<bool> {
    let stat = rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Ok(false);
    }
    rustix::fs::chmodat(at, name, Mode::RWXU, AtFlags::empty())?;
    *moved += 1;
    let fresh = format!(".carnet-removed-{moved}").into_bytes();
    let [top, below, ..] = levels else { return Ok(false) };
    rustix::fs::renameat(at, name, &below.parent, fresh.as_slice())?;
    top.entries.push(fresh);
    Ok(true)
}

/// Removes what is no directory; of a directory gives the entries.
fn enter(parent: impl AsFd, name: &[u8]) -> io::Result<Option<(OwnedFd, Vec<Vec<u8>>)>> {
    match rustix::fs::unlinkat(&parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(None),
        // Linux says EISDIR for a directory; POSIX has EPERM.
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

fn gone(result: Result<(), Errno>) -> io::Result<()> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use rustix::fs::{Mode, OFlags};

    use super::remove_tree;

    #[test]
    fn closed_directories_go_and_what_links_point_to_stays() {
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
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert!(outside.join("kept").exists());
        remove_tree(&tree).unwrap();
        remove_tree(&dir.path().join("no/such/parent")).unwrap();
    }

    #[test]
    fn any_depth_goes() {
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
    fn a_link_goes_and_its_target_stays() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("target"), "x").unwrap();
        symlink("target", dir.path().join("link")).unwrap();
        remove_tree(&dir.path().join("link")).unwrap();
        assert!(dir.path().join("target").exists());
        assert!(!dir.path().join("link").is_symlink());
    }
}
