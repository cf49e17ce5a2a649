//! One run on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use signal_hook::consts::SIGKILL;
use tokio_util::sync::CancellationToken;

use super::sandbox::{Cover, Sandbox};
use super::supervisor::{self, SupervisorReport, SupervisorRequest};
use super::{Host, NAME, environment, run_dir, runs_dir};
use crate::engine::disk::DiskLimit;
use crate::engine::helper::{EndCause, Followed, Helper};
use crate::engine::job::{Completed, Job, part};
use crate::engine::result_file::ResultFile;
use crate::engine::{EngineError, ImageLocation, Lines, Opened};
use crate::model::cell::{Captured, End};
use crate::model::contract::Contract;
use crate::sys;
use crate::sys::cache::private_dir;
use crate::sys::helper::parse_reports;
use crate::sys::lock::{Lock, is_current};
use crate::sys::namespace;
use crate::sys::remove::remove_tree;
use crate::sys::sweep::lock_path;

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
    let lock = match StateCreation::begin(host, image, job, &cancel).await.map_err(failed("waiting for another run"))? {
        StateCreation::NotRequested => None,
        StateCreation::Locked(dir, lock) => Some((dir, lock)),
        StateCreation::Done(state) => return Ok(completed_elsewhere(*state)),
        StateCreation::Cancelled => return Err(EngineError::Cancelled),
    };
    let mut dirs = RunDirs::create(host, image, job, lock).map_err(|error| {
        failed(&format!("creating the directories of the run in {}", std::env::temp_dir().display()))(error)
    })?;
    let result = job.result.map(|max_bytes| ResultFile::create_unlisted(&dirs.dir).map(|file| (file, max_bytes)));
    let result = result.transpose().map_err(failed("creating the file for the result"))?;
    let (request, mut not_enforced) = request(host, &dirs, job, result.as_ref().map(|(file, _)| file.path()));
    // The supervisor stays when this is dropped, to kill the processes of the run.
    let disk = job.contract.disk.map(|max_bytes| DiskLimit { max_bytes, dirs: dirs.written_dirs() });
    let helper = Helper::start(&host.helper, supervisor::ROLE, &request, false).await;
    let followed = helper.map_err(failed("starting the supervisor"))?.follow(NAME, job, disk, lines, &cancel).await?;
    let end = match followed.cause {
        EndCause::Cancelled => return Err(EngineError::Cancelled),
        EndCause::ExceededDisk => End::Signal { signal: SIGKILL },
        EndCause::TimedOut => End::Timeout { seconds: job.timeout.as_secs() },
        EndCause::Ended => read_end(&followed, &mut not_enforced)?,
    };
    let exceeded = (followed.cause == EndCause::ExceededDisk).then_some(part::DISK);
    let exit_code = if let End::Exit { code } = end { Some(code) } else { None };
    let result = match result {
        Some((file, max_bytes)) => file.read(max_bytes).map_err(failed("reading the result"))?,
        None => None,
    };
    let keep = end.is_success() && host.has_sandbox();
    let saved_state = match &job.save_as {
        Some(key) if keep => {
            dirs.keep().map_err(failed("saving the state"))?;
            Some(state(image, &host.state_dir(key)))
        }
        _ => None,
    };
    dirs.remove().map_err(failed("removing the directories of the run"))?;
    Ok(Completed { end, exit_code, output: followed.output.finish(), result, exceeded, not_enforced, saved_state })
}

/// Returns this machine with the saved state in `dir`.
fn state(image: &Opened, dir: &Path) -> Opened {
    Opened { identity: image.identity.clone(), location: ImageLocation::Trees(vec![dir.join(SCRATCH)]) }
}

fn completed_elsewhere(saved_state: Opened) -> Completed {
    Completed {
        end: End::Exit { code: 0 },
        exit_code: Some(0),
        output: Captured { text: String::new(), dropped: 0 },
        result: None,
        exceeded: None,
        not_enforced: Vec::new(),
        saved_state: Some(saved_state),
    }
}

/// Returns how the program ended, and adds the parts that the supervisor could not enforce.
fn read_end(followed: &Followed, not_enforced: &mut Vec<String>) -> Result<End, EngineError> {
    let mut end = None;
    for report in parse_reports(&followed.reports) {
        match report {
            SupervisorReport::Ended(ended) => end = Some(ended),
            SupervisorReport::NotEnforced { part, reason } => not_enforced.push(format!("{part}: {reason}")),
        }
    }
    end.ok_or_else(|| failed("watching the program")(supervisor::describe(followed.status)))
}

/// Returns the request for the supervisor, and the parts of the contract that are not enforced.
fn request(host: &Host, dirs: &RunDirs, job: &Job, result: Option<&Path>) -> (SupervisorRequest, Vec<String>) {
    let mut env = environment::filter(sys::environment::vars());
    let mut not_enforced = Vec::new();
    env.extend(job.contract.env.clone());
    let workdir = apply_contract(&job.contract, &mut env, &mut not_enforced).unwrap_or_else(|| dirs.scratch.clone());
    env.extend(job.env.clone());
    let sandbox = host.has_sandbox().then(|| Sandbox {
        input: Some(job.input.clone()),
        cut_network: !job.network,
        cover: dirs.cover.clone(),
        own: Some((runs_dir(), dirs.dir.clone())),
        writable: writable_dirs(dirs, &env, &job.protected),
        protected: job.protected.clone(),
    });
    if sandbox.is_none() {
        let reason = "namespaces can't be created";
        not_enforced.push(format!("{}: {reason}", part::INPUT));
        if !job.protected.is_empty() {
            not_enforced.push(format!("{}: {reason}", part::PROTECTED));
        }
        if !job.network {
            not_enforced.push(format!("{}: not disabled: {reason}", part::NETWORK));
        }
        if job.save_as.is_some() {
            not_enforced.push(format!("{}: {reason}", part::KEPT));
        }
    }
    let request = SupervisorRequest {
        argv: job.argv.clone(),
        env,
        workdir,
        result: result.map(Path::to_owned),
        launcher: job.launcher && sandbox.is_some(),
        sandbox,
        dir: dirs.dir.clone(),
    };
    (request, not_enforced)
}

/// Returns the directories of the run, and the software environment of the user if it is in a protected directory: the setup
/// may install packages in it.
fn writable_dirs(dirs: &RunDirs, env: &BTreeMap<String, String>, protected: &[PathBuf]) -> Vec<PathBuf> {
    let environments = ["VIRTUAL_ENV", "CONDA_PREFIX"].iter().filter_map(|name| env.get(*name)).map(PathBuf::from);
    let is_covered =
        |dir: &PathBuf| dir.is_dir() && protected.iter().any(|above| dir.starts_with(above) && dir != above);
    [dirs.dir.clone(), dirs.scratch.clone()].into_iter().chain(environments.filter(is_covered)).collect()
}

/// Applies the parts of a contract that this machine already fulfils. Returns the working directory that it names.
fn apply_contract(
    contract: &Contract,
    env: &mut BTreeMap<String, String>,
    not_enforced: &mut Vec<String>,
) -> Option<PathBuf> {
    let mut add = |what: &str, why: &str| not_enforced.push(format!("{what}: {why}"));
    let caller = namespace::caller();
    if contract.user.is_some_and(|user| user != caller) {
        add(part::USER, &format!("programs run as {}:{}, the user that started carnet", caller.uid, caller.gid));
    }
    if let Some(home) = &contract.home {
        if Path::new(home).is_dir() {
            env.insert("HOME".to_owned(), home.clone());
        } else {
            add(part::HOME, &format!("`{home}` is not a directory on this machine"));
        }
    }
    if contract.read_only {
        add(part::ROOT, "the root file system of this machine remains writable");
    }
    if contract.tmp.is_some() {
        add(part::TMP, "programs use /tmp of this machine");
    }
    if contract.entrypoint {
        add(part::ENTRYPOINT, "this machine has no entrypoint");
    }
    for mount in &contract.mounts {
        if mount.source != mount.target || !Path::new(&mount.source).exists() {
            add(part::MOUNT, &format!("`{}` can't be mounted at a different path on this machine", mount.source));
        }
    }
    let limit = "programs on this machine are not limited";
    for (set, what) in [
        (contract.memory.is_some(), part::MEMORY),
        (contract.pids.is_some(), part::PIDS),
        (contract.milli_cpus.is_some(), part::CPUS),
    ] {
        if set {
            add(what, limit);
        }
    }
    let workdir = Path::new(contract.workdir.as_deref()?);
    if !workdir.is_absolute() {
        return None;
    }
    if !workdir.is_dir() {
        add(part::WORKDIR, &format!("`{}` is not a directory on this machine", workdir.display()));
        return None;
    }
    Some(workdir.to_owned())
}

/// Name of the writable directory of a run or a saved state.
pub(super) const SCRATCH: &str = "box";

/// The directories of a run, removed with it.
struct RunDirs {
    /// Temporary files of the run.
    dir: PathBuf,
    /// Lock of that directory, without which it is removed as a leftover.
    lock: Option<Lock>,
    /// The writable directory as the program sees it.
    scratch: PathBuf,
    /// Layer over a saved state.
    cover: Option<Cover>,
    /// Directory of the state that this run creates, and its lock.
    creating: Option<(PathBuf, fs::File)>,
    /// Lock that keeps other runs from replacing the saved state that this run uses.
    _using: Option<fs::File>,
}

impl RunDirs {
    fn create(host: &Host, image: &Opened, job: &Job, creating: Option<(PathBuf, fs::File)>) -> io::Result<Self> {
        let (dir, scratch) = (run_dir(&job.id), host.scratch(image, job));
        let lock = lock_in_runs_dir(&dir)?;
        let mut dirs = Self { scratch, cover: None, creating, _using: None, dir, lock };
        // Closed to other users, because the directory of temporary files is shared.
        fs::DirBuilder::new().mode(0o700).create(&dirs.dir)?;
        if matches!(image.location, ImageLocation::Trees(_)) {
            let (upper, work) = (dirs.dir.join("upper"), dirs.dir.join("work"));
            fs::create_dir(&upper)?;
            fs::create_dir(&work)?;
            dirs.cover = Some(Cover { lower: dirs.scratch.clone(), upper, work });
            dirs._using = dirs.scratch.parent().and_then(|kept| fs::File::open(kept.join(LOCK)).ok());
            dirs._using.take_if(|lock| lock.try_lock_shared().is_err());
            return Ok(dirs);
        }
        fs::create_dir(&dirs.scratch)?;
        Ok(dirs)
    }

    /// Returns the directories in which the program writes: its own directory, or the layer over a saved state.
    fn written_dirs(&self) -> Vec<PathBuf> {
        vec![self.cover.as_ref().map_or_else(|| self.scratch.clone(), |cover| cover.upper.clone())]
    }

    /// Marks the new state as complete, so that it is not removed with the run.
    fn keep(&mut self) -> io::Result<()> {
        if let Some((dir, lock)) = self.creating.take() {
            fs::write(dir.join(super::COMPLETE), b"")?;
            drop(lock);
        }
        Ok(())
    }

    fn remove(&mut self) -> io::Result<()> {
        if let Some((dir, lock)) = self.creating.take() {
            remove_tree(&dir)?;
            drop(lock);
        }
        remove_tree(&self.dir)?;
        self.lock.take().map_or(Ok(()), Lock::remove)?;
        // Fails if it contains another run.
        let _ = fs::remove_dir(runs_dir());
        Ok(())
    }
}

/// Creates the directory with the directories of all runs, which is closed to other users, and takes the lock of a run in it.
fn lock_in_runs_dir(dir: &Path) -> io::Result<Option<Lock>> {
    let runs = runs_dir();
    loop {
        match fs::DirBuilder::new().mode(0o700).create(&runs) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let data = fs::symlink_metadata(&runs);
        let is_private = |data: &fs::Metadata| {
            data.is_dir() && data.uid() == rustix::process::geteuid().as_raw() && data.mode() & 0o077 == 0
        };
        match data {
            Ok(data) if !is_private(&data) => {
                return Err(io::Error::other(format!("`{}` does not belong to this user alone", runs.display())));
            }
            _ => {}
        }
        match Lock::take(&lock_path(dir), &|| false) {
            // Another run ended and removed the directory.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
    }
}

impl Drop for RunDirs {
    fn drop(&mut self) {
        // The error that caused the drop is reported instead.
        let _ = self.remove();
    }
}

/// Name of the lock file in the directory of a saved state.
pub(super) const LOCK: &str = "lock";
/// Time between two checks of a state that another run creates.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The creator of the state that a run saves.
enum StateCreation {
    /// The run saves no state.
    NotRequested,
    /// This run, in this directory and with this lock.
    Locked(PathBuf, fs::File),
    /// Another run, while this one waited.
    Done(Box<Opened>),
    Cancelled,
}

impl StateCreation {
    /// Waits until no other run creates this state or uses the one that it replaces.
    async fn begin(host: &Host, image: &Opened, job: &Job, cancel: &CancellationToken) -> io::Result<Self> {
        let key = job.save_as.as_ref().filter(|_| host.has_sandbox() && image.location == ImageLocation::Host);
        let Some(dir) = key.map(|key| host.state_dir(key)) else { return Ok(Self::NotRequested) };
        let mut file = lock_file(&dir)?;
        let made = || fs::metadata(dir.join(super::COMPLETE)).and_then(|marker| marker.modified()).ok();
        let before = made();
        loop {
            let is_locked = match file.try_lock() {
                Ok(()) => true,
                Err(fs::TryLockError::WouldBlock) => false,
                Err(fs::TryLockError::Error(error)) => return Err(error),
            };
            if made().is_some_and(|now| Some(now) != before) {
                return Ok(Self::Done(Box::new(state(image, &dir))));
            }
            if is_locked && !is_current(&file, &dir.join(LOCK)) {
                // A sweep removed the new directory.
                file = lock_file(&dir)?;
                continue;
            }
            if is_locked {
                empty(&dir)?;
                return Ok(Self::Locked(dir, file));
            }
            tokio::select! {
                () = cancel.cancelled() => return Ok(Self::Cancelled),
                () = tokio::time::sleep(POLL_INTERVAL) => {}
            }
        }
    }
}

/// Opens the lock file of a state.
fn lock_file(dir: &Path) -> io::Result<fs::File> {
    loop {
        private_dir(dir)?;
        match fs::File::create(dir.join(LOCK)) {
            // A sweep removed the new directory.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
    }
}

/// Removes everything from the directory of a state except its lock.
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
