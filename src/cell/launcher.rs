//! Starts the commands of a cell, in this process or in a process namespace of their own.
//!
//! An engine that can create namespaces starts a launcher: the first process of a process namespace, with its own
//! `/proc`. The cell sends it the commands over a [`Channel`], which is the standard input of the cell. Commands and all
//! their descendants then are in that namespace, where they can't see, signal or trace the cell. They can't stop the
//! launcher either, because the kernel delivers no unhandled signal to the first process of a namespace, and they can't
//! trace it, because it is not dumpable.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, PipeReader, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{self, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process_group};
use serde::{Deserialize, Serialize};
use signal_hook::consts::SIGCHLD;

use super::descendant::{self, Before};
use crate::model::cell::End;
use crate::sys::channel::Channel;

/// Size of the pipe for the output of a command, in bytes.
pub(super) const PIPE_SIZE: usize = 1 << 18;
/// Maximum time for reaping children in one round. Processes can end faster than they are reaped.
const REAP_TIMEOUT: Duration = Duration::from_millis(50);

/// A program to start.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Program {
    pub(super) argv: Vec<OsString>,
    pub(super) dir: OsString,
    /// The complete environment.
    pub(super) env: Vec<(OsString, OsString)>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Request {
    /// Start a program, whose output goes to the descriptor of the message.
    Start(Program),
    /// Send a signal to the process group of the program.
    Signal(i32),
    /// List the live processes.
    List,
    /// Kill all processes.
    KillAll,
}

#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    /// The launcher is in its namespaces.
    Ready,
    /// The launcher or a program did not start.
    NotStarted(String),
    Started,
    /// The program ended. The launcher sends this without a request.
    Ended(End),
    Listed(BTreeMap<i32, String>),
    /// The number of processes that could not be killed.
    Killed(usize),
}

/// Starts a program as the leader of a process group, with standard output and error to `output`. Returns its process id.
fn spawn(program: &Program, output: OwnedFd) -> io::Result<i32> {
    let (name, arguments) = program.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let child = process::Command::new(name)
        .args(arguments)
        .current_dir(&program.dir)
        .env_clear()
        .envs(program.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()?;
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    // If memory runs out, the kernel kills a program of the tests instead of carnet, which reports it. Without /proc, it
    // may kill carnet.
    let _ = fs::write(format!("/proc/{pid}/oom_score_adj"), "1000");
    Ok(pid)
}

fn signal_group(child: i32, signal: Signal) {
    // An error means that the group has already ended.
    let _ = Pid::from_raw(child).map(|group| kill_process_group(group, signal));
}

/// Reaps children that ended, including adopted orphans, and stores how `child` ended. Reports whether none is left to
/// reap at the moment.
fn reap(child: i32, ended: &mut Option<WaitStatus>) -> bool {
    let until = Instant::now() + REAP_TIMEOUT;
    while Instant::now() < until {
        let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) else { return true };
        if pid.as_raw_nonzero().get() == child {
            *ended = Some(status);
        }
    }
    false
}

/// Returns a pipe for the output of a program.
fn output_pipe() -> io::Result<(PipeReader, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    // A larger pipe needs fewer wake-ups. The kernel refuses it to users over their quota.
    let _ = rustix::pipe::fcntl_setpipe_size(&reader, PIPE_SIZE);
    Ok((reader, writer.into()))
}

/// A running program and its descendants.
pub(super) enum Running<'a> {
    /// A child of this process.
    Child {
        /// Its process id.
        pid: i32,
        /// Children that do not belong to it.
        before: Before,
    },
    /// A child of the launcher.
    Launched(&'a Launcher),
}

impl Running<'_> {
    /// Starts a program and returns it with the read end of its output.
    ///
    /// # Errors
    /// Fails if the program can't be started.
    pub(super) fn start(program: Program, launcher: Option<&Launcher>) -> io::Result<(Running<'_>, PipeReader)> {
        let (reader, writer) = output_pipe()?;
        if let Some(launcher) = launcher {
            launcher.start(program, writer.as_fd())?;
            return Ok((Running::Launched(launcher), reader));
        }
        let before = Before::now();
        Ok((Running::Child { pid: spawn(&program, writer)?, before }, reader))
    }

    /// Reaps children and stores how the program ended if it did.
    pub(super) fn poll_end(&self, end: &mut Option<End>) {
        let found = match self {
            Self::Child { pid, .. } => {
                let mut status = None;
                reap(*pid, &mut status);
                status.and_then(descendant::end_of)
            }
            Self::Launched(launcher) => launcher.poll_end(),
        };
        *end = end.take().or(found);
    }

    /// Sends a signal to the process group of the program.
    pub(super) fn signal(&self, signal: Signal) {
        match self {
            Self::Child { pid, .. } => signal_group(*pid, signal),
            Self::Launched(launcher) => launcher.notify(&Request::Signal(signal.as_raw())),
        }
    }

    /// Returns the names of the live processes of the program by process id.
    pub(super) fn live(&self) -> BTreeMap<i32, String> {
        match self {
            Self::Child { before, .. } => descendant::live(before),
            Self::Launched(launcher) => match launcher.ask(&Request::List) {
                Some(Answer::Listed(processes)) => processes,
                _ => BTreeMap::new(),
            },
        }
    }

    /// Kills every process of the program. Returns the number of processes that could not be killed.
    pub(super) fn kill_all(&self, end: &mut Option<End>) -> usize {
        match self {
            Self::Child { pid, before } => {
                signal_group(*pid, Signal::KILL);
                descendant::kill_all(before, || self.poll_end(end))
            }
            Self::Launched(launcher) => match launcher.ask(&Request::KillAll) {
                Some(Answer::Killed(left)) => left,
                _ => 0,
            },
        }
    }
}

/// The cell's end of the channel to a launcher.
#[derive(Debug)]
pub(super) struct Launcher {
    state: RefCell<State>,
    /// The socket of the channel, to wait for messages.
    socket: OwnedFd,
}

#[derive(Debug)]
struct State {
    channel: Channel,
    /// How the running program ended.
    end: Option<End>,
    /// Why the channel can't be used any more.
    lost: Option<String>,
}

impl Launcher {
    /// Returns the launcher that the engine connected to the standard input of this process.
    pub(super) fn at_stdin() -> Option<Self> {
        let channel = Channel::at_stdin()?;
        let socket = channel.as_fd().try_clone_to_owned().ok()?;
        Some(Self { state: RefCell::new(State { channel, end: None, lost: None }), socket })
    }

    /// Returns the reason why the launcher is gone.
    pub(super) fn lost(&self) -> Option<String> {
        self.state.borrow().lost.clone()
    }

    fn start(&self, program: Program, output: BorrowedFd<'_>) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.end = None;
        state.channel.send(&Request::Start(program), Some(output))?;
        match state.answer()? {
            Answer::Started => Ok(()),
            Answer::NotStarted(reason) => Err(io::Error::other(reason)),
            other => Err(io::Error::other(format!("unexpected answer of the launcher: {other:?}"))),
        }
    }

    fn poll_end(&self) -> Option<End> {
        let mut state = self.state.borrow_mut();
        loop {
            match state.channel.try_receive() {
                Ok(Some(Answer::Ended(end))) => state.end = Some(end),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    state.lose(&error);
                    break;
                }
            }
        }
        let lost = state.lost.clone().map(|reason| End::NotStarted { reason });
        state.end.take().or(lost)
    }

    fn notify(&self, request: &Request) {
        let mut state = self.state.borrow_mut();
        if let Err(error) = state.channel.send(request, None) {
            state.lose(&error);
        }
    }

    /// Returns the answer to a request, or `None` if the launcher is gone.
    fn ask(&self, request: &Request) -> Option<Answer> {
        let mut state = self.state.borrow_mut();
        let answer = state.channel.send(request, None).and_then(|()| state.answer());
        answer.map_err(|error| state.lose(&error)).ok()
    }
}

impl State {
    /// Waits for the answer to a request.
    fn answer(&mut self) -> io::Result<Answer> {
        loop {
            match self.channel.receive()? {
                Answer::Ended(end) => self.end = Some(end),
                answer => return Ok(answer),
            }
        }
    }

    fn lose(&mut self, error: &io::Error) {
        self.lost.get_or_insert_with(|| format!("the process that starts the commands has ended: {error}"));
    }
}

impl AsFd for Launcher {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Waits until the launcher at the other end is ready.
///
/// # Errors
/// Fails with the reason if the launcher did not start.
pub(crate) fn wait_until_ready(channel: &mut Channel) -> io::Result<()> {
    match channel.receive()? {
        Answer::Ready => Ok(()),
        Answer::NotStarted(reason) => Err(io::Error::other(reason)),
        other => Err(io::Error::other(format!("unexpected answer: {other:?}"))),
    }
}

/// Reports that the launcher did not start.
pub(crate) fn refuse(channel: &Channel, reason: &str) {
    // An error means that the engine is gone.
    let _ = channel.send(&Answer::NotStarted(reason.to_owned()), None);
}

/// Starts programs as the other end requests, until that end is closed. Call this in the first process of a process
/// namespace, which then ends.
///
/// # Errors
/// Fails if the kernel refuses a signal handler, or if the other end is closed in the middle of a message.
pub(crate) fn serve(channel: Channel) -> io::Result<()> {
    let (mut wake, notify) = UnixStream::pair()?;
    wake.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(SIGCHLD, notify)?;
    channel.send(&Answer::Ready, None)?;
    let mut server = Server { channel, child: 0, ended: None };
    loop {
        let is_idle = reap(server.child, &mut server.ended);
        server.report_end()?;
        let timeout = (!is_idle).then(Timespec::default);
        let mut fds = [PollFd::new(&server.channel, PollFlags::IN), PollFd::new(&wake, PollFlags::IN)];
        match poll(&mut fds, timeout.as_ref()) {
            Err(Errno::INTR) => {}
            other => drop(other?),
        }
        let mut bytes = [0; 64];
        while matches!(wake.read(&mut bytes), Ok(n) if n > 0) {}
        match server.channel.try_receive() {
            Ok(Some(request)) => server.handle(request)?,
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

struct Server {
    channel: Channel,
    /// Process id of the program, or 0.
    child: i32,
    ended: Option<WaitStatus>,
}

impl Server {
    fn handle(&mut self, request: Request) -> io::Result<()> {
        let answer = match request {
            Request::Start(program) => {
                let output = self.channel.take_descriptor().ok_or(io::ErrorKind::InvalidData)?;
                match spawn(&program, output) {
                    Ok(pid) => {
                        self.child = pid;
                        Answer::Started
                    }
                    Err(error) => Answer::NotStarted(error.to_string()),
                }
            }
            Request::Signal(number) => {
                if let Some(signal) = Signal::from_named_raw(number) {
                    signal_group(self.child, signal);
                }
                return Ok(());
            }
            Request::List => Answer::Listed(descendant::live(&Before::default())),
            Request::KillAll => {
                let (child, ended) = (self.child, &mut self.ended);
                let reap_some = || {
                    reap(child, ended);
                };
                let left = descendant::kill_all(&Before::default(), reap_some);
                self.report_end()?;
                Answer::Killed(left)
            }
        };
        self.channel.send(&answer, None)
    }

    /// Sends how the program ended, once.
    fn report_end(&mut self) -> io::Result<()> {
        let Some(end) = self.ended.take().and_then(descendant::end_of) else { return Ok(()) };
        self.child = 0;
        self.channel.send(&Answer::Ended(end), None)
    }
}
