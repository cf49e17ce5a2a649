//! The process around a run on this machine.
//!
//! It is this same program, called with a word of its own. It reads an order as one line from its standard input, starts the
//! program, adopts every descendant whose parent ends, and kills them all when the program ends or when its standard
//! input does: so nothing outlives carnet, even when carnet is killed. What it learned it writes to a file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getppid};
use serde::{Deserialize, Serialize};

use super::sandbox::Sandbox;
use crate::cell::descendant::{self, Before};
use crate::model::cell::End;
use crate::sys::remove::remove_tree;

/// First argument of a process that supervises; no command of people has this name.
pub(super) const WORD: &str = "__supervise";
/// Second argument of one that only tries whether namespaces can be made.
pub(super) const PROBE: &str = "probe";

/// What a supervisor is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Its whole environment.
    pub env: BTreeMap<String, String>,
    /// Its working directory.
    pub workdir: PathBuf,
    /// Namespaces to make.
    pub sandbox: Option<Sandbox>,
    /// File for the [`Account`].
    pub account: PathBuf,
    /// Directory that goes with the run, which the supervisor removes when carnet can't any more.
    pub dir: PathBuf,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Account {
    /// How the program ended.
    pub end: End,
}

/// Supervises, if this process was started for that.
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != WORD {
        return None;
    }
    let done = if arguments.next().is_some_and(|argument| argument == PROBE) {
        Sandbox { cut_network: true, ..Sandbox::default() }.enter().is_ok()
    } else {
        supervise().is_ok()
    };
    Some(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn supervise() -> io::Result<()> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let order: Order = serde_json::from_str(&line)?;
    let carnet = getppid();
    outlive_hangup()?;
    prctl::set_child_subreaper(true)?;
    let end = match order.sandbox.as_ref().map_or(Ok(()), Sandbox::enter) {
        Ok(()) => follow(&order),
        Err(reason) => End::NotStarted { reason },
    };
    if getppid() != carnet {
        return remove_tree(&order.dir);
    }
    fs::write(&order.account, serde_json::to_vec(&Account { end })?)
}

/// Keeps this process from ending at a hangup. When carnet is killed its end may come after some of our own process group were
/// stopped here to be killed, and the kernel hangs up on a group that loses its last parent elsewhere while members are stopped.
/// A handler, not to be ignored: that would be handed on to the program.
fn outlive_hangup() -> io::Result<()> {
    signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::new(AtomicBool::new(false)))?;
    Ok(())
}

/// Starts the program and stays until nothing of it is left.
fn follow(order: &Order) -> End {
    let Some((program, arguments)) = order.argv.split_first() else {
        return End::NotStarted { reason: "no program is named".to_owned() };
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&order.env).current_dir(&order.workdir).stdin(Stdio::null());
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return End::NotStarted { reason: format!("{program}: {error}") },
    };
    let over = Arc::new(AtomicBool::new(false));
    let watcher_over = Arc::clone(&over);
    thread::spawn(move || kill_when_told(&watcher_over));
    let end = wait_for(child.id());
    over.store(true, Ordering::Relaxed);
    kill_the_rest();
    end
}

/// Waits for the program; orphans that end meanwhile are reaped.
fn wait_for(child: u32) -> End {
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if is(pid, child) => return End::Exit { code },
            Ok(WaitStatus::Signaled(pid, signal, _)) if is(pid, child) => return End::Signal { signal: signal as i32 },
            Ok(_) | Err(Errno::EINTR) => (),
            Err(error) => return End::NotStarted { reason: format!("its end was not seen: {}", error.desc()) },
        }
    }
}

fn is(pid: Pid, child: u32) -> bool {
    u32::try_from(pid.as_raw()) == Ok(child)
}

/// Kills everything once standard input ends, and again as long as it isn't over: a program may go on forking.
fn kill_when_told(over: &AtomicBool) {
    // An error is an end as well.
    let _ = io::stdin().lock().read_to_end(&mut Vec::new());
    while !over.load(Ordering::Relaxed) {
        kill_descendants();
        thread::sleep(Duration::from_millis(10));
    }
}

/// Kills and reaps until there is no descendant.
fn kill_the_rest() {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return,
            Ok(WaitStatus::StillAlive) => {
                kill_descendants();
                thread::sleep(Duration::from_millis(2));
            }
            _ => (),
        }
    }
}

/// Stops all descendants first, so that none forks while others are killed.
fn kill_descendants() {
    let found = descendant::live(&Before::default());
    for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
        for pid in found.keys() {
            // One that is gone already is what we want.
            let _ = kill(Pid::from_raw(*pid), signal);
        }
    }
}

/// How a supervisor that wrote no account ended, for people.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("the supervisor exited with {code}"),
        (None, Some(signal)) => format!("the supervisor was killed by signal {signal}"),
        (None, None) => "the supervisor ended".to_owned(),
    }
}
