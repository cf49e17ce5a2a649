//! Wall time and memory of commands.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// The first argument with which this program runs the command that follows and prints its time and peak memory.
pub(crate) const WORD: &str = "--peak-of";

/// The times of several runs in seconds, sorted.
#[derive(Debug, Clone)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    pub(crate) fn new(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        Self(seconds)
    }

    /// Returns the median.
    pub(crate) fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    /// Returns the minimum, which depends least on the load of the machine.
    pub(crate) fn least(&self) -> f64 {
        self.0[0]
    }
}

/// Runs a function once to warm up, then measures several runs.
pub(crate) fn times(runs: usize, mut run: impl FnMut()) -> Times {
    run();
    let once = || {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    Times::new(std::iter::repeat_with(once).take(runs).collect())
}

/// Runs a command that must succeed and returns its output.
pub(crate) fn output(command: &mut Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Returns the elapsed time and the peak resident memory in MiB of a command.
pub(crate) fn peak(command: &Command) -> (Duration, f64) {
    let own = std::env::current_exe().expect("this program");
    let said = output(Command::new(own).arg(WORD).arg(command.get_program()).args(command.get_args()));
    let said = String::from_utf8(said).expect("numbers");
    let (micros, kib) = said.trim().split_once(' ').expect("two numbers");
    (Duration::from_micros(micros.parse().expect("a number")), kib.parse::<f64>().expect("a number") / 1024.0)
}

/// The child process of [`peak`], which starts only the measured command.
pub(crate) fn child(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let program = arguments.next().expect("a program");
    let start = Instant::now();
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status();
    let took = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("Linux");
    let written = writeln!(std::io::stdout(), "{} {}", took.as_micros(), usage.max_rss());
    if status.is_ok_and(|status| status.success()) && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
