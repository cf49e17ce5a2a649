//! The first process of a run: makes the namespaces, starts `inner` in them, and kills it when the engine is gone.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getppid, getuid};

use super::super::control;
use super::super::protocol::{SandboxReport, SandboxRequest};
use super::{INNER, INNER_TRIAL, Step, WORD, at, descriptor, rights, say};
use crate::model::contract::Ids;
use crate::sys::remove::remove_tree;

/// Bytes of account passed on; `inner` writes a few lines.
const ACCOUNT_CAP: usize = 32 << 10;

/// What the caller of carnet has open is none of the run's business.
pub(super) fn own_descriptors() -> Step<()> {
    descriptor::keep().map_err(at("keeping what the caller has open to itself"))
}

pub(super) fn run(order: &SandboxRequest) -> Step<()> {
    let engine = getppid();
    for group in &order.groups {
        if let Err(e) = control::join(&group.dir) {
            group
                .parts
                .iter()
                .for_each(|part| say(&SandboxReport::not_enforced(part, format!("joining its group: {e}"))));
        }
    }
    enter(order.caller.map(|caller| (order.user, caller)), order.network)?;
    let mut inner = start(INNER)?;
    let mut order_pipe = inner.stdin.take();
    if let Some(pipe) = &mut order_pipe {
        let mut line = serde_json::to_vec(order).map_err(at("writing the order"))?;
        line.push(b'\n');
        // Fails when `inner` is gone, which shows below.
        let _ = pipe.write_all(&line);
    }
    follow(&mut inner)?;
    if getppid() != engine {
        // The engine was killed, so nobody else cleans up. What fails here is found by its next sweep.
        order.groups.iter().for_each(control::leave);
        let _ = remove_tree(&order.dir);
        let _ = fs::remove_file(&order.lock);
    }
    Ok(())
}

/// Makes the namespaces that a run needs, and says what came of it.
pub(super) fn trial() -> Step<()> {
    let user = (!rights::may_mount()).then(|| (Ids { uid: 0, gid: 0 }, caller()));
    enter(user, false)?;
    let mut inner = start(INNER_TRIAL)?;
    let mut text = Vec::new();
    if let Some(mut account) = inner.stdout.take() {
        account.read_to_end(&mut text).map_err(at("reading the account"))?;
    }
    inner.wait().map_err(at("waiting for the trial"))?;
    io::stdout().write_all(&text).map_err(at("passing the account on"))
}

pub(super) fn caller() -> Ids {
    Ids { uid: getuid().as_raw(), gid: getgid().as_raw() }
}

fn enter(user: Option<(Ids, Ids)>, network: bool) -> Step<()> {
    if let Some((inside, outside)) = user {
        unshare(CloneFlags::CLONE_NEWUSER).map_err(at("making a user namespace"))?;
        let map = |file: &str, line: String| fs::write(file, line).map_err(at("mapping the user"));
        map("/proc/self/setgroups", "deny".to_owned())?;
        map("/proc/self/uid_map", format!("{} {} 1", inside.uid, outside.uid))?;
        map("/proc/self/gid_map", format!("{} {} 1", inside.gid, outside.gid))?;
        rights::keep_across_exec().map_err(at("keeping the rights in the user namespace"))?;
    }
    let mut spaces = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
    if !network {
        spaces |= CloneFlags::CLONE_NEWNET;
    }
    unshare(spaces).map_err(at("making namespaces"))
}

/// Starts the first process of the new process namespace. Its standard error is the output of the run.
fn start(part: &str) -> Step<Child> {
    let mut command = Command::new("/proc/self/exe");
    command.args([WORD, part]).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().map_err(at("starting a process in the namespaces"))
}

/// Passes the account on until `inner` ends, and kills it when the engine's end of standard input goes.
fn follow(inner: &mut Child) -> Step<()> {
    let Some(mut account) = inner.stdout.take() else { return Ok(()) };
    let (mut passed, stdin) = (0, io::stdin());
    let mut engine_lives = true;
    loop {
        let mut fds = vec![PollFd::new(account.as_fd(), PollFlags::POLLIN)];
        if engine_lives {
            fds.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut fds, PollTimeout::NONE) {
            Err(nix::errno::Errno::EINTR) => continue,
            other => other.map_err(at("waiting for the program"))?,
        };
        let ready = |at: usize| fds.get(at).is_some_and(|fd| fd.any().unwrap_or(false));
        let (has_account, has_word) = (ready(0), ready(1));
        if has_word {
            // The engine sends nothing more: this is the end of the stream.
            engine_lives = false;
            inner.kill().map_err(at("killing the program"))?;
        }
        if has_account && !pass(&mut account, &mut passed).map_err(at("passing the account on"))? {
            break;
        }
    }
    // Returns when all processes of the namespace are gone.
    inner.wait().map(drop).map_err(at("waiting for the program"))
}

fn pass(account: &mut ChildStdout, passed: &mut usize) -> io::Result<bool> {
    let mut buffer = [0; 4096];
    let length = account.read(&mut buffer)?;
    *passed += length;
    if *passed <= ACCOUNT_CAP {
        // Nobody listens when the engine is gone.
        let _ = io::stdout().write_all(&buffer[..length]).and_then(|()| io::stdout().flush());
    }
    Ok(length > 0)
}
