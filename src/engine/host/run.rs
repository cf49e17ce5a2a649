//! One run on this machine.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::unistd::{getgid, getuid};
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::sandbox::{Cover, Sandbox};
use super::supervisor::{self, Account, Order};
use super::{Host, NAME, environment, run_dir};
use crate::engine::follow::{Helper, Why, follow};
use crate::engine::job::{Completed, Job, part};
use crate::engine::{EngineError, ImageLocation, Lines, Opened, result_file};
use crate::model::cell::{Captured, End};
use crate::model::contract::Contract;
use crate::sys::cache::private_dir;
use crate::sys::remove::remove_tree;

fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(doing: &str) -> impl FnOnce(E) -> EngineError {
    EngineError::run(NAME, doing)
}

pub(super) async fn run(
    host: &Host,
    image: &Opened,
    job: &Job,
    lines: Lines,
    cancel: CancellationToken,
) -> Result<Completed, EngineError> {
    if cancel.is_cancelled() {
        return Err(EngineError::Cancelled);
    }
    let lock = match Making::begin(host, image, job, &cancel).await.map_err(failed("waiting for another run"))? {
        Making::Nothing => None,
        Making::Here(dir, lock) => Some((dir, lock)),
        Making::Done(kept) => return Ok(made_by_another(*kept)),
        Making::Cancelled => return Err(EngineError::Cancelled),
    };
    let mut place = Rooms::make(host, image, job, lock).map_err(|error| {
        failed(&format!("making the directories of the run in {}", std::env::temp_dir().display()))(error)
    })?;
    let (order, not_enforced) = order(host, &place, job);
    let helper = start(host, &order).await.map_err(failed("starting the supervisor"))?;
    let outcome = follow(NAME, helper, job, lines, &cancel).await?;
    let end = match outcome.why {
        Why::Cancelled => return Err(EngineError::Cancelled),
        Why::TimedOut => End::Timeout { seconds: job.timeout.as_secs() },
        Why::Ended => read_account(&order, outcome.status)?,
    };
    let result = match &job.result {
        Some(path) => place.read_result(path, job.result_cap)?,
        None => None,
    };
    let keep = end.is_success() && host.has_sandbox();
    let kept = match &job.keep {
        Some(key) if keep => {
            place.keep().map_err(failed("keeping the state"))?;
            Some(state(image, &host.kept_dir(key)))
        }
        _ => None,
    };
    place.remove().map_err(failed("removing the directories of the run"))?;
    Ok(Completed { end, output: outcome.output.finish(), result, not_enforced, kept })
}

/// This machine with the kept state in `dir`.
fn state(image: &Opened, dir: &Path) -> Opened {
    Opened { identity: image.identity.clone(), place: ImageLocation::Trees(vec![dir.join("box")]) }
}

fn made_by_another(kept: Opened) -> Completed {
    Completed {
        end: End::Exit { code: 0 },
        output: Captured { text: String::new(), dropped: 0 },
        result: None,
        not_enforced: Vec::new(),
        kept: Some(kept),
    }
}

fn read_account(order: &Order, status: std::process::ExitStatus) -> Result<End, EngineError> {
    let account = fs::read(&order.account).ok().and_then(|bytes| serde_json::from_slice::<Account>(&bytes).ok());
    account.map(|account| account.end).ok_or_else(|| failed("watching the program")(supervisor::describe(status)))
}

/// What is to be done, and what of the contract is not.
fn order(host: &Host, place: &Rooms, job: &Job) -> (Order, Vec<String>) {
    let mut env = environment::clean(crate::sys::environment::vars());
    let mut not_enforced = Vec::new();
    env.extend(job.contract.env.clone());
    let workdir = contract(&job.contract, &mut env, &mut not_enforced).unwrap_or_else(|| place.boxed.clone());
    env.extend(job.env.clone());
    let sandbox = host.has_sandbox().then(|| Sandbox {
        input: Some(job.input.clone()),
        cut_network: !job.network,
        cover: place.cover.clone(),
    });
    if sandbox.is_none() {
        let reason = "no namespaces can be made here";
        not_enforced.push(format!("{}: {reason}", part::INPUT));
        if !job.network {
            not_enforced.push(format!("{}: it can't be cut, {reason}", part::NETWORK));
        }
        if job.keep.is_some() {
            not_enforced.push(format!("{}: {reason}", part::KEPT));
        }
    }
    (
        Order {
            argv: job.argv.clone(),
            env,
            workdir,
            sandbox,
            account: place.dir.join("account.json"),
            dir: place.dir.clone(),
        },
        not_enforced,
    )
}

/// Honours of a contract what this machine is already; gives the working directory it names.
fn contract(
    contract: &Contract,
    env: &mut std::collections::BTreeMap<String, String>,
    not_enforced: &mut Vec<String>,
) -> Option<PathBuf> {
    let mut lacks = |what: &str, why: &str| not_enforced.push(format!("{what}: {why}"));
    if let Some(user) = contract.user
        && (user.uid != getuid().as_raw() || user.gid != getgid().as_raw())
    {
        lacks(part::USER, &format!("programs run as {}:{}, who started the check", getuid(), getgid()));
    }
    if let Some(home) = &contract.home {
        if Path::new(home).is_dir() {
            env.insert("HOME".to_owned(), home.clone());
        } else {
            lacks(part::HOME, &format!("`{home}` is no directory of this machine"));
        }
    }
    if contract.read_only {
        lacks(part::ROOT, "the root of this machine stays as it is");
    }
    if contract.tmp.is_some() {
        lacks(part::TMP, "it is this machine's own");
    }
    if contract.entrypoint {
        lacks(part::ENTRYPOINT, "a machine has none");
    }
    for mount in &contract.mounts {
        if mount.source != mount.target || !Path::new(&mount.source).exists() {
            lacks(part::MOUNT, &format!("`{}` is not shown at another place of this machine", mount.source));
        }
    }
    let limit = "programs on this machine itself are not limited";
    for (set, what) in [
        (contract.memory.is_some(), part::MEMORY),
        (contract.pids.is_some(), part::PIDS),
        (contract.milli_cpus.is_some(), part::CPUS),
    ] {
        if set {
            lacks(what, limit);
        }
    }
    let workdir = Path::new(contract.workdir.as_deref()?);
    if !workdir.is_absolute() {
        return None;
    }
    if !workdir.is_dir() {
        lacks(part::WORKDIR, &format!("`{}` is no directory of this machine", workdir.display()));
        return None;
    }
    Some(workdir.to_owned())
}

/// Starts the supervisor and gives it its order. Output and errors of the program go through one pipe, so that their
/// order is kept. The supervisor kills everything when the other end of its standard input is gone.
async fn start(host: &Host, order: &Order) -> io::Result<Helper> {
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new(&host.helper);
    command.arg(supervisor::WORD).env_clear().stdin(Stdio::piped()).process_group(0);
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // The command holds the writing ends, which would keep the pipe from ending.
    drop(command);
    let mut stdin = child.stdin.take();
    if let Some(stdin) = &mut stdin {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        stdin.write_all(&line).await?;
    }
    Ok(Helper { child, stdin, output: Receiver::from_owned_fd(reader.into())? })
}

/// The directories of a run, removed with it.
struct Rooms {
    /// Everything of the run that doesn't stay.
    dir: PathBuf,
    /// Where the program sees its writable directory.
    boxed: PathBuf,
    /// Where that directory's files are for us.
    files: PathBuf,
    /// Lies over a kept state.
    cover: Option<Cover>,
    /// Directory of the state that is being made, and the lock on it.
    making: Option<(PathBuf, fs::File)>,
    /// Keeps others from making the state anew that this run is in.
    _using: Option<fs::File>,
}

impl Rooms {
    fn make(host: &Host, image: &Opened, job: &Job, making: Option<(PathBuf, fs::File)>) -> io::Result<Self> {
        let (dir, boxed) = (run_dir(&job.id), host.boxed(image, job));
        let mut rooms = Self { files: boxed.clone(), boxed, cover: None, making, _using: None, dir };
        // Closed to others: the directory of temporary files is everybody's.
        fs::DirBuilder::new().mode(0o700).create(&rooms.dir)?;
        if matches!(image.place, ImageLocation::Trees(_)) {
            let (upper, work) = (rooms.dir.join("upper"), rooms.dir.join("work"));
            fs::create_dir(&upper)?;
            fs::create_dir(&work)?;
            rooms.files.clone_from(&upper);
            rooms.cover = Some(Cover { lower: rooms.boxed.clone(), upper, work });
            rooms._using = rooms.boxed.parent().and_then(|kept| fs::File::open(kept.join(LOCK)).ok());
            rooms._using.take_if(|lock| lock.try_lock_shared().is_err());
            return Ok(rooms);
        }
        fs::create_dir(&rooms.boxed)?;
        Ok(rooms)
    }

    fn read_result(&self, path: &str, cap: u64) -> Result<Option<Vec<u8>>, EngineError> {
        let below = Path::new(path).strip_prefix(&self.boxed).map_err(failed("reading the result"))?;
        result_file::read_below(&self.files, below, cap).map_err(failed("reading the result"))
    }

    /// The state stays, as a whole.
    fn keep(&mut self) -> io::Result<()> {
        if let Some((dir, lock)) = self.making.take() {
            fs::write(dir.join(super::WHOLE), b"")?;
            drop(lock);
        }
        Ok(())
    }

    fn remove(&mut self) -> io::Result<()> {
        if let Some((dir, lock)) = self.making.take() {
            remove_tree(&dir)?;
            drop(lock);
        }
        remove_tree(&self.dir)
    }
}

impl Drop for Rooms {
    fn drop(&mut self) {
        // After an error there is nobody to tell that this failed as well.
        let _ = self.remove();
    }
}

/// Name of the lock in the directory of a state.
pub(super) const LOCK: &str = "lock";
/// Time between two looks at a state that another run is making.
const LOOK: Duration = Duration::from_millis(50);

/// Who makes the state that a run is to keep.
enum Making {
    /// It keeps none.
    Nothing,
    /// This run, in this directory, under this lock.
    Here(PathBuf, fs::File),
    /// Another one has, while this one waited.
    Done(Box<Opened>),
    Cancelled,
}

impl Making {
    /// Waits for its turn: another run may be making the same state, or be in the one that is to be made anew.
    async fn begin(host: &Host, image: &Opened, job: &Job, cancel: &CancellationToken) -> io::Result<Self> {
        let wanted = job.keep.as_ref().filter(|_| host.has_sandbox() && image.place == ImageLocation::Host);
        let Some(dir) = wanted.map(|key| host.kept_dir(key)) else { return Ok(Self::Nothing) };
        private_dir(&dir)?;
        let file = fs::File::create(dir.join(LOCK))?;
        let made = || fs::metadata(dir.join(super::WHOLE)).and_then(|whole| whole.modified()).ok();
        let before = made();
        loop {
            let is_ours = match file.try_lock() {
                Ok(()) => true,
                Err(fs::TryLockError::WouldBlock) => false,
                Err(fs::TryLockError::Error(error)) => return Err(error),
            };
            if made().is_some_and(|now| Some(now) != before) {
                return Ok(Self::Done(Box::new(state(image, &dir))));
            }
            if is_ours {
                empty(&dir)?;
                return Ok(Self::Here(dir, file));
            }
            tokio::select! {
                () = cancel.cancelled() => return Ok(Self::Cancelled),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}

/// Empties the directory of a state but for its lock.
fn empty(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        } else if entry.file_name() != LOCK {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
