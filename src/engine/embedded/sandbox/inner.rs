//! The first process in the namespaces: assembles the file system, drops privileges, starts the program, reaps orphans
//! and reports how the program ended. The kernel kills the remaining processes when it ends.

use std::io;
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal, setsid, umask,
};
use rustix::thread::{Gid, Uid, set_no_new_privs, set_thread_gid, set_thread_groups, set_thread_uid};

use super::super::protocol::{SandboxReport, SandboxRequest};
use super::{Step, StepError, root, step};
use crate::cell::descendant::wait_for;
use crate::engine::job::part;
use crate::error::chain;
use crate::model::cell::End;
use crate::sys::capability;
use crate::sys::helper::write_report;
use crate::sys::mount::{self, MountFlags, Overlay};
use crate::sys::namespace::{self, UnshareFlags};

pub(super) fn run(request: &SandboxRequest) -> Step<()> {
    unshare_mounts()?;
    umask(Mode::from_raw_mode(0o022));
    rustix::system::sethostname(b"carnet").map_err(step("setting the host name"))?;
    if !request.network
        && let Err(e) = namespace::loopback_up()
    {
        write_report(&SandboxReport::not_enforced(part::NETWORK, format!("no loopback interface: {e}")));
    }
    root::build(request)?;
    std::env::set_current_dir(&request.workdir).map_err(step(&format!("entering `{}`", request.workdir)))?;
    drop_privileges(request).map_err(step("dropping privileges"))?;
    setsid().map_err(step("creating a session"))?;
    die_with_outer()?;
    write_report(&SandboxReport::Ended(run_program(request)));
    Ok(())
}

/// Gives this process mounts that no other process sees.
fn unshare_mounts() -> Step<()> {
    namespace::unshare(UnshareFlags::NEWNS).map_err(|error| step("creating a mount namespace")(chain(&error)))?;
    mount::make_private().map_err(step("making the mounts private"))
}

/// Becomes the user of the request, with at most the privileges that root has in a container of Docker.
fn drop_privileges(request: &SandboxRequest) -> io::Result<()> {
    set_no_new_privs(true)?;
    capability::limit_to_container()?;
    // This process has one thread, so the ids of the thread are those of the process.
    if request.caller.is_none() {
        set_thread_groups(&[])?;
        set_thread_gid(Gid::from_raw(request.user.gid))?;
        set_thread_uid(Uid::from_raw(request.user.uid))?;
    }
    capability::limit_to_user(request.user.uid)
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

fn run_program(request: &SandboxRequest) -> End {
    let Some((program, arguments)) = request.argv.split_first() else {
        return End::NotStarted { reason: "no program given".to_owned() };
    };
    let not_started = |e: io::Error| End::NotStarted { reason: format!("{program}: {e}") };
    // Standard output is for reports, so the program gets standard error for both.
    let output = match io::stderr().as_fd().try_clone_to_owned() {
        Ok(output) => output,
        Err(e) => return not_started(e),
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&request.env).stdin(Stdio::null()).stdout(output);
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
