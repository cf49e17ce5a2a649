//! One run, seen from the engine.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe::Receiver;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::control::Control;
use super::protocol::{SandboxReport, SandboxRequest};
use super::run_dir::{Record, RunDir, hold, name};
use super::sandbox::WORD;
use super::{Embedded, NAME, failed, prepare};
use crate::engine::follow::{Helper, Why, follow};
use crate::engine::job::{Completed, Job, part};
use crate::engine::{BOX, EngineError, ImageLocation, Lines, Opened, result_file};
use crate::model::cell::End;

/// Bytes read of the account.
const ACCOUNT_CAP: u64 = 64 << 10;

pub(super) async fn run(
    engine: &Embedded,
    image: &Opened,
    job: &Job,
    lines: Lines,
    cancel: CancellationToken,
) -> Result<Completed, EngineError> {
    if cancel.is_cancelled() {
        return Err(EngineError::Cancelled);
    }
    let trees = trees(image)?;
    let kept_dir = job.keep.as_ref().map(|key| engine.kept_dir(image, key)).transpose()?;
    let stale = kept_dir.as_ref().is_some_and(|dir| dir.exists());
    let _held = hold(&engine.boxes(&trees));
    prepare::check_mounts(job)?;
    let account = prepare::account(&image.identity, &trees, job)?;
    let caller = prepare::caller();
    let owner = caller.is_none().then_some(account.ids);
    let run = RunDir::make(&engine.cache, &job.id, owner).map_err(failed("making the directory of the run"))?;
    let mut control = Control::make(&job.id, &job.contract, &|dir| run.record_group(dir));
    let order = prepare::order(engine, image, &trees, &account, job, &run, control.groups.clone());
    let (helper, told_text) = start(engine, &order).await.map_err(failed("starting the run"))?;
    let followed = follow(NAME, helper, job, lines, &cancel).await?;
    let told_text = told_text.await.map_err(failed("reading the account"))?;
    let told = Told::read(&told_text.map_err(failed("reading the account"))?);
    let end = match followed.why {
        Why::Cancelled => return Err(EngineError::Cancelled),
        Why::TimedOut => End::Timeout { seconds: job.timeout.as_secs() },
        Why::Ended => told.end(&control, followed.status)?,
    };
    let mut not_enforced = std::mem::take(&mut control.not_enforced);
    not_enforced.extend(told.not_enforced);
    if caller.is_some() && account.ids.uid != 0 {
        let reason = "an ordinary user started carnet, so the image's files belong to the program's user as well";
        not_enforced.push(format!("{}: {reason}", part::USER));
    }
    drop(control);
    let result = match &job.result {
        Some(path) => read_result(&run, path, job.result_cap)?,
        None => None,
    };
    let mut kept = None;
    if let Some(dir) = kept_dir.filter(|_| end.is_success()) {
        match told.fleeting {
            Some(reason) => not_enforced.push(format!("{}: {reason}", part::KEPT)),
            None => {
                let home = if order.home_kept || told.made_home { order.home.clone() } else { None };
                run.keep(&dir, stale, &Record { home }).map_err(failed("keeping the state"))?;
                kept = Some(Embedded::kept_image(&dir, image));
            }
        }
    }
    let removed = tokio::task::spawn_blocking(|| run.remove()).await.map_err(failed("removing the run"))?;
    removed.map_err(failed("removing the directory of the run"))?;
    Ok(Completed { end, output: followed.output.finish(), result, not_enforced, kept })
}

fn trees(image: &Opened) -> Result<Vec<PathBuf>, EngineError> {
    match &image.place {
        ImageLocation::Trees(trees) if !trees.is_empty() => Ok(trees.clone()),
        place => Err(failed("finding the image's trees")(format!("this engine did not open {place:?}"))),
    }
}

fn read_result(run: &RunDir, path: &str, cap: u64) -> Result<Option<Vec<u8>>, EngineError> {
    let below = Path::new(path).strip_prefix(BOX).map_err(failed("reading the result"))?;
    let boxed = run.dir.join(name::BOX);
    // The program may have closed its directory, which shuts out an ordinary user. Its name is out of its reach.
    let _ = fs::set_permissions(&boxed, fs::Permissions::from_mode(0o755));
    result_file::read_below(&boxed, below, cap).map_err(failed("reading the result"))
}

/// What the account of a run says.
#[derive(Default)]
struct Told {
    not_enforced: Vec<String>,
    fleeting: Option<String>,
    made_home: bool,
    ended: Option<End>,
    trouble: Option<(String, String)>,
}

impl Told {
    fn read(account: &[u8]) -> Self {
        let mut told = Self::default();
        for line in account.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()) {
            match line {
                SandboxReport::NotEnforced { part, reason } => told.not_enforced.push(format!("{part}: {reason}")),
                SandboxReport::Fleeting { reason } => told.fleeting = Some(reason),
                SandboxReport::MadeHome => told.made_home = true,
                SandboxReport::Ended(end) => told.ended = Some(end),
                SandboxReport::Failed { doing, reason } => told.trouble = Some((doing, reason)),
                SandboxReport::Works { .. } => {}
            }
        }
        told
    }

    fn end(&self, control: &Control, status: std::process::ExitStatus) -> Result<End, EngineError> {
        let out_of_memory = || control.out_of_memory().then_some(End::OutOfMemory {});
        match (&self.ended, &self.trouble) {
            (Some(end), _) if end.is_success() => Ok(end.clone()),
            (Some(end), _) => Ok(out_of_memory().unwrap_or_else(|| end.clone())),
            (None, Some((doing, reason))) => out_of_memory().ok_or_else(|| failed(doing)(reason.clone())),
            // Only the kernel kills the first process of the namespaces.
            (None, None) => out_of_memory()
                .ok_or_else(|| failed("watching the program")(format!("its watcher ended early, with {status}"))),
        }
    }
}

/// What the processes of the run say of themselves, beside what the program prints.
type Account = JoinHandle<io::Result<Vec<u8>>>;

async fn start(engine: &Embedded, order: &SandboxRequest) -> io::Result<(Helper, Account)> {
    let (output, program_end) = io::pipe()?;
    let mut command = Command::new(&engine.helper);
    // A signal from the terminal is for us alone; what it means to the run we decide.
    command.arg(WORD).env_clear().process_group(0).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(program_end);
    let mut child = command.spawn()?;
    // The command holds the program's end, which would keep the pipe from ending.
    drop(command);
    let told = child.stdout.take();
    let account = tokio::spawn(async move {
        let mut bytes = Vec::new();
        if let Some(told) = told {
            told.take(ACCOUNT_CAP).read_to_end(&mut bytes).await?;
        }
        Ok(bytes)
    });
    let mut stdin = child.stdin.take();
    if let Some(stdin) = &mut stdin {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        stdin.write_all(&line).await?;
    }
    Ok((Helper { child, stdin, output: Receiver::from_owned_fd(output.into())? }, account))
}
