//! The helper process around a run on this machine.
//!
//! It starts the program, adopts every descendant whose parent ends, and kills them all when the program or its own
//! standard input ends. Every process of the run is therefore killed even when carnet itself is killed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, getppid, kill_process, set_child_subreaper, setsid, wait};
use serde::{Deserialize, Serialize};

use super::sandbox::Sandbox;
use crate::cell::descendant::{self, Before};
use crate::engine::job::part;
use crate::engine::launcher;
use crate::error::chain;
use crate::model::cell::End;
use crate::sys::helper::{self, HELPER_ARG};
use crate::sys::namespace::{self, UnshareFlags};
use crate::sys::remove::remove_tree;
use crate::sys::sweep::lock_path;
use crate::sys::{capability, descriptor, keyring, mount};

/// Role of the helper process.
pub(super) const ROLE: &str = "supervise";
/// Argument after the role of a helper that only tries to create namespaces.
const PROBE: &str = "probe";

/// A program to supervise.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SupervisorRequest {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Its complete environment.
    pub env: BTreeMap<String, String>,
    /// Its working directory.
    pub workdir: PathBuf,
    /// File that is the standard output of the program, if it writes a result.
    pub result: Option<PathBuf>,
    /// Whether the program gets a launcher.
    pub launcher: bool,
    /// Namespaces to create.
    pub sandbox: Option<Sandbox>,
    /// Directory of the run, which the supervisor removes if carnet is dead.
    pub dir: PathBuf,
}

/// A report of the supervisor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SupervisorReport {
    /// A part of the contract is not enforced.
    NotEnforced { part: String, reason: String },
    /// The program ended.
    Ended(End),
}

/// Runs the supervisor if this process was started as one.
pub fn run_if_requested() -> Option<ExitCode> {
    let argument = helper::arguments(ROLE)?.next().unwrap_or_default();
    if let Some(code) = launcher::run_if_requested(ROLE, &argument, |(): &()| prepare_launcher()) {
        return Some(code);
    }
    let is_done = if argument == PROBE {
        Sandbox { cut_network: true, ..Sandbox::default() }.enter().is_ok()
    } else {
        supervise().is_ok()
    };
    Some(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reports whether `program`, started as a supervisor, can create namespaces.
pub(super) fn can_create_namespaces(program: &Path) -> bool {
    let mut probe = Command::new(program);
    probe.args([HELPER_ARG, ROLE, PROBE]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

fn supervise() -> io::Result<()> {
    descriptor::hide_inherited()?;
    let request: SupervisorRequest = helper::read_request()?;
    let carnet = getppid();
    survive_hangup()?;
    set_child_subreaper(Some(getpid()))?;
    // Before the sandbox, in which this process may not trace carnet.
    let result = request.result.as_ref().map(|path| File::options().append(true).open(path)).transpose()?;
    let end = match request.sandbox.as_ref().map_or(Ok(()), Sandbox::enter) {
        Ok(()) => {
            if let Err(error) = request.sandbox.as_ref().map_or(Ok(()), Sandbox::protect) {
                let (part, reason) = (part::PROTECTED.to_owned(), error.to_string());
                helper::write_report(&SupervisorReport::NotEnforced { part, reason });
            }
            // Without a launcher, the cell reports that its result is not protected.
            let launcher = if request.launcher { start_launcher().ok() } else { None };
            run_program(&request, result, launcher)
        }
        Err(error) => End::NotStarted { reason: chain(&error) },
    };
    if getppid() != carnet {
        request.sandbox.iter().for_each(Sandbox::release);
        remove_tree(&request.dir)?;
        remove_tree(&lock_path(&request.dir))?;
        // Fails if it contains another run.
        let _ = request.dir.parent().map(std::fs::remove_dir);
        return Ok(());
    }
    helper::write_report(&SupervisorReport::Ended(end));
    Ok(())
}

/// Installs a handler for SIGHUP. When carnet is killed, the kernel hangs up on the process group of the supervisor if
/// some of its members are stopped, as they are while they are killed. A handler and not `SIG_IGN`, which the program
/// would inherit.
fn survive_hangup() -> io::Result<()> {
    signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::new(AtomicBool::new(false)))?;
    Ok(())
}

/// Starts a launcher. Its user may lack privileges in the sandbox, so it inherits those of this process.
fn start_launcher() -> io::Result<OwnedFd> {
    capability::keep_across_exec()?;
    let started = launcher::start(ROLE, &());
    capability::forget_across_exec()?;
    started
}

/// Prepares the first process of the process namespace in which the commands of a cell run. As root, commands have the
/// capabilities that root has in a container: with more, they could reach the processes outside.
fn prepare_launcher() -> Result<(), String> {
    let failed = |doing: &str| {
        let doing = doing.to_owned();
        move |error: &dyn std::error::Error| format!("{doing}: {}", chain(error))
    };
    namespace::unshare(UnshareFlags::NEWNS).map_err(|e| failed("creating a mount namespace")(&e))?;
    mount::make_private().map_err(|e| failed("making the mounts private")(&e))?;
    mount::new_file_system(Path::new("/proc"), "proc", mount::PROC_FLAGS, "")
        .map_err(|e| failed("mounting /proc")(&e))?;
    // A kernel without keyrings refuses.
    let _ = keyring::leave_session();
    capability::limit_to_container(false).map_err(|e| failed("dropping privileges")(&e))?;
    capability::limit_to_user(rustix::process::getuid().as_raw(), false)
        .map_err(|e| failed("dropping privileges")(&e))?;
    setsid().map(drop).map_err(|e| failed("creating a session")(&e))
}

/// Starts the program and returns when no descendant is left.
fn run_program(request: &SupervisorRequest, result: Option<File>, launcher: Option<OwnedFd>) -> End {
    let Some((program, arguments)) = request.argv.split_first() else {
        return End::NotStarted { reason: "no program given".to_owned() };
    };
    let not_started = |error: io::Error| End::NotStarted { reason: format!("{program}: {error}") };
    // Standard output is for reports, so the program gets standard error for both if it writes no result.
    let output = match result.map_or_else(|| io::stderr().as_fd().try_clone_to_owned(), |file| Ok(file.into())) {
        Ok(output) => output,
        Err(error) => return not_started(error),
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&request.env).current_dir(&request.workdir);
    command.stdin(launcher.map_or_else(Stdio::null, Stdio::from)).stdout(output);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return not_started(error),
    };
    // The command owns the channel to the launcher, which ends with the channel.
    drop(command);
    let is_over = Arc::new(AtomicBool::new(false));
    let watcher_is_over = Arc::clone(&is_over);
    thread::spawn(move || kill_when_input_ends(&watcher_is_over));
    let end = descendant::wait_for(child.id());
    is_over.store(true, Ordering::Relaxed);
    kill_remaining();
    end
}

/// Kills every descendant after standard input ends, repeatedly until the run is over, because a program may fork.
fn kill_when_input_ends(is_over: &AtomicBool) {
    // A read error also counts as the end.
    let _ = io::stdin().lock().read_to_end(&mut Vec::new());
    while !is_over.load(Ordering::Relaxed) {
        kill_descendants();
        thread::sleep(Duration::from_millis(10));
    }
}

/// Kills and reaps until there is no descendant.
fn kill_remaining() {
    loop {
        match wait(WaitOptions::NOHANG) {
            Err(Errno::CHILD) => return,
            Ok(None) => {
                kill_descendants();
                thread::sleep(Duration::from_millis(2));
            }
            _ => (),
        }
    }
}

/// Stops all descendants before it kills them, so that none forks meanwhile.
fn kill_descendants() {
    let found = descendant::live(&Before::default());
    for signal in [Signal::STOP, Signal::KILL] {
        for pid in found.keys().filter_map(|pid| Pid::from_raw(*pid)) {
            // An error means that the process has already ended.
            let _ = kill_process(pid, signal);
        }
    }
}

/// Describes the end of a supervisor that wrote no report.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("the supervisor exited with {code}"),
        (None, Some(signal)) => format!("the supervisor was killed by signal {signal}"),
        (None, None) => "the supervisor exited".to_owned(),
    }
}
