//! One run in namespaces.

use std::path::PathBuf;
use std::process::ExitStatus;

use signal_hook::consts::SIGKILL;
use tokio_util::sync::CancellationToken;

use super::control::Control;
use super::protocol::SandboxReport;
use super::run_dir::{RunDir, StateMetadata, lock_states};
use super::{Embedded, NAME, failed, prepare, sandbox};
use crate::engine::disk::DiskLimit;
use crate::engine::helper::{EndCause, Helper};
use crate::engine::job::{Completed, Job, part};
use crate::engine::result_file::ResultFile;
use crate::engine::{EngineError, ImageLocation, Lines, Opened};
use crate::model::cell::End;
use crate::sys::helper::parse_reports;

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
    let state_dir = job.save_as.as_ref().map(|key| engine.state_dir(image, key)).transpose()?;
    let stale = state_dir.as_ref().is_some_and(|dir| dir.exists());
    let _locks = lock_states(&engine.scratch_layers(&trees));
    prepare::check_mounts(job)?;
    let account = prepare::account(&image.identity, &trees, job)?;
    let caller = prepare::caller();
    let owner = caller.is_none().then_some(account.ids);
    let run = RunDir::create(&engine.cache, &job.id, owner).map_err(failed("creating the directory of the run"))?;
    let mut control = Control::create(&job.id, &job.contract, &|dir| run.record_group(dir));
    let result = job.result.map(|max_bytes| ResultFile::create(&run.dir).map(|file| (file, max_bytes)));
    let result = result.transpose().map_err(failed("creating the file for the result"))?;
    let mut request = prepare::request(engine, image, &trees, &account, job, &run, control.groups.clone());
    request.result = result.as_ref().map(|(file, _)| file.path().to_owned());
    let disk = job.contract.disk.map(|max_bytes| DiskLimit { max_bytes, dirs: run.written_dirs() });
    let helper = Helper::start(&engine.helper, sandbox::ROLE, &request, true).await;
    let followed = helper.map_err(failed("starting the run"))?.follow(NAME, job, disk, lines, &cancel).await?;
    let reports = Reports::parse(&followed.reports);
    let end = match followed.cause {
        EndCause::Cancelled => return Err(EngineError::Cancelled),
        EndCause::ExceededDisk => End::Signal { signal: SIGKILL },
        EndCause::TimedOut => End::Timeout { seconds: job.timeout.as_secs() },
        EndCause::Ended => reports.end(&control, followed.status)?,
    };
    let mut not_enforced = std::mem::take(&mut control.not_enforced);
    not_enforced.extend(reports.not_enforced.iter().cloned());
    not_enforced.extend(job.unprotected_result(&image.identity.config.entrypoint));
    if caller.is_some() && account.ids.uid != 0 {
        let reason = "carnet does not run as root, so all files in the image appear to belong to the user who runs the \
                      program";
        not_enforced.push(format!("{}: {reason}", part::USER));
    }
    drop(control);
    let result = match result {
        Some((file, max_bytes)) => file.read(max_bytes).map_err(failed("reading the result"))?,
        None => None,
    };
    let mut saved_state = None;
    if let Some(dir) = state_dir.filter(|_| end.is_success()) {
        match &reports.fleeting {
            Some(reason) => not_enforced.push(format!("{}: {reason}", part::KEPT)),
            None => {
                let home = if request.home_kept || reports.made_home { request.home.clone() } else { None };
                run.keep(&dir, stale, &StateMetadata { home }).map_err(failed("saving the state"))?;
                saved_state = Some(Embedded::saved_image(&dir, image));
            }
        }
    }
    let removed = tokio::task::spawn_blocking(|| run.remove()).await.map_err(failed("removing the run"))?;
    removed.map_err(failed("removing the directory of the run"))?;
    let exceeded = (followed.cause == EndCause::ExceededDisk).then_some(part::DISK);
    let exit_code = reports.exit_code().filter(|_| exceeded.is_none());
    Ok(Completed { end, exit_code, output: followed.output.finish(), result, exceeded, not_enforced, saved_state })
}

fn trees(image: &Opened) -> Result<Vec<PathBuf>, EngineError> {
    match &image.location {
        ImageLocation::Trees(trees) if !trees.is_empty() => Ok(trees.clone()),
        location => Err(failed("finding the trees of the image")(format!("another engine opened {location:?}"))),
    }
}

/// The reports of a run.
#[derive(Default)]
struct Reports {
    not_enforced: Vec<String>,
    fleeting: Option<String>,
    made_home: bool,
    end: Option<End>,
    failure: Option<(String, String)>,
}

impl Reports {
    fn parse(output: &[u8]) -> Self {
        let mut reports = Self::default();
        for report in parse_reports(output) {
            match report {
                SandboxReport::NotEnforced { part, reason } => reports.not_enforced.push(format!("{part}: {reason}")),
                SandboxReport::Fleeting { reason } => reports.fleeting = Some(reason),
                SandboxReport::MadeHome => reports.made_home = true,
                SandboxReport::Ended(end) => reports.end = Some(end),
                SandboxReport::Failed { doing, reason } => reports.failure = Some((doing, reason)),
                SandboxReport::Works { .. } => {}
            }
        }
        reports
    }

    /// Returns the exit code of the program, or `None` if it did not exit by itself.
    fn exit_code(&self) -> Option<i32> {
        match self.end {
            Some(End::Exit { code }) => Some(code),
            _ => None,
        }
    }

    fn end(&self, control: &Control, status: ExitStatus) -> Result<End, EngineError> {
        let out_of_memory = || control.out_of_memory().then_some(End::OutOfMemory {});
        match (&self.end, &self.failure) {
            (Some(end), _) if end.is_success() => Ok(end.clone()),
            (Some(end), _) => Ok(out_of_memory().unwrap_or_else(|| end.clone())),
            (None, Some((doing, reason))) => out_of_memory().ok_or_else(|| failed(doing)(reason.clone())),
            // Only the kernel kills the first process of the namespaces.
            (None, None) => out_of_memory()
                .ok_or_else(|| failed("watching the program")(format!("the supervisor exited early with {status}"))),
        }
    }
}
