//! Starts a helper process and follows it to its end, a timeout or a cancellation.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::disk::DiskLimit;
use super::job::Job;
use super::output::Output;
use super::{EngineError, Lines};
use crate::sys::helper::{HELPER_ARG, encode};

/// Time that killing may take.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of bytes read of the reports.
const MAX_REPORT_BYTES: u64 = 64 << 10;

/// A running helper. It kills its whole process tree when its standard input ends.
pub(super) struct Helper {
    child: Child,
    /// Dropping this stops the helper.
    stdin: Option<ChildStdin>,
    /// The output of the program. It ends when every process of the run has ended.
    output: Receiver,
    reports: JoinHandle<io::Result<Vec<u8>>>,
}

/// The reason why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndCause {
    Ended,
    TimedOut,
    ExceededDisk,
    Cancelled,
}

/// The result of a helper.
pub(super) struct Followed {
    pub(super) cause: EndCause,
    pub(super) status: ExitStatus,
    pub(super) output: Output,
    /// The report lines of the helper.
    pub(super) reports: Vec<u8>,
}

impl Helper {
    /// Starts the program `program` as a helper and sends it a request. The output and errors of the program that the
    /// helper runs share one pipe, which preserves their order.
    ///
    /// # Errors
    /// Fails if the helper can't be started.
    pub(super) async fn start(
        program: &Path,
        role: &str,
        request: &impl Serialize,
        kill_on_drop: bool,
    ) -> io::Result<Self> {
        let (output, program_end) = io::pipe()?;
        let mut command = Command::new(program);
        // A process group of its own, because a signal from the terminal is for carnet, which decides what to stop.
        command.args([HELPER_ARG, role]).env_clear().process_group(0).kill_on_drop(kill_on_drop);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(program_end);
        let mut child = command.spawn()?;
        // The command owns the write end, which would keep the pipe open.
        drop(command);
        let stdout = child.stdout.take();
        let reports = tokio::spawn(async move {
            let mut bytes = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(MAX_REPORT_BYTES).read_to_end(&mut bytes).await?;
            }
            Ok(bytes)
        });
        let mut stdin = child.stdin.take();
        if let Some(stdin) = &mut stdin {
            stdin.write_all(&encode(request)?).await?;
        }
        Ok(Self { child, stdin, output: Receiver::from_owned_fd(output.into())?, reports })
    }

    /// Reads the output to its end, and kills the program if it exceeds the disk limit. Errors name `engine`.
    ///
    /// # Errors
    /// Fails if the output can't be read or a process can't be killed.
    pub(super) async fn follow(
        mut self,
        engine: &'static str,
        job: &Job,
        disk: Option<DiskLimit>,
        lines: Lines,
        cancel: &CancellationToken,
    ) -> Result<Followed, EngineError> {
        let mut output = Output::new(job.output_cap, lines);
        let mut buffer = vec![0; 1 << 16];
        let mut cause = EndCause::Ended;
        let mut deadline = Box::pin(tokio::time::sleep(job.timeout));
        let has_disk_limit = disk.is_some();
        let mut disk_exceeded = Box::pin(async move {
            if let Some(disk) = disk {
                disk.exceeded().await;
            }
        });
        loop {
            tokio::select! {
                read = self.output.read(&mut buffer) => match read {
                    Ok(0) => break,
                    Ok(length) => output.push(&buffer[..length]),
                    Err(error) => return Err(EngineError::run(engine, "reading the output")(error)),
                },
                () = &mut disk_exceeded, if has_disk_limit && self.stdin.is_some() => {
                    cause = EndCause::ExceededDisk;
                    self.stdin = None;
                    deadline = Box::pin(tokio::time::sleep(KILL_TIMEOUT));
                }
                () = cancel.cancelled(), if self.stdin.is_some() => {
                    cause = EndCause::Cancelled;
                    self.stdin = None;
                    deadline = Box::pin(tokio::time::sleep(KILL_TIMEOUT));
                }
                () = &mut deadline => {
                    if self.stdin.take().is_none() {
                        let _ = self.child.kill().await;
                        return Err(EngineError::run(engine, "killing the program")("a process can't be killed"));
                    }
                    cause = EndCause::TimedOut;
                    deadline = Box::pin(tokio::time::sleep(KILL_TIMEOUT));
                }
            }
        }
        let status = self.child.wait().await.map_err(EngineError::run(engine, "waiting for the end of the run"))?;
        let reports = self.reports.await.map_err(EngineError::run(engine, "reading the reports"))?;
        let reports = reports.map_err(EngineError::run(engine, "reading the reports"))?;
        Ok(Followed { cause, status, output, reports })
    }
}
