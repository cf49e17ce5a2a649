//! Starts a [launcher](crate::cell::launcher) in a process namespace of its own.
//!
//! A first helper process creates the namespace, starts the launcher as its first process and ends. The caller itself can't
//! do that, because its other children would then be in the namespace too.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Command, ExitCode, Stdio};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cell::launcher::{refuse, serve, wait_until_ready};
use crate::cell::protection;
use crate::sys::channel::Channel;
use crate::sys::helper::HELPER_ARG;
use crate::sys::namespace::{self, UnshareFlags};

/// Argument after the role of the helper that creates the process namespace.
const CREATE: &str = "launcher";
/// Argument after the role of its first process.
const FIRST: &str = "launcher-first";

/// Starts this program as a launcher of an engine, whose helpers have the role `role`, and sends it a request. The caller must
/// reap orphans. Returns the end of the channel for the program that uses the launcher.
///
/// # Errors
/// Fails if the kernel refuses the process namespace or a step of its preparation.
pub(super) fn start(role: &str, request: &impl Serialize) -> io::Result<OwnedFd> {
    let (mut channel, other) = Channel::pair()?;
    let mut command = Command::new("/proc/self/exe");
    command.args([HELPER_ARG, role, CREATE]).env_clear().stdin(other).stdout(Stdio::null());
    command.spawn()?;
    // The command owns the other end. Without it, the end of the launcher is the end of the channel.
    drop(command);
    channel.send(request, None)?;
    wait_until_ready(&mut channel)?;
    Ok(channel.into())
}

/// Runs a launcher if `argument`, the argument after the role of this helper, requests it. `prepare` mounts `/proc` and drops
/// privileges.
pub(super) fn run_if_requested<R: DeserializeOwned>(
    role: &str,
    argument: &OsStr,
    prepare: impl FnOnce(&R) -> Result<(), String>,
) -> Option<ExitCode> {
    let is_first = match argument.to_str() {
        Some(CREATE) => false,
        Some(FIRST) => true,
        _ => return None,
    };
    let Some(mut channel) = Channel::at_stdin() else { return Some(ExitCode::FAILURE) };
    let outcome = if is_first {
        receive_and_prepare(&mut channel, prepare).map(|()| true)
    } else {
        create(role).map(|()| false).map_err(|error| format!("creating a process namespace: {error}"))
    };
    let is_done = match outcome {
        Ok(true) => serve(channel).is_ok(),
        Ok(false) => true,
        Err(reason) => {
            refuse(&channel, &reason);
            false
        }
    };
    Some(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Starts the first process of a new process namespace, with the channel as its standard input.
fn create(role: &str) -> io::Result<()> {
    namespace::unshare(UnshareFlags::NEWPID).map_err(io::Error::other)?;
    let channel = io::stdin().as_fd().try_clone_to_owned()?;
    let mut command = Command::new("/proc/self/exe");
    command.args([HELPER_ARG, role, FIRST]).env_clear().stdin(channel).stdout(Stdio::null());
    command.spawn().map(drop)
}

fn receive_and_prepare<R: DeserializeOwned>(
    channel: &mut Channel,
    prepare: impl FnOnce(&R) -> Result<(), String>,
) -> Result<(), String> {
    let request = channel.receive().map_err(|error| format!("reading the request: {error}"))?;
    prepare(&request)?;
    // The commands have the same user.
    protection::hide();
    Ok(())
}
