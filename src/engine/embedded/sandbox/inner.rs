//! The first process in the namespaces: assembles the file system, drops privileges, starts the program, reaps orphans
//! and reports how the program ended. The kernel kills the remaining processes when it ends.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal, setsid, umask,
};
use rustix::thread::{Gid, Uid, set_no_new_privs, set_thread_gid, set_thread_groups, set_thread_uid};

use super::super::protocol::{SandboxReport, SandboxRequest};
use super::{ROLE, Step, StepError, root, step, system};
use crate::cell::descendant::wait_for;
use crate::engine::job::part;
use crate::engine::launcher;
use crate::error::chain;
use crate::model::cell::End;
use crate::sys::helper::write_report;
use crate::sys::mount::{self, MountFlags, Overlay};
use crate::sys::namespace::{self, UnshareFlags};
use crate::sys::{capability, keyring, seccomp};

pub(super) fn run(request: &SandboxRequest) -> Step<()> {
    // Before the root changes, because the image must not contain the file.
    let result = request.result.as_ref().map(|path| File::options().append(true).open(path)).transpose();
    let result = result.map_err(step("opening the file for the result"))?;
    unshare_mounts()?;
    umask(Mode::from_raw_mode(0o022));
    rustix::system::sethostname(b"carnet").map_err(step("setting the host name"))?;
    if !request.network {
        if let Err(e) = namespace::loopback_up() {
            write_report(&SandboxReport::not_enforced(part::NETWORK, format!("no loopback interface: {e}")));
        }
        namespace::open_low_ports();
    }
    let has_own_proc = root::build(request)?;
    // Without a launcher, the cell reports that its result is not protected.
    let launcher = if request.launcher && has_own_proc { launcher::start(ROLE, request).ok() } else { None };
    if has_own_proc {
        system::hide_proc()?;
    }
    std::env::set_current_dir(&request.workdir).map_err(step(&format!("entering `{}`", request.workdir)))?;
    drop_privileges(request).map_err(step("dropping privileges"))?;
    setsid().map_err(step("creating a session"))?;
    die_with_outer()?;
    if let Err(e) = filter_system_calls() {
        write_report(&SandboxReport::not_enforced(part::FILTER, e));
    }
    write_report(&SandboxReport::Ended(run_program(request, result, launcher)));
    Ok(())
}

/// Gives this process mounts that no other process sees.
fn unshare_mounts() -> Step<()> {
    namespace::unshare(UnshareFlags::NEWNS).map_err(|error| step("creating a mount namespace")(chain(&error)))?;
    mount::make_private().map_err(step("making the mounts private"))
}

/// Prepares the first process of the process namespace in which the commands of a cell run.
pub(super) fn prepare_launcher(request: &SandboxRequest) -> Step<()> {
    // Only the commands see this `/proc`.
    unshare_mounts()?;
    system::own_proc()?;
    system::hide_proc()?;
    std::env::set_current_dir("/").map_err(step("entering the root"))?;
    drop_privileges(request).map_err(step("dropping privileges"))?;
    setsid().map_err(step("creating a session"))?;
    // The other process reports a failure.
    let _ = filter_system_calls();
    Ok(())
}

/// Takes away the keyrings of the user and the system calls that a container lacks.
fn filter_system_calls() -> io::Result<()> {
    // The filter denies access to keyrings anyway. A kernel without keyrings refuses.
    let _ = keyring::leave_session();
    seccomp::apply()
}

/// Becomes the user of the request, with at most the privileges that root has in a container of Docker.
fn drop_privileges(request: &SandboxRequest) -> io::Result<()> {
    set_no_new_privs(true)?;
    capability::limit_to_container(!request.network)?;
    // This process has one thread, so the ids of the thread are those of the process.
    if request.caller.is_none() {
        set_thread_groups(&[])?;
        set_thread_gid(Gid::from_raw(request.user.gid))?;
        set_thread_uid(Uid::from_raw(request.user.uid))?;
    }
    capability::limit_to_user(request.user.uid, !request.network)
}

/// Ties this process to `outer`. Call this after the change of user, which resets the setting.
fn die_with_outer() -> Step<()> {
    // The program must not read this process, which has the pipe to the engine.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(step("disabling ptrace and core dumps for this process"))?;
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(step("setting the parent-death signal"))?;
    let stdin = io::stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())).map_err(step("checking the engine"))?;
    if !fds[0].revents().is_empty() {
        return Err(StepError {
            doing: "starting the program".to_owned(),
            reason: "the engine process has exited".to_owned(),
        });
    }
    Ok(())
}

fn run_program(request: &SandboxRequest, result: Option<File>, launcher: Option<OwnedFd>) -> End {
    let Some((program, arguments)) = request.argv.split_first() else {
        return End::NotStarted { reason: "no program given".to_owned() };
    };
    let not_started = |e: io::Error| End::NotStarted { reason: format!("{program}: {e}") };
    // Standard output is for reports, so the program gets standard error for both if it writes no result.
    let output = match result.map_or_else(|| io::stderr().as_fd().try_clone_to_owned(), |file| Ok(file.into())) {
        Ok(output) => output,
        Err(e) => return not_started(e),
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&request.env).stdout(output);
    command.stdin(launcher.map_or_else(Stdio::null, Stdio::from));
    match command.spawn() {
        Ok(child) => wait_for(child.id()),
        Err(e) => not_started(e),
    }
}

/// Tries what every run needs: mounts and an overlay.
pub(super) fn probe() -> Step<()> {
    unshare_mounts()?;
    let dir = std::env::temp_dir();
    mount::new_file_system(&dir, "tmpfs", MountFlags::empty(), "").map_err(step("mounting a file system"))?;
    for name in ["lower", "upper", "work", "root"] {
        std::fs::create_dir(dir.join(name)).map_err(step("creating a directory"))?;
    }
    let overlay = Overlay {
        lower: &[dir.join("lower")],
        upper: &dir.join("upper"),
        work: &dir.join("work"),
        user_attributes: !rustix::process::getuid().is_root() || namespace::is_in_user_namespace(),
        flags: root::OVERLAY_FLAGS,
    };
    let overlay = overlay.mount(&dir.join("root")).is_ok();
    write_report(&SandboxReport::Works { overlay });
    Ok(())
}
