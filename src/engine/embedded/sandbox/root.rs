//! Assembles the root of a run and enters it.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{AtFlags, Gid, Mode, Uid};
use rustix::process::{fchdir, pivot_root};

use super::super::protocol::{SandboxReport, SandboxRequest};
use super::super::run_dir::name;
use super::{Step, StepError, step, system};
use crate::engine::job::part;
use crate::engine::{INPUT, SCRATCH};
use crate::model::contract::Ids;
use crate::sys::helper::write_report;
use crate::sys::mount::{
    self, MountFlags, Overlay, add_flags, bind_in, descriptor_path, new_file_system, new_file_system_in, open_source,
};
use crate::sys::rooted::{Found, Rooted};

const NO_PRIVILEGES: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);
/// Flags of every overlay.
pub(super) const OVERLAY_FLAGS: MountFlags = NO_PRIVILEGES;

/// Assembles the root and makes it `/`. Reports whether its `/proc` is new.
pub(super) fn build(request: &SandboxRequest) -> Step<bool> {
    base(request)?;
    let root = Rooted::open(&request.dir.join(name::ROOT)).map_err(step("opening the root"))?;
    let has_own_proc = system::proc(&root)?;
    system::sys(&root);
    system::dev(&root)?;
    system::network_files(&root, request);
    tmp(&root, request)?;
    let input = open_source(&request.input).map_err(step("opening the input"))?;
    bind_in(&root, &input, Path::new(INPUT), NO_PRIVILEGES | MountFlags::RDONLY).map_err(step("binding the input"))?;
    writable_directory(&root, request)?;
    for mounted in &request.mounts {
        let flags = if mounted.writable { NO_PRIVILEGES } else { NO_PRIVILEGES | MountFlags::RDONLY };
        let from = open_source(Path::new(&mounted.source)).map_err(step(&format!("opening `{}`", mounted.source)))?;
        let doing = format!("binding `{}` to `{}`", mounted.source, mounted.target);
        bind_in(&root, &from, Path::new(&mounted.target), flags).map_err(step(&doing))?;
    }
    home(&root, request)?;
    workdir(&root, request)?;
    enter(&root, request.read_only)?;
    Ok(has_own_proc)
}

/// Mounts the trees of the image: as an overlay on the disk, in memory, or as read-only binds.
fn base(request: &SandboxRequest) -> Step<()> {
    let target = request.dir.join(name::ROOT);
    let as_user = request.caller.is_some();
    let (upper, work) = (request.dir.join(name::UPPER), request.dir.join(name::WORK));
    if let Some(lowest) = request.trees.last() {
        // The root directory has the mode of the upper directory.
        copy_mode(lowest, &upper, !as_user).map_err(step("preparing the root"))?;
    }
    let overlay = Overlay {
        lower: &request.trees,
        upper: &upper,
        work: &work,
        user_attributes: request.user_attributes,
        flags: OVERLAY_FLAGS,
    };
    let Err(reason) = overlay.mount(&target) else { return Ok(()) };
    if in_memory(request, &target).is_ok() {
        write_report(&SandboxReport::Fleeting { reason: reason.to_string() });
        return Ok(());
    }
    let [tree] = request.trees.as_slice() else {
        return Err(StepError { doing: "overlaying the trees of the image".to_owned(), reason: reason.to_string() });
    };
    bind_tree(tree, &target).map_err(step("binding the tree of the image"))?;
    if !request.read_only {
        write_report(&SandboxReport::not_enforced(
            part::ROOT,
            format!("read-only because overlay mounts are not available: {reason}"),
        ));
    }
    write_report(&SandboxReport::Fleeting { reason: format!("overlay mounts are not available: {reason}") });
    Ok(())
}

fn in_memory(request: &SandboxRequest, target: &Path) -> io::Result<()> {
    let memory = request.dir.join(name::MEMORY);
    new_file_system(&memory, "tmpfs", NO_PRIVILEGES, "")?;
    let (upper, work) = (memory.join(name::UPPER), memory.join(name::WORK));
    for dir in [&upper, &work] {
        fs::create_dir(dir)?;
    }
    if let Some(lowest) = request.trees.last() {
        copy_mode(lowest, &upper, request.caller.is_none())?;
    }
    let overlay = Overlay {
        lower: &request.trees,
        upper: &upper,
        work: &work,
        user_attributes: request.user_attributes,
        flags: OVERLAY_FLAGS,
    };
    overlay.mount(target)
}

/// Creates a root in memory, in which every directory of the tree is bound read-only.
fn bind_tree(tree: &Path, target: &Path) -> io::Result<()> {
    new_file_system(target, "tmpfs", NO_PRIVILEGES, "mode=755")?;
    let root = Rooted::open(target)?;
    for entry in fs::read_dir(tree)? {
        let entry = entry?;
        let path = Path::new("/").join(entry.file_name());
        if entry.file_type()?.is_symlink() {
            symlink(fs::read_link(entry.path())?, target.join(entry.file_name()))?;
        } else {
            bind_in(&root, &open_source(&entry.path())?, &path, NO_PRIVILEGES | MountFlags::RDONLY)?;
        }
    }
    Ok(())
}

/// Copies the mode, and as root the owner, of one directory to another.
fn copy_mode(model: &Path, dir: &Path, owner: bool) -> io::Result<()> {
    let stat = rustix::fs::stat(model)?;
    if owner {
        rustix::fs::chown(dir, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
    }
    Ok(rustix::fs::chmod(dir, Mode::from_raw_mode(stat.st_mode & 0o7777))?)
}

fn tmp(root: &Rooted, request: &SandboxRequest) -> Step<()> {
    let flags = if request.tmp.noexec { NO_PRIVILEGES | MountFlags::NOEXEC } else { NO_PRIVILEGES };
    let result = match request.tmp.size {
        Some(size) => new_file_system_in(root, Path::new("/tmp"), "tmpfs", flags, &format!("mode=1777,size={size}")),
        None => open_source(&request.dir.join(name::TMP)).and_then(|dir| bind_in(root, &dir, Path::new("/tmp"), flags)),
    };
    result.map_err(step("preparing /tmp"))
}

fn writable_directory(root: &Rooted, request: &SandboxRequest) -> Step<()> {
    let doing = "preparing the writable directory";
    let own = request.dir.join(name::SCRATCH);
    if request.scratch_layers.is_empty() {
        return open_source(&own)
            .and_then(|dir| bind_in(root, &dir, Path::new(SCRATCH), NO_PRIVILEGES))
            .map_err(step(doing));
    }
    let target = root.directory(Path::new(SCRATCH)).map_err(step(doing))?;
    let work = request.dir.join(name::SCRATCH_WORK);
    let overlay = Overlay {
        lower: &request.scratch_layers,
        upper: &own,
        work: &work,
        user_attributes: request.user_attributes,
        flags: OVERLAY_FLAGS,
    };
    overlay.mount(&descriptor_path(&target.fd)).map_err(step(doing))
}

fn home(root: &Rooted, request: &SandboxRequest) -> Step<()> {
    let Some(home) = &request.home else { return Ok(()) };
    let (path, doing) = (Path::new(home), format!("creating the home `{home}`"));
    let made = match create(root, path, request.user) {
        Ok(made) => made,
        Err(e) => {
            write_report(&SandboxReport::not_enforced(part::HOME, format!("`{home}` can't be created: {e}")));
            return Ok(());
        }
    };
    if made {
        write_report(&SandboxReport::MadeHome);
    }
    if request.read_only && (made || request.home_kept) {
        // A separate mount stays writable when the root becomes read-only.
        let found = root.find(path).map_err(step(&doing))?;
        bind_in(root, &found.fd, path, MountFlags::empty()).map_err(step(&doing))?;
    }
    Ok(())
}

fn workdir(root: &Rooted, request: &SandboxRequest) -> Step<()> {
    let doing = format!("creating the working directory `{}`", request.workdir);
    create(root, Path::new(&request.workdir), request.user).map(drop).map_err(step(&doing))
}

/// Creates a directory for the user if it is missing.
fn create(root: &Rooted, path: &Path, user: Ids) -> io::Result<bool> {
    let Found { fd, made, .. } = root.directory(path)?;
    if made {
        let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
        rustix::fs::chownat(&fd, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
    }
    Ok(made)
}

/// Makes the new root `/` and detaches the old one.
fn enter(root: &Rooted, read_only: bool) -> Step<()> {
    let doing = "entering the root";
    fchdir(root.fd()).map_err(step(doing))?;
    pivot_root(".", ".").map_err(step(doing))?;
    mount::detach(Path::new(".")).map_err(step(doing))?;
    std::env::set_current_dir("/").map_err(step(doing))?;
    if read_only {
        let root = Rooted::open(Path::new("/")).map_err(step(doing))?;
        let top = root.find(Path::new("/")).map_err(step(doing))?;
        add_flags(&top.fd, MountFlags::RDONLY).map_err(step("making the root read-only"))?;
    }
    Ok(())
}
