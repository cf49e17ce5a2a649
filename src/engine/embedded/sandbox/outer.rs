//! The first process of a run: creates the namespaces, starts `inner` in them, and kills it when the engine is gone.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::getppid;

use super::super::control;
use super::super::protocol::{SandboxReport, SandboxRequest};
use super::{INNER, INNER_PROBE, ROLE, Step, step};
use crate::engine::job::part;
use crate::error::chain;
use crate::model::contract::Ids;
use crate::sys::helper::{HELPER_ARG, encode, write_report};
use crate::sys::namespace::{self, UnshareFlags};
use crate::sys::remove::remove_tree;
use crate::sys::{capability, descriptor};

/// Maximum number of bytes of reports that are forwarded; `inner` writes a few lines.
const MAX_REPORT_BYTES: usize = 32 << 10;

/// Hides the descriptors that carnet's caller has open.
pub(super) fn hide_inherited() -> Step<()> {
    descriptor::hide_inherited().map_err(step("closing inherited descriptors"))
}

pub(super) fn run(request: &SandboxRequest) -> Step<()> {
    let engine = getppid();
    for group in &request.groups {
        if let Err(e) = control::join(&group.dir) {
            for part in &group.parts {
                write_report(&SandboxReport::not_enforced(part, format!("failed to join its control group: {e}")));
            }
        }
    }
    if request.caller.is_none() {
        // As root, only as a further barrier: programs get no capability of this machine.
        let created = if request.user_attributes {
            namespace::unshare_with_all_ids().map_err(|error| chain(&error))
        } else {
            Err("it requires Linux 5.11".to_owned())
        };
        match created {
            Ok(()) => forbid_cgroup_namespaces(),
            Err(reason) => write_report(&SandboxReport::not_enforced(part::USER_NAMESPACE, reason)),
        }
    }
    enter(request.caller.map(|caller| (request.user, caller)), request.network)?;
    let mut inner = start(INNER)?;
    let mut inner_stdin = inner.stdin.take();
    if let Some(pipe) = &mut inner_stdin {
        let line = encode(request).map_err(step("writing the request"))?;
        // An error means that `inner` has ended, which `follow` reports.
        let _ = pipe.write_all(&line);
    }
    follow(&mut inner)?;
    if getppid() != engine {
        // The engine was killed, so this process cleans up. The next sweep removes the rest.
        request.groups.iter().for_each(control::leave);
        let _ = remove_tree(&request.dir);
        let _ = fs::remove_file(&request.lock);
    }
    Ok(())
}

/// Creates the namespaces that a run needs and reports the result.
pub(super) fn probe() -> Step<()> {
    let user = (!capability::may_mount()).then(|| (Ids { uid: 0, gid: 0 }, namespace::caller()));
    enter(user, false)?;
    let mut inner = start(INNER_PROBE)?;
    let mut text = Vec::new();
    if let Some(mut reports) = inner.stdout.take() {
        reports.read_to_end(&mut text).map_err(step("reading the reports"))?;
    }
    inner.wait().map_err(step("waiting for the probe"))?;
    io::stdout().write_all(&text).map_err(step("forwarding the reports"))
}

fn forbid_cgroup_namespaces() {
    if let Err(e) = namespace::forbid_cgroup_namespaces() {
        let reason = format!("programs can mount control groups, because /proc/sys is not writable: {e}");
        write_report(&SandboxReport::not_enforced(part::CGROUPS, reason));
    }
}

/// Enters the namespaces of a run. `user` has the ids inside and outside a new user namespace.
fn enter(user: Option<(Ids, Ids)>, network: bool) -> Step<()> {
    if let Some((inside, outside)) = user {
        let created = namespace::unshare_with_user(UnshareFlags::empty(), inside, outside);
        created.map_err(|error| step("creating a user namespace")(chain(&error)))?;
        forbid_cgroup_namespaces();
        capability::keep_across_exec().map_err(step("keeping the capabilities in the user namespace"))?;
    }
    let mut flags = UnshareFlags::NEWPID | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    if !network {
        flags |= UnshareFlags::NEWNET;
    }
    namespace::unshare(flags).map_err(|error| step("creating namespaces")(chain(&error)))
}

/// Starts the first process of the new process namespace. Its standard error is the output of the run.
fn start(part: &str) -> Step<Child> {
    let mut command = Command::new("/proc/self/exe");
    command.args([HELPER_ARG, ROLE, part]).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().map_err(step("starting a process in the namespaces"))
}

/// Forwards reports until `inner` ends. Kills `inner` when the engine closes standard input.
fn follow(inner: &mut Child) -> Step<()> {
    let Some(mut reports) = inner.stdout.take() else { return Ok(()) };
    let (mut forwarded, stdin) = (0, io::stdin());
    let mut is_engine_alive = true;
    loop {
        let mut fds = vec![PollFd::new(&reports, PollFlags::IN)];
        if is_engine_alive {
            fds.push(PollFd::new(&stdin, PollFlags::IN));
        }
        match poll(&mut fds, None) {
            Err(Errno::INTR) => continue,
            other => other.map_err(step("waiting for the program"))?,
        };
        let is_ready = |index: usize| fds.get(index).is_some_and(|fd| !fd.revents().is_empty());
        let (has_report, is_closed) = (is_ready(0), is_ready(1));
        if is_closed {
            // The engine sends only the request: this is the end of the stream.
            is_engine_alive = false;
            inner.kill().map_err(step("killing the program"))?;
        }
        if has_report && !forward(&mut reports, &mut forwarded).map_err(step("forwarding the reports"))? {
            break;
        }
    }
    // Returns when every process of the namespace has ended.
    inner.wait().map(drop).map_err(step("waiting for the program"))
}

fn forward(reports: &mut ChildStdout, forwarded: &mut usize) -> io::Result<bool> {
    let mut buffer = [0; 4096];
    let length = reports.read(&mut buffer)?;
    *forwarded += length;
    if *forwarded <= MAX_REPORT_BYTES {
        // An error means that the engine is gone.
        let _ = io::stdout().write_all(&buffer[..length]).and_then(|()| io::stdout().flush());
    }
    Ok(length > 0)
}
