//! Follows a helper process of ours to its end: its output, its time, and whether it is to stop.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, ChildStdin};
use tokio_util::sync::CancellationToken;

use super::job::Job;
use super::output::Output;
use super::{EngineError, Lines};

/// Time that killing may take before it is given up.
const KILLING: Duration = Duration::from_secs(10);

/// A helper under way. It kills everything below it when its standard input ends.
pub(super) struct Helper {
    pub(super) child: Child,
    /// Everything is killed when this is dropped, or we are.
    pub(super) stdin: Option<ChildStdin>,
    /// What the programs print. Its end is the end of every process of the run.
    pub(super) output: Receiver,
}

/// Why the following came to its end.
pub(super) enum Why {
    Ended,
    TimedOut,
    Cancelled,
}

/// What was seen.
pub(super) struct Followed {
    pub(super) why: Why,
    pub(super) status: ExitStatus,
    pub(super) output: Output,
}

/// Reads the output to its end; `engine` names who failed when that can't be done.
pub(super) async fn follow(
    engine: &'static str,
    mut helper: Helper,
    job: &Job,
    lines: Lines,
    cancel: &CancellationToken,
) -> Result<Followed, EngineError> {
    let mut output = Output::new(job.output_cap, lines);
    let mut buffer = vec![0; 1 << 16];
    let mut why = Why::Ended;
    let mut deadline = Box::pin(tokio::time::sleep(job.timeout));
    loop {
        tokio::select! {
            read = helper.output.read(&mut buffer) => match read {
                Ok(0) => break,
                Ok(length) => output.push(&buffer[..length]),
                Err(error) => return Err(EngineError::run(engine, "reading the output")(error)),
            },
            () = cancel.cancelled(), if helper.stdin.is_some() => {
                why = Why::Cancelled;
                helper.stdin = None;
                deadline = Box::pin(tokio::time::sleep(KILLING));
            }
            () = &mut deadline => {
                if helper.stdin.take().is_none() {
                    let _ = helper.child.kill().await;
                    return Err(EngineError::run(engine, "killing the program")("some process of it can't be killed"));
                }
                why = Why::TimedOut;
                deadline = Box::pin(tokio::time::sleep(KILLING));
            }
        }
    }
    let status: io::Result<ExitStatus> = helper.child.wait().await;
    let status = status.map_err(EngineError::run(engine, "waiting for the end of the run"))?;
    Ok(Followed { why, status, output })
}
