//! The first process in the namespaces: puts the file system together, gives up its rights, starts the program, reaps
//! orphans, and says how the program ended. When it ends, the kernel kills the rest.

use std::io;
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{sethostname, setsid};

use super::super::overlay::overlay;
use super::super::protocol::{SandboxReport, SandboxRequest};
use super::{Failed, Step, at, rights, root, say};
use crate::cell::network::loopback_up;
use crate::engine::job::part;
use crate::model::cell::End;

pub(super) fn run(order: &SandboxRequest) -> Step<()> {
    own_mounts()?;
    umask(Mode::from_bits_truncate(0o022));
    sethostname("carnet").map_err(at("naming the machine"))?;
    if !order.network
        && let Err(e) = loopback_up()
    {
        say(&SandboxReport::not_enforced(part::NETWORK, format!("there is no loopback interface: {e}")));
    }
    root::build(order)?;
    std::env::set_current_dir(&order.workdir).map_err(at(&format!("entering `{}`", order.workdir)))?;
    rights::give_up(order).map_err(at("giving up rights"))?;
    setsid().map_err(at("making a session"))?;
    die_with_outer()?;
    say(&SandboxReport::Ended(follow(order)));
    Ok(())
}

/// Mounts of this process, of which no other sees any.
fn own_mounts() -> Step<()> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(at("making a mount namespace"))?;
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).map_err(at("making the mounts private"))
}

/// After the change of user, which would undo it.
fn die_with_outer() -> Step<()> {
    // Nothing in here may look into this process: it holds the way to the engine.
    prctl::set_dumpable(false).map_err(at("closing this process to others"))?;
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(at("tying this process to the engine"))?;
    let stdin = io::stdin();
    let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO).map_err(at("looking for the engine"))?;
    if fds[0].any().unwrap_or(false) {
        return Err(Failed { doing: "starting the program".to_owned(), reason: "the engine is gone".to_owned() });
    }
    Ok(())
}

fn follow(order: &SandboxRequest) -> End {
    let Some((program, arguments)) = order.argv.split_first() else {
        return End::NotStarted { reason: "no program is named".to_owned() };
    };
    let not_started = |e: io::Error| End::NotStarted { reason: format!("{program}: {e}") };
    // Standard output is the account and stays here: the program gets standard error for both.
    let output = match io::stderr().as_fd().try_clone_to_owned() {
        Ok(output) => output,
        Err(e) => return not_started(e),
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&order.env).stdin(Stdio::null()).stdout(output);
    match command.spawn() {
        Ok(child) => wait(child.id()),
        Err(e) => not_started(e),
    }
}

/// Waits for the program; orphans that end meanwhile are reaped.
fn wait(program: u32) -> End {
    let is = |pid: nix::unistd::Pid| u32::try_from(pid.as_raw()) == Ok(program);
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if is(pid) => return End::Exit { code },
            Ok(WaitStatus::Signaled(pid, signal, _)) if is(pid) => return End::Signal { signal: signal as i32 },
            Ok(_) | Err(Errno::EINTR) => {}
            Err(e) => return End::NotStarted { reason: format!("its end was not seen: {}", e.desc()) },
        }
    }
}

/// Tries what every run needs: mounts of one's own, and an overlay.
pub(super) fn trial() -> Step<()> {
    own_mounts()?;
    let dir = std::env::temp_dir();
    mount(Some("tmpfs"), &dir, Some("tmpfs"), MsFlags::empty(), None::<&str>).map_err(at("mounting a file system"))?;
    for name in ["lower", "upper", "work", "root"] {
        std::fs::create_dir(dir.join(name)).map_err(at("making a directory"))?;
    }
    let (upper, work, root) = (dir.join("upper"), dir.join("work"), dir.join("root"));
    let as_user = !nix::unistd::getuid().is_root() || rights::in_user_namespace();
    let overlay = overlay(&[dir.join("lower")], &upper, &work, &root, as_user).is_ok();
    say(&SandboxReport::Works { overlay });
    Ok(())
}
