//! The part of carnet that runs inside an image: takes the snapshot, runs the tests and writes one result file.
//!
//! It requires only a shell from the image. It works as the first process of a container, as any user and on a read-only
//! root, because it writes only to the plan's `work` and next to its `result`.

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

/// Maximum size of a plan in bytes.
const MAX_PLAN_BYTES: u64 = 16 << 20;
/// Maximum number of lines sent to the live view in one [`TICK`].
const LINES_PER_TICK: u32 = 50;
/// Period of the limit on lines for the live view.
const TICK: Duration = Duration::from_millis(100);
/// Maximum number of bytes sent to the live view of one line.
const MAX_LINE_LEN: usize = 500;

/// An error that leaves a cell without a result.
#[derive(Debug, thiserror::Error)]
pub enum CellError {
    /// The plan can't be read.
    #[error("failed to read plan `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The plan is invalid.
    #[error("invalid plan `{path}`: {reason}")]
    Plan {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// The result can't be written.
    #[error("failed to write result `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
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
            Self::Plan { .. } => Some(format!("carnet writes plans itself, with schema `{}`", plan::SCHEMA)),
            Self::Read { .. } | Self::Write { .. } => None,
        }
    }
}

/// Runs the plan in a file and writes its result, even after an error. Progress goes to standard output. Reports whether
/// every command succeeded.
///
/// # Errors
/// Fails if the plan is invalid or the result can't be written.
pub fn main(plan_file: &Path) -> Result<bool, CellError> {
    let plan = read_plan(plan_file)?;
    let mut progress = |line: &str| {
        // The reader may be gone; only the result matters.
        let _ = writeln!(io::stdout().lock(), "{line}");
    };
    let result = catch_unwind(AssertUnwindSafe(|| run(&plan, &mut progress))).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let trouble = format!("bug in carnet: {}", message.unwrap_or("panic without a message"));
        CellResult { trouble: Some(trouble), ..empty_result(&plan) }
    });
    let path = Path::new(&plan.result);
    match write_result(path, &result) {
        Err(CellError::Write { source, .. }) => {
            if is_full(&source) && plan.phase == Phase::Test {
                // The tests filled the disk. Their copy of the analysis is no longer needed.
                let _ = fs::remove_dir_all(&plan.work);
            }
            restore_location(path);
            write_result(path, &result)?;
        }
        written => written?,
    }
    Ok(result.trouble.is_none() && result.steps.iter().all(|step| step.end.is_success()))
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Restores the location of the result after tests removed it, removed its permissions or replaced it.
fn restore_location(path: &Path) {
    // The next attempt to write the result reports any error.
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

/// Runs a plan. After an infrastructure error the result contains the error as `trouble`, and everything up to it.
///
/// This owns the children of this process: no other part of the process may start any meanwhile.
pub fn run(plan: &CellPlan, progress: &mut dyn FnMut(&str)) -> CellResult {
    let started = Instant::now();
    let mut result = empty_result(plan);
    let mut throttle = Throttle { progress, since: started, lines: 0 };
    let done = Run { plan, result: &mut result }.all(&mut |line| throttle.line(line));
    result.trouble = done.err().map(|failure| failure.0);
    result.timing.total = started.elapsed().as_secs_f64();
    result
}

fn empty_result(plan: &CellPlan) -> CellResult {
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

/// An infrastructure error, as the result reports it.
struct CellFailure(String);

impl CellFailure {
    fn from_error(error: &dyn std::error::Error) -> Self {
        Self(chain(error))
    }
}

/// A running plan. Errors are infrastructure errors.
struct Run<'a> {
    plan: &'a CellPlan,
    result: &'a mut CellResult,
}

impl Run<'_> {
    fn all(&mut self, progress: &mut dyn FnMut(&str)) -> Result<(), CellFailure> {
        if self.plan.phase == Phase::Snapshot {
            self.snapshot(environ::own());
            return Ok(());
        }
        let work = Path::new(&self.plan.work);
        let started = Instant::now();
        let copied = copy::tree(Path::new(&self.plan.source), work);
        self.result.timing.copy = started.elapsed().as_secs_f64();
        copied.map_err(|error| CellFailure::from_error(&error))?;
        let supervisor =
            Supervisor::new().map_err(|error| CellFailure(format!("failed to prepare for commands: {error}")))?;
        if matches!(self.plan.phase, Phase::Setup | Phase::Whole) {
            self.setup(&supervisor, progress)?;
            let succeeded = self.result.steps.iter().all(|step| step.end.is_success());
            if self.plan.phase == Phase::Setup || !succeeded {
                return Ok(());
            }
        }
        self.result.inputs = artifact::digests(work, &self.plan.inputs);
        let tested = self.tests(&supervisor, progress);
        self.result.outputs = artifact::digests(work, &self.plan.outputs);
        tested
    }

    /// Takes the snapshot of the environment of the tests.
    fn snapshot(&mut self, env: BTreeMap<String, String>) {
        let started = Instant::now();
        let own_env = self.plan.own_env.keys().cloned().collect();
        let allow_env = self.plan.allow_env.clone();
        let options = probe::Options { allow_env, own_env, ..probe::Options::live(env) };
        self.result.environment = Some(probe::environment(&options));
        self.result.timing.snapshot = started.elapsed().as_secs_f64();
    }

    fn setup(&mut self, supervisor: &Supervisor, progress: &mut dyn FnMut(&str)) -> Result<(), CellFailure> {
        let Some(run) = &self.plan.setup else { return Ok(()) };
        let step = Suite::new(self.plan, supervisor, PathBuf::new(), false).setup(run, progress);
        self.result.timing.commands = step.timing.seconds;
        self.result.steps.push(step);
        check_interrupt(supervisor)
    }

    fn tests(&mut self, supervisor: &Supervisor, progress: &mut dyn FnMut(&str)) -> Result<(), CellFailure> {
        let mut offline = !self.plan.network;
        if offline
            && self.plan.cut_network
            && let Err(error) = network::cut()
        {
            offline = false;
            self.result.not_enforced.push(format!("network not cut: {}", chain(&error)));
        }
        let reports = ReportDir::next_to(Path::new(&self.plan.result))?;
        let mut suite = Suite::new(self.plan, supervisor, reports.0.clone(), offline);
        self.snapshot(suite.variables(progress).map_err(|error| CellFailure::from_error(&error))?);
        check_interrupt(supervisor)?;
        for (index, test) in self.plan.tests.iter().enumerate() {
            let step = suite.test(index, test, progress);
            self.result.timing.commands += step.timing.seconds;
            self.result.steps.push(step);
            check_interrupt(supervisor)?;
        }
        Ok(())
    }
}

fn check_interrupt(supervisor: &Supervisor) -> Result<(), CellFailure> {
    match supervisor.end_signal() {
        Some(signal) => Err(CellFailure(format!("interrupted by signal {signal}"))),
        None => Ok(()),
    }
}

/// A directory for the report files of test frameworks, removed when dropped. It is next to the result, which is
/// writable, and always has the same name, because outputs contain its path.
struct ReportDir(PathBuf);

impl ReportDir {
    fn next_to(result: &Path) -> Result<Self, CellFailure> {
        let mut name = result.file_name().unwrap_or_default().to_owned();
        name.push(".cases");
        let dir = std::path::absolute(result.with_file_name(name)).map_err(|error| CellFailure::from_error(&error))?;
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).map_err(|error| CellFailure(format!("failed to create `{}`: {error}", dir.display())))?;
        Ok(Self(dir))
    }
}

impl Drop for ReportDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Limits the number of lines for the live view.
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
        (self.progress)(&line[..line.floor_char_boundary(MAX_LINE_LEN)]);
    }
}

fn read_plan(path: &Path) -> Result<CellPlan, CellError> {
    let failed = |source| CellError::Read { path: path.to_owned(), source };
    let invalid = |reason: String| CellError::Plan { path: path.to_owned(), reason };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_PLAN_BYTES + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > MAX_PLAN_BYTES {
        return Err(invalid(format!("larger than {} MiB", MAX_PLAN_BYTES >> 20)));
    }
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
    // First, because a newer schema may have other fields.
    match value.get("schema").and_then(serde_json::Value::as_str) {
        Some(plan::SCHEMA) => {}
        Some(other) => return Err(invalid(format!("unsupported schema `{other}`; expected `{}`", plan::SCHEMA))),
        None => return Err(invalid("missing field `schema`".to_owned())),
    }
    serde_json::from_value(value).map_err(|error| invalid(error.to_string()))
}

/// Returns the path of the incomplete result.
fn part(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    PathBuf::from(part)
}

/// Writes the result to a temporary file first, so that the result is always complete.
fn write_result(path: &Path, result: &CellResult) -> Result<(), CellError> {
    let failed = |source| CellError::Write { path: path.to_owned(), source };
    let text = canonical::to_string(result).map_err(|error| failed(error.into()))?;
    let part = part(path);
    let _ = fs::remove_file(&part);
    let written = File::create_new(&part).and_then(|mut file| file.write_all(text.as_bytes()));
    written.and_then(|()| fs::rename(&part, path)).map_err(failed)
}
