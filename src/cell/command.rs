//! One shell command: started, watched, and ended together with everything it started.

use std::collections::BTreeMap;
use std::io::{self, PipeReader, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{WaitOptions, WaitStatus};
use signal_hook::SigId;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use super::descendant::{self, Before};
use super::lines::Lines;
use super::memory::Kills;
use crate::model::capture::Capture;
use crate::model::cell::{Captured, End};

/// How long a command has after each signal that asks it to end.
const GRACE: Duration = Duration::from_secs(2);
/// How long the output is read on when everything that could write it was killed.
const DRAIN: Duration = Duration::from_secs(2);
/// How long the ends of children are taken in one go.
const REAP: Duration = Duration::from_millis(50);
/// How long the end of the output is waited for before what may hold it is looked for again.
const RETRY: Duration = Duration::from_millis(50);
/// Size of the pipe and of one read from it, in bytes.
const CHUNK: usize = 1 << 18;

/// What to run.
#[derive(Debug)]
pub(super) struct Command<'a> {
    /// The shell.
    pub(super) shell: &'a Path,
    /// What the shell runs.
    pub(super) script: &'a str,
    /// Directory it starts in.
    pub(super) dir: &'a Path,
    /// Variables on top of this process's.
    pub(super) env: &'a [(&'a str, String)],
    /// Longest it may take.
    pub(super) timeout: Duration,
    /// Bytes of output kept.
    pub(super) output_cap: usize,
    /// Ask with SIGINT before SIGTERM when it runs over its time: pytest then still writes its report.
    pub(super) interrupt_first: bool,
}

/// What came of a command.
#[derive(Debug)]
pub(super) struct Ended {
    /// How it ended.
    pub(super) end: End,
    /// Its output, standard output and error as they came.
    pub(super) output: Captured,
    /// Seconds it took.
    pub(super) seconds: f64,
}

impl Ended {
    /// A command that never ran.
    pub(super) fn not_started(reason: String) -> Self {
        Self { end: End::NotStarted { reason }, output: Captured { text: String::new(), dropped: 0 }, seconds: 0.0 }
    }
}

/// Runs commands one after the other, and owns the children of this process while it does.
///
/// Nothing else in the process may start children meanwhile: they would be taken for the command's and killed.
#[derive(Debug)]
pub(super) struct Supervisor {
    /// Gets a byte whenever a signal came.
    wake: UnixStream,
    /// Number of the signal that asked this process to end, or 0.
    asked: Arc<AtomicUsize>,
    ids: Vec<SigId>,
    kills: Kills,
}

impl Supervisor {
    /// Takes over the children of this process.
    ///
    /// # Errors
    /// When the kernel refuses a socket pair or a signal handler.
    pub(super) fn new() -> io::Result<Self> {
        // Refused only by kernels before 3.4; then processes that leave their parent can't be followed.
        let _ = nix::sys::prctl::set_child_subreaper(true);
        let (wake, notify) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let asked = Arc::new(AtomicUsize::new(0));
        let mut supervisor = Self { wake, asked, ids: Vec::new(), kills: Kills::find() };
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            let flag = Arc::clone(&supervisor.asked);
            let number = usize::try_from(signal).unwrap_or_default();
            supervisor.ids.push(signal_hook::flag::register_usize(signal, flag, number)?);
        }
        for signal in [SIGCHLD, SIGTERM, SIGINT, SIGHUP] {
            supervisor.ids.push(signal_hook::low_level::pipe::register(signal, notify.try_clone()?)?);
        }
        Ok(supervisor)
    }

    /// The signal that asked this process to end, if one did.
    pub(super) fn asked_to_end(&self) -> Option<usize> {
        Some(self.asked.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
    }

    /// Runs a command to its end; nothing it started is left when this returns. `line` gets every line of its output.
    pub(super) fn run(&self, command: &Command<'_>, line: &mut dyn FnMut(&str)) -> Ended {
        if !command.dir.is_dir() {
            return Ended::not_started(format!("the working directory {} is not there", command.dir.display()));
        }
        let before = Before::now();
        let killed_before = self.kills.count();
        let started = Instant::now();
        let (child, reader) = match spawn(command) {
            Ok(both) => both,
            Err(error) => return Ended::not_started(format!("{}: {error}", command.shell.display())),
        };
        let mut watch = Watch {
            supervisor: self,
            before,
            child,
            status: None,
            reader: Some(reader),
            output: Output { capture: Capture::new(command.output_cap), lines: Lines::default(), line },
        };
        let deadline = started.checked_add(command.timeout);
        let stopped = watch.until_over(deadline, command.interrupt_first);
        let seconds = started.elapsed().as_secs_f64();
        watch.clear_up(stopped.is_some());
        let end = match (stopped, watch.status) {
            (Some(Stop::Timeout), _) => End::Timeout { seconds: command.timeout.as_secs() },
            (_, Some(status)) => self.read_status(status, killed_before),
            (_, None) => End::NotStarted { reason: "its end could not be seen".to_owned() },
        };
        Ended { end, output: watch.output.finish(), seconds }
    }

    fn read_status(&self, status: WaitStatus, killed_before: Option<u64>) -> End {
        let end = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => End::Exit { code },
            (None, signal) => End::Signal { signal: signal.unwrap_or_default() },
        };
        let killed = matches!((killed_before, self.kills.count()), (Some(before), Some(after)) if after > before);
        if killed && !end.is_success() { End::OutOfMemory {} } else { end }
    }

    /// Sleeps until a signal or output comes, or until `until`.
    fn sleep(&self, reader: Option<&PipeReader>, until: Option<Instant>) -> bool {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = left.map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        let mut fds = vec![PollFd::new(&self.wake, PollFlags::IN)];
        if let Some(reader) = reader {
            fds.push(PollFd::from_borrowed_fd(reader.as_fd(), PollFlags::IN));
        }
        if poll(&mut fds, timeout.as_ref()).is_err() {
            return false;
        }
        let readable = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
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

/// Why a command was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Timeout,
    Asked,
}

/// A running command.
struct Watch<'a> {
    supervisor: &'a Supervisor,
    before: Before,
    child: i32,
    status: Option<WaitStatus>,
    /// The read end of its output; none when everything was read.
    reader: Option<PipeReader>,
    output: Output<'a>,
}

impl Watch<'_> {
    /// Waits for the end of the command, and asks for it when it runs over its time or this process is to end.
    fn until_over(&mut self, deadline: Option<Instant>, interrupt_first: bool) -> Option<Stop> {
        let mut stop = None;
        let mut signals = if interrupt_first { vec![Signal::SIGTERM, Signal::SIGINT] } else { vec![Signal::SIGTERM] };
        let mut next = deadline;
        loop {
            self.reap();
            let over = self.status.is_some() && (stop.is_none() || descendant::live(&self.before).is_empty());
            if over {
                return stop;
            }
            let now = Instant::now();
            if stop.is_none() && self.supervisor.asked_to_end().is_some() {
                stop = Some(Stop::Asked);
                next = Some(now);
            }
            if next.is_some_and(|next| now >= next) {
                stop = stop.or(Some(Stop::Timeout));
                let Some(signal) = signals.pop() else { return stop };
                let _ = killpg(Pid::from_raw(self.child), signal);
                next = Some(now + GRACE);
            }
            self.take(next);
        }
    }

    /// Kills what is left, notes it in the output, and reads the output to its end.
    fn clear_up(&mut self, stopped: bool) {
        let left = descendant::live(&self.before);
        let mut stuck = self.kill_all();
        let until = Instant::now() + DRAIN;
        while self.reader.is_some() && Instant::now() < until {
            // Whoever still holds the pipe slipped through between two looks at `/proc`.
            self.take(Some(until.min(Instant::now() + RETRY)));
            if self.reader.is_some() {
                stuck = self.kill_all();
            }
        }
        if !left.is_empty() && !stopped {
            self.output.note(&format!("[carnet: killed what the command left running: {}]", names(&left)));
        }
        if stuck > 0 {
            self.output.note(&format!("[carnet: {stuck} processes could not be killed]"));
        }
    }

    fn kill_all(&mut self) -> usize {
        let (before, child, status) = (&self.before, self.child, &mut self.status);
        let _ = killpg(Pid::from_raw(child), Signal::SIGKILL);
        descendant::kill_all(before, || reap(child, status))
    }

    /// Sleeps until something happens and reads output when there is some.
    fn take(&mut self, until: Option<Instant>) {
        if !self.supervisor.sleep(self.reader.as_ref(), until) {
            return;
        }
        let Some(reader) = &mut self.reader else { return };
        let mut bytes = vec![0; CHUNK];
        match reader.read(&mut bytes) {
            Ok(0) => self.reader = None,
            Ok(n) => self.output.push(&bytes[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.reader = None,
        }
    }

    fn reap(&mut self) {
        reap(self.child, &mut self.status);
    }
}

/// Takes the status of children that ended, orphans that became ours included; for a while at most, because processes
/// can end faster than they are taken.
fn reap(child: i32, status: &mut Option<WaitStatus>) {
    let until = Instant::now() + REAP;
    while Instant::now() < until {
        let Ok(Some((pid, ended))) = rustix::process::wait(WaitOptions::NOHANG) else { return };
        if pid.as_raw_nonzero().get() == child {
            *status = Some(ended);
        }
    }
}

/// Output on its way: kept within the cap and handed on line by line.
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

    /// A line of carnet's own, on a line of its own.
    fn note(&mut self, text: &str) {
        self.lines.finish(self.line);
        self.push(format!("\n{text}\n").as_bytes());
    }

    fn finish(mut self) -> Captured {
        self.lines.finish(self.line);
        self.capture.finish()
    }
}

fn spawn(command: &Command<'_>) -> io::Result<(i32, PipeReader)> {
    let (reader, writer) = io::pipe()?;
    // A larger pipe means fewer wake-ups; users may be over their quota for it.
    let _ = rustix::pipe::fcntl_setpipe_size(&reader, CHUNK);
    let child = process::Command::new(command.shell)
        .arg("-c")
        .arg(command.script)
        .current_dir(command.dir)
        .envs(command.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0)
        .spawn()?;
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    Ok((pid, reader))
}

/// The names of processes, each once with its count, the first ten.
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

/// Whether a command is written for bash: a POSIX shell knows neither `source` nor `[[`.
pub(super) fn is_bash(run: &str) -> bool {
    run.lines().map(str::trim_start).any(|line| line.starts_with("source ") || line.contains("[[ "))
}

/// The shell of this image: bash when `want_bash` (set-up lines are often bash's: `source`) and there is one.
///
/// # Errors
/// When there is none, with the reason.
pub(super) fn shell(want_bash: bool) -> Result<PathBuf, String> {
    let bash = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"];
    let found = bash.iter().filter(|_| want_bash).chain(["/bin/sh"].iter()).find(|path| Path::new(path).exists());
    found.map(PathBuf::from).ok_or_else(|| "no /bin/sh in the image".to_owned())
}
