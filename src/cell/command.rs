//! Runs one shell command and ends it together with every process it started.

use std::collections::BTreeMap;
use std::io::{self, PipeReader, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getpid};
use signal_hook::SigId;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use super::launcher::{Launcher, PIPE_SIZE, Program, Running};
use super::lines::Lines;
use super::memory::OomKillCounter;
use crate::model::capture::Capture;
use crate::model::cell::{Captured, End};
use crate::sys::environment;

/// Time a command has to end after each signal.
const GRACE_PERIOD: Duration = Duration::from_secs(2);
/// Time for reading the rest of the output after every process was killed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// Time between two searches for processes that have the output open.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// A shell command.
#[derive(Debug)]
pub(super) struct Command<'a> {
    /// The shell.
    pub(super) shell: &'a Path,
    /// The script for the shell.
    pub(super) script: &'a str,
    /// The working directory.
    pub(super) dir: &'a Path,
    /// Variables in addition to those of this process.
    pub(super) env: &'a [(&'a str, String)],
    /// Maximum run time.
    pub(super) timeout: Duration,
    /// Maximum number of bytes of output that are stored.
    pub(super) output_cap: usize,
    /// Whether SIGINT is sent before SIGTERM at a timeout. pytest then still writes its report.
    pub(super) interrupt_first: bool,
}

/// The result of a command.
#[derive(Debug)]
pub(super) struct CommandResult {
    /// How it ended.
    pub(super) end: End,
    /// Standard output and error in their original order.
    pub(super) output: Captured,
    /// Run time in seconds.
    pub(super) seconds: f64,
}

impl CommandResult {
    /// Returns the result of a command that did not start.
    pub(super) fn not_started(reason: String) -> Self {
        Self { end: End::NotStarted { reason }, output: Captured { text: String::new(), dropped: 0 }, seconds: 0.0 }
    }
}

/// Runs commands one after the other and owns the children of this process meanwhile.
///
/// No other part of the process may start children: they would be treated as children of the command and killed.
#[derive(Debug)]
pub(super) struct Supervisor {
    /// Receives a byte for every signal.
    wake: UnixStream,
    /// The process that starts the commands, or `None` if this process starts them.
    launcher: Option<Launcher>,
    /// Number of the signal that requested the end of this process, or 0.
    end_signal: Arc<AtomicUsize>,
    ids: Vec<SigId>,
    kills: OomKillCounter,
}

impl Supervisor {
    /// Takes ownership of the children of this process.
    ///
    /// # Errors
    /// Fails if the kernel refuses a socket pair or a signal handler.
    pub(super) fn new(launcher: Option<Launcher>) -> io::Result<Self> {
        // Only kernels before 3.4 refuse. Orphans of a command are then not found.
        let _ = rustix::process::set_child_subreaper(Some(getpid()));
        let (wake, notify) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let end_signal = Arc::new(AtomicUsize::new(0));
        let mut supervisor = Self { wake, launcher, end_signal, ids: Vec::new(), kills: OomKillCounter::find() };
        // The kernel ignores these signals for the first process of a container if it has no handler. A test then can't
        // interrupt the cell. The engine kills the container instead.
        let is_first = getpid().is_init();
        let end_signals = if is_first { &[][..] } else { &[SIGTERM, SIGINT, SIGHUP][..] };
        for &signal in end_signals {
            let flag = Arc::clone(&supervisor.end_signal);
            let number = usize::try_from(signal).unwrap_or_default();
            supervisor.ids.push(signal_hook::flag::register_usize(signal, flag, number)?);
        }
        for &signal in [SIGCHLD].iter().chain(end_signals) {
            supervisor.ids.push(signal_hook::low_level::pipe::register(signal, notify.try_clone()?)?);
        }
        Ok(supervisor)
    }

    /// Returns the signal that requested the end of this process.
    pub(super) fn end_signal(&self) -> Option<usize> {
        Some(self.end_signal.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
    }

    /// Reports whether the commands are in a process namespace of their own.
    pub(super) fn is_isolated(&self) -> bool {
        self.launcher.is_some()
    }

    /// Returns the reason why commands can't be started any more.
    pub(super) fn lost(&self) -> Option<String> {
        self.launcher.as_ref().and_then(Launcher::lost)
    }

    /// Runs a command to its end and kills every process that it left. `line` is called with every line of its output.
    pub(super) fn run(&self, command: &Command<'_>, line: &mut dyn FnMut(&str)) -> CommandResult {
        if !command.dir.is_dir() {
            return CommandResult::not_started(format!("working directory {} does not exist", command.dir.display()));
        }
        let killed_before = self.kills.count();
        let started = Instant::now();
        let (running, reader) = match Running::start(program(command), self.launcher.as_ref()) {
            Ok(both) => both,
            Err(error) => return CommandResult::not_started(format!("{}: {error}", command.shell.display())),
        };
        let mut watch = Watch {
            supervisor: self,
            running,
            end: None,
            reader: Some(reader),
            output: Output { capture: Capture::new(command.output_cap), lines: Lines::default(), line },
        };
        let deadline = started.checked_add(command.timeout);
        let stopped = watch.until_over(deadline, command.interrupt_first);
        let seconds = started.elapsed().as_secs_f64();
        watch.clean_up(stopped.is_some());
        let end = match (stopped, watch.end) {
            (Some(Stop::Timeout), _) => End::Timeout { seconds: command.timeout.as_secs() },
            (_, Some(end)) => self.with_memory(end, killed_before),
            (_, None) => End::NotStarted { reason: "the exit status could not be determined".to_owned() },
        };
        CommandResult { end, output: watch.output.finish(), seconds }
    }

    /// Returns [`End::OutOfMemory`] if the kernel killed a process because of the memory limit and the command failed.
    fn with_memory(&self, end: End, killed_before: Option<u64>) -> End {
        let killed = matches!((killed_before, self.kills.count()), (Some(before), Some(after)) if after > before);
        if killed && !end.is_success() { End::OutOfMemory {} } else { end }
    }

    /// Sleeps until a signal or output arrives, or until `until`. Reports whether there is output.
    fn sleep(&self, reader: Option<&PipeReader>, until: Option<Instant>) -> bool {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = left.map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        let mut fds = Vec::with_capacity(3);
        fds.extend(reader.map(|reader| PollFd::from_borrowed_fd(reader.as_fd(), PollFlags::IN)));
        fds.push(PollFd::new(&self.wake, PollFlags::IN));
        // The end of the channel would wake this process again and again.
        let launcher = self.launcher.as_ref().filter(|launcher| launcher.lost().is_none());
        fds.extend(launcher.map(|launcher| PollFd::new(launcher, PollFlags::IN)));
        if poll(&mut fds, timeout.as_ref()).is_err() {
            return false;
        }
        let readable = reader.is_some() && fds.first().is_some_and(|fd| !fd.revents().is_empty());
        let mut bytes = [0; 64];
        while matches!((&self.wake).read(&mut bytes), Ok(n) if n > 0) {}
        readable
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

/// The reason for stopping a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Timeout,
    Signal,
}

/// A running command.
struct Watch<'a> {
    supervisor: &'a Supervisor,
    running: Running<'a>,
    /// How the command ended.
    end: Option<End>,
    /// The read end of its output, or `None` if everything was read.
    reader: Option<PipeReader>,
    output: Output<'a>,
}

impl Watch<'_> {
    /// Waits for the end of the command and stops it after its timeout or when this process has to end.
    fn until_over(&mut self, deadline: Option<Instant>, interrupt_first: bool) -> Option<Stop> {
        let mut stop = None;
        let mut signals = if interrupt_first { vec![Signal::TERM, Signal::INT] } else { vec![Signal::TERM] };
        let mut next = deadline;
        loop {
            self.running.poll_end(&mut self.end);
            let over = self.end.is_some() && (stop.is_none() || self.running.live().is_empty());
            if over {
                return stop;
            }
            let now = Instant::now();
            if stop.is_none() && self.supervisor.end_signal().is_some() {
                stop = Some(Stop::Signal);
                next = Some(now);
            }
            if next.is_some_and(|next| now >= next) {
                stop = stop.or(Some(Stop::Timeout));
                let Some(signal) = signals.pop() else { return stop };
                self.running.signal(signal);
                next = Some(now + GRACE_PERIOD);
            }
            self.take(next);
        }
    }

    /// Kills the remaining processes, notes them in the output, and reads the output to its end.
    fn clean_up(&mut self, stopped: bool) {
        let remaining = self.running.live();
        let mut unkillable = self.running.kill_all(&mut self.end);
        let until = Instant::now() + DRAIN_TIMEOUT;
        while self.reader.is_some() && Instant::now() < until {
            // A process that still has the pipe open was missed between two reads of `/proc`.
            self.take(Some(until.min(Instant::now() + RETRY_INTERVAL)));
            if self.reader.is_some() {
                unkillable = self.running.kill_all(&mut self.end);
            }
        }
        if !remaining.is_empty() && !stopped {
            self.output
                .note(&format!("[carnet: killed processes that the command left running: {}]", names(&remaining)));
        }
        if unkillable > 0 {
            self.output.note(&format!("[carnet: {unkillable} processes could not be killed]"));
        }
    }

    /// Sleeps until an event and reads output if there is some.
    fn take(&mut self, until: Option<Instant>) {
        if !self.supervisor.sleep(self.reader.as_ref(), until) {
            return;
        }
        let Some(reader) = &mut self.reader else { return };
        let mut bytes = vec![0; PIPE_SIZE];
        match reader.read(&mut bytes) {
            Ok(0) => self.reader = None,
            Ok(n) => self.output.push(&bytes[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.reader = None,
        }
    }
}

/// Output that is stored up to its size limit and passed on line by line.
struct Output<'a> {
    capture: Capture,
    lines: Lines,
    line: &'a mut dyn FnMut(&str),
}

impl Output<'_> {
    fn push(&mut self, bytes: &[u8]) {
        self.capture.push(bytes);
        self.lines.push(bytes, self.line);
    }

    /// Adds a line of carnet to the output.
    fn note(&mut self, text: &str) {
        self.lines.finish(self.line);
        self.push(format!("\n{text}\n").as_bytes());
    }

    fn finish(mut self) -> Captured {
        self.lines.finish(self.line);
        self.capture.finish()
    }
}

/// Returns the shell with its script and environment.
fn program(command: &Command<'_>) -> Program {
    let mut env: BTreeMap<_, _> = environment::vars_os().collect();
    env.extend(command.env.iter().map(|(name, value)| ((*name).into(), value.into())));
    Program {
        argv: vec![command.shell.into(), "-c".into(), command.script.into()],
        dir: command.dir.into(),
        env: env.into_iter().collect(),
    }
}

/// Returns the names of at most ten processes with their counts.
fn names(processes: &BTreeMap<i32, String>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in processes.values() {
        *counts.entry(name).or_default() += 1;
    }
    let mut parts: Vec<String> = counts
        .iter()
        .map(|(name, &count)| if count == 1 { (*name).to_owned() } else { format!("{name} ({count})") })
        .collect();
    let more = parts.len().saturating_sub(10);
    parts.truncate(10);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    parts.join(", ")
}

/// Reports whether a command requires bash: a POSIX shell has neither `source` nor `[[`.
pub(super) fn is_bash(run: &str) -> bool {
    run.lines().map(str::trim_start).any(|line| line.starts_with("source ") || line.contains("[[ "))
}

/// An image without a shell.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no /bin/sh in the image")]
pub(super) struct NoShell;

/// Returns the shell of this image: bash if `prefer_bash` is set and bash exists, otherwise `/bin/sh`.
///
/// # Errors
/// Fails if the image has no shell.
pub(super) fn find_shell(prefer_bash: bool) -> Result<PathBuf, NoShell> {
    let bash = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"];
    let found = bash.iter().filter(|_| prefer_bash).chain(["/bin/sh"].iter()).find(|path| Path::new(path).exists());
    found.map(PathBuf::from).ok_or(NoShell)
}
