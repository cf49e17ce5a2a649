//! Puts the root of a run together and moves into it.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{fchdir, pivot_root};
use rustix::fs::{AtFlags, Gid, Mode, Uid};

use super::super::overlay::overlay;
use super::super::protocol::{SandboxReport, SandboxRequest};
use super::super::run_dir::name;
use super::attach::{bind, file_system, path_of, set_flags, source};
use super::{Failed, Step, at, say, system};
use crate::engine::job::part;
use crate::engine::{BOX, INPUT};
use crate::model::contract::Ids;
use crate::sys::rooted::{Found, Rooted};

const QUIET: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV);

/// Puts everything together and makes it `/`.
pub(super) fn build(order: &SandboxRequest) -> Step<()> {
    base(order)?;
    let root = Rooted::open(&order.dir.join(name::ROOT)).map_err(at("opening the root"))?;
    system::proc(&root)?;
    system::sys(&root);
    system::dev(&root)?;
    system::network_files(&root, order);
    tmp(&root, order)?;
    let input = source(&order.input).map_err(at("opening the input"))?;
    bind(&root, &input, Path::new(INPUT), QUIET | MsFlags::MS_RDONLY).map_err(at("showing the input"))?;
    writable_directory(&root, order)?;
    for shown in &order.mounts {
        let flags = if shown.writable { QUIET } else { QUIET | MsFlags::MS_RDONLY };
        let from = source(Path::new(&shown.source)).map_err(at(&format!("opening `{}`", shown.source)))?;
        let doing = format!("showing `{}` at `{}`", shown.source, shown.target);
        bind(&root, &from, Path::new(&shown.target), flags).map_err(at(&doing))?;
    }
    home(&root, order)?;
    workdir(&root, order)?;
    enter(&root, order.read_only)
}

/// Mounts the trees of the image: as an overlay on the disk, in memory, or as they are.
fn base(order: &SandboxRequest) -> Step<()> {
    let target = order.dir.join(name::ROOT);
    let as_user = order.caller.is_some();
    let (upper, work) = (order.dir.join(name::UPPER), order.dir.join(name::WORK));
    if let Some(lowest) = order.trees.last() {
        // The root directory's own rights come from the upper directory.
        like(lowest, &upper, !as_user).map_err(at("preparing the root"))?;
    }
    let Err(reason) = overlay(&order.trees, &upper, &work, &target, as_user) else { return Ok(()) };
    if in_memory(order, &target).is_ok() {
        say(&SandboxReport::Fleeting { reason: reason.to_string() });
        return Ok(());
    }
    let [tree] = order.trees.as_slice() else {
        return Err(Failed {
            doing: "laying the image's trees over each other".to_owned(),
            reason: reason.to_string(),
        });
    };
    bound(tree, &target).map_err(at("binding the image's tree"))?;
    if !order.read_only {
        say(&SandboxReport::not_enforced(part::ROOT, format!("it is read-only, since overlays are refused: {reason}")));
    }
    say(&SandboxReport::Fleeting { reason: format!("overlays are refused: {reason}") });
    Ok(())
}

fn in_memory(order: &SandboxRequest, target: &Path) -> io::Result<()> {
    let memory = order.dir.join(name::MEMORY);
    mount(Some("tmpfs"), &memory, Some("tmpfs"), QUIET, None::<&str>)?;
    let (upper, work) = (memory.join(name::UPPER), memory.join(name::WORK));
    for dir in [&upper, &work] {
        fs::create_dir(dir)?;
    }
    if let Some(lowest) = order.trees.last() {
        like(lowest, &upper, order.caller.is_none())?;
    }
    overlay(&order.trees, &upper, &work, target, order.caller.is_some())
}

/// A new root in memory, in which every directory of the tree's is shown read-only.
fn bound(tree: &Path, target: &Path) -> io::Result<()> {
    mount(Some("tmpfs"), target, Some("tmpfs"), QUIET, Some("mode=755"))?;
    let root = Rooted::open(target)?;
    for entry in fs::read_dir(tree)? {
        let entry = entry?;
        let at = Path::new("/").join(entry.file_name());
        if entry.file_type()?.is_symlink() {
            symlink(fs::read_link(entry.path())?, target.join(entry.file_name()))?;
        } else {
            bind(&root, &source(&entry.path())?, &at, QUIET | MsFlags::MS_RDONLY)?;
        }
    }
    Ok(())
}

/// Gives a directory the rights, and as root the owner, of another.
fn like(model: &Path, dir: &Path, owner: bool) -> io::Result<()> {
    let stat = rustix::fs::stat(model)?;
    if owner {
        rustix::fs::chown(dir, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
    }
    Ok(rustix::fs::chmod(dir, Mode::from_raw_mode(stat.st_mode & 0o7777))?)
}

fn tmp(root: &Rooted, order: &SandboxRequest) -> Step<()> {
    let flags = if order.tmp.noexec { QUIET | MsFlags::MS_NOEXEC } else { QUIET };
    let result = match order.tmp.size {
        Some(size) => file_system(root, Path::new("/tmp"), "tmpfs", flags, &format!("mode=1777,size={size}")),
        None => source(&order.dir.join(name::TMP)).and_then(|dir| bind(root, &dir, Path::new("/tmp"), flags)),
    };
    result.map_err(at("preparing /tmp"))
}

fn writable_directory(root: &Rooted, order: &SandboxRequest) -> Step<()> {
    let doing = "preparing the writable directory";
    let own = order.dir.join(name::BOX);
    if order.boxes.is_empty() {
        return source(&own).and_then(|dir| bind(root, &dir, Path::new(BOX), QUIET)).map_err(at(doing));
    }
    let target = root.directory(Path::new(BOX)).map_err(at(doing))?;
    let work = order.dir.join(name::BOX_WORK);
    let target = path_of(&target.fd);
    overlay(&order.boxes, &own, &work, &target, order.caller.is_some()).map_err(at(doing))
}

fn home(root: &Rooted, order: &SandboxRequest) -> Step<()> {
    let Some(home) = &order.home else { return Ok(()) };
    let (path, doing) = (Path::new(home), format!("making the home `{home}`"));
    let made = match make(root, path, order.user) {
        Ok(made) => made,
        Err(e) => {
            say(&SandboxReport::not_enforced(part::HOME, format!("`{home}` can't be made: {e}")));
            return Ok(());
        }
    };
    if made {
        say(&SandboxReport::MadeHome);
    }
    if order.read_only && (made || order.home_kept) {
        // A mount of its own stays writable when the root no longer is.
        let itself = root.find(path).map_err(at(&doing))?;
        bind(root, &itself.fd, path, MsFlags::empty()).map_err(at(&doing))?;
    }
    Ok(())
}

fn workdir(root: &Rooted, order: &SandboxRequest) -> Step<()> {
    let doing = format!("making the working directory `{}`", order.workdir);
    make(root, Path::new(&order.workdir), order.user).map(drop).map_err(at(&doing))
}

/// Makes a directory for the user, if it is missing.
fn make(root: &Rooted, path: &Path, user: Ids) -> io::Result<bool> {
    let Found { fd, made, .. } = root.directory(path)?;
    if made {
        let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
        rustix::fs::chownat(&fd, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
    }
    Ok(made)
}

/// Makes the new root `/` and lets go of the old one.
fn enter(root: &Rooted, read_only: bool) -> Step<()> {
    let doing = "entering the root";
    fchdir(root.fd()).map_err(at(doing))?;
    pivot_root(".", ".").map_err(at(doing))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(at(doing))?;
    std::env::set_current_dir("/").map_err(at(doing))?;
    if read_only {
        let root = Rooted::open(Path::new("/")).map_err(at(doing))?;
        let top = root.find(Path::new("/")).map_err(at(doing))?;
        set_flags(&top.fd, MsFlags::MS_RDONLY).map_err(at("making the root read-only"))?;
    }
    Ok(())
}
