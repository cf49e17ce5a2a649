//! The half that runs inside an image: it takes the snapshot, runs the tests and writes one result file.
//!
//! It needs nothing of the image but a shell for the commands, and works as the first process of a container, as any
//! user, and on a read-only root: it writes below the plan's `work` and beside its `result` alone.

mod artifact;
mod command;
mod copy;
pub(crate) mod descendant;
pub mod environ;
mod lines;
mod memory;
pub(crate) mod network;
pub mod probe;
pub mod suite;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use command::Supervisor;
use suite::Suite;

use crate::error::{Failure, Kind, chain};
use crate::model::canonical;
use crate::model::cell::{self, CellResult, CellTiming};
use crate::model::plan::{self, CellPlan, Phase};

/// Bytes a plan may have.
const PLAN_CAP: u64 = 16 << 20;
/// Lines handed to the live view in one [`TICK`].
const LINES_PER_TICK: u32 = 50;
/// The time in which at most [`LINES_PER_TICK`] lines are handed to the live view.
const TICK: Duration = Duration::from_millis(100);
/// Bytes of a line handed to the live view.
const LINE_CAP: usize = 500;

/// What keeps a cell from bringing back a result at all.
#[derive(Debug, thiserror::Error)]
pub enum CellError {
    /// The plan can't be read.
    #[error("reading the plan {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The plan is no plan.
    #[error("the plan {path} is not valid: {reason}")]
    Plan {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The result can't be written.
    #[error("writing the result {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Failure for CellError {
    fn kind(&self) -> Kind {
        match self {
            Self::Read { .. } | Self::Write { .. } => Kind::Infrastructure,
            Self::Plan { .. } => Kind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Plan { .. } => Some(format!("a plan is written by carnet itself, as `{}`", plan::SCHEMA)),
            Self::Read { .. } | Self::Write { .. } => None,
        }
    }
}

/// Runs the plan in a file and writes its result, whatever happens in between. Lines of progress go to standard output.
/// Gives back whether every command ended well.
///
/// # Errors
/// When there is no valid plan, or the result can't be written.
pub fn main(plan_file: &Path) -> Result<bool, CellError> {
    let plan = read_plan(plan_file)?;
    let mut progress = |line: &str| {
        // Whoever listened may be gone; the result counts.
        let _ = writeln!(io::stdout().lock(), "{line}");
    };
    let result = catch_unwind(AssertUnwindSafe(|| run(&plan, &mut progress))).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let trouble = format!("a bug of carnet: {}", said.unwrap_or("a panic without words"));
        CellResult { trouble: Some(trouble), ..blank(&plan) }
    });
    let path = Path::new(&plan.result);
    match write_result(path, &result) {
        Err(CellError::Write { source, .. }) => {
            if is_full(&source) && plan.phase == Phase::Test {
                // The tests filled the disk. Their copy has done its work, and the result needs little of its room.
                let _ = fs::remove_dir_all(&plan.work);
            }
            take_back(path);
            write_result(path, &result)?;
        }
        written => written?,
    }
    Ok(result.trouble.is_none() && result.steps.iter().all(|step| step.end.is_success()))
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Makes the place of the result as it was, after tests that removed it, closed it or put something else there.
fn take_back(path: &Path) {
    // What can't be mended shows when the result is written again.
    if let Some(dir) = path.parent() {
        let _ = fs::create_dir_all(dir);
        let _ = fs::set_permissions(dir, fs::Permissions::from_mode(0o755));
    }
    for path in [path, &part(path)] {
        if fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Runs a plan. What goes wrong with the place stands in the result's `trouble`, beside all that was learned before.
///
/// While it runs it takes over the children of this process: nothing else may start any.
pub fn run(plan: &CellPlan, progress: &mut dyn FnMut(&str)) -> CellResult {
    let started = Instant::now();
    let mut result = blank(plan);
    let mut throttle = Throttle { progress, since: started, lines: 0 };
    let done = Run { plan, result: &mut result }.all(&mut |line| throttle.line(line));
    result.trouble = done.err();
    result.timing.total = started.elapsed().as_secs_f64();
    result
}

fn blank(plan: &CellPlan) -> CellResult {
    CellResult {
        schema: cell::SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        cell: plan.cell.clone(),
        environment: None,
        steps: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        not_enforced: Vec::new(),
        trouble: None,
        timing: CellTiming::default(),
    }
}

/// A plan being run; an error is a failure of the place.
struct Run<'a> {
    plan: &'a CellPlan,
    result: &'a mut CellResult,
}

impl Run<'_> {
    fn all(&mut self, progress: &mut dyn FnMut(&str)) -> Result<(), String> {
        if self.plan.phase == Phase::Snapshot {
            self.snapshot(environ::own());
            return Ok(());
        }
        let work = Path::new(&self.plan.work);
        let started = Instant::now();
        let copied = copy::tree(Path::new(&self.plan.source), work);
        self.result.timing.copy = started.elapsed().as_secs_f64();
        copied.map_err(|error| chain(&error))?;
        let supervisor = Supervisor::new().map_err(|error| format!("preparing to run commands: {error}"))?;
        if matches!(self.plan.phase, Phase::Setup | Phase::Whole) {
            self.setup(&supervisor, progress)?;
            let went_well = self.result.steps.iter().all(|step| step.end.is_success());
            if self.plan.phase == Phase::Setup || !went_well {
                return Ok(());
            }
        }
        self.result.inputs = artifact::digests(work, &self.plan.inputs);
        let tested = self.tests(&supervisor, progress);
        self.result.outputs = artifact::digests(work, &self.plan.outputs);
        tested
    }

    /// The snapshot of what the tests find.
    fn snapshot(&mut self, env: BTreeMap<String, String>) {
        let started = Instant::now();
        let own_env = self.plan.own_env.keys().cloned().collect();
        let allow_env = self.plan.allow_env.clone();
        let options = probe::Options { allow_env, own_env, ..probe::Options::live(env) };
        self.result.environment = Some(probe::environment(&options));
        self.result.timing.snapshot = started.elapsed().as_secs_f64();
    }

    fn setup(&mut self, supervisor: &Supervisor, progress: &mut dyn FnMut(&str)) -> Result<(), String> {
        let Some(run) = &self.plan.setup else { return Ok(()) };
        let step = Suite::new(self.plan, supervisor, PathBuf::new(), false).setup(run, progress);
        self.result.timing.commands = step.timing.seconds;
        self.result.steps.push(step);
        interrupted(supervisor)
    }

    fn tests(&mut self, supervisor: &Supervisor, progress: &mut dyn FnMut(&str)) -> Result<(), String> {
        let mut offline = !self.plan.network;
        if offline
            && self.plan.cut_network
            && let Err(reason) = network::cut()
        {
            offline = false;
            self.result.not_enforced.push(format!("network not cut: {reason}"));
        }
        let scratch = Scratch::beside(Path::new(&self.plan.result))?;
        let mut suite = Suite::new(self.plan, supervisor, scratch.0.clone(), offline);
        self.snapshot(suite.variables(progress).map_err(|error| error.to_string())?);
        interrupted(supervisor)?;
        for (index, test) in self.plan.tests.iter().enumerate() {
            let step = suite.test(index, test, progress);
            self.result.timing.commands += step.timing.seconds;
            self.result.steps.push(step);
            interrupted(supervisor)?;
        }
        Ok(())
    }
}

fn interrupted(supervisor: &Supervisor) -> Result<(), String> {
    supervisor.asked_to_end().map_or(Ok(()), |signal| Err(format!("interrupted by signal {signal}")))
}

/// A directory for the files that test frameworks write: beside the result, so on a place that can be written to, and
/// of the same name each time, because its path shows in outputs. It goes when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn beside(result: &Path) -> Result<Self, String> {
        let mut name = result.file_name().unwrap_or_default().to_owned();
        name.push(".cases");
        let dir = std::path::absolute(result.with_file_name(name)).map_err(|error| error.to_string())?;
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).map_err(|error| format!("making {}: {error}", dir.display()))?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Hands on only as many lines as someone can look at.
struct Throttle<'a> {
    progress: &'a mut dyn FnMut(&str),
    since: Instant,
    lines: u32,
}

impl Throttle<'_> {
    fn line(&mut self, line: &str) {
        if self.lines >= LINES_PER_TICK {
            if self.since.elapsed() < TICK {
                return;
            }
            self.since = Instant::now();
            self.lines = 0;
        }
        self.lines += 1;
        (self.progress)(&line[..line.floor_char_boundary(LINE_CAP)]);
    }
}

fn read_plan(path: &Path) -> Result<CellPlan, CellError> {
    let failed = |source| CellError::Read { path: path.to_owned(), source };
    let invalid = |reason: String| CellError::Plan { path: path.to_owned(), reason };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(PLAN_CAP + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > PLAN_CAP {
        return Err(invalid(format!("larger than {} MiB", PLAN_CAP >> 20)));
    }
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
    // Before anything else, because a newer schema may well have other fields.
    match value.get("schema").and_then(serde_json::Value::as_str) {
        Some(plan::SCHEMA) => {}
        Some(other) => return Err(invalid(format!("its schema is `{other}`, this carnet reads `{}`", plan::SCHEMA))),
        None => return Err(invalid("it has no schema".to_owned())),
    }
    serde_json::from_value(value).map_err(|error| invalid(error.to_string()))
}

/// Where the result is written before it is whole.
fn part(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    PathBuf::from(part)
}

/// Writes the result beside its place first, so that what is there is always whole.
fn write_result(path: &Path, result: &CellResult) -> Result<(), CellError> {
    let failed = |source| CellError::Write { path: path.to_owned(), source };
    let text = canonical::to_string(result).map_err(|error| failed(error.into()))?;
    let part = part(path);
    let _ = fs::remove_file(&part);
    let written = File::create_new(&part).and_then(|mut file| file.write_all(text.as_bytes()));
    written.and_then(|()| fs::rename(&part, path)).map_err(failed)
}
