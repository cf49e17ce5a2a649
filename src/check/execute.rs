//! One cell: engine, image, set-up, tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_util::sync::CancellationToken;

use super::cache::{self, Key, Question, Store, Subject, passed};
use super::engine_select::Engines;
use super::event::Event;
use super::secret::{self, Secrets};
use super::source_tree::SourceTree;
use super::stage::{PROGRAM, SOURCE, Stage};
use super::verdict;
use crate::config::{Config, Facility};
use crate::engine::job::{Completed, Job, part};
use crate::engine::{Engine, EngineError, Lines, Opened};
use crate::error::{Failure as _, chain};
use crate::model::cell::{self, CellResult, End};
use crate::model::digest::Digest;
use crate::model::document::{Cell, Status};
use crate::model::environment::Environment;
use crate::model::image::ImageIdentity;
use crate::model::plan::{self, CellPlan, Phase, TestCommand};
use crate::model::reference::Reference;
use crate::report::text::one_line;

/// Largest result a cell may bring back.
pub(super) const RESULT_CAP: u64 = 256 << 20;
/// Bytes kept of the output of one command.
const OUTPUT_CAP: u64 = 128 << 10;
/// Seconds a cell may take beyond its commands: snapshot, copy, hashing.
const MARGIN: u64 = 120;

/// What all cells of a check share.
pub(super) struct Run {
    pub(super) config: Config,
    pub(super) tests: Vec<TestCommand>,
    pub(super) material: SourceTree,
    pub(super) results: Store,
    pub(super) engines: Engines,
    pub(super) fresh: bool,
    pub(super) in_place: bool,
    pub(super) events: UnboundedSender<Event>,
    pub(super) cancel: CancellationToken,
}

/// What one cell has found out so far.
struct Progress {
    cell: Cell,
    environment: Option<Environment>,
}

impl Run {
    /// Runs one cell to its verdict, whatever happens.
    pub(super) async fn cell(&self, facility: &Facility) -> (Cell, Option<Environment>) {
        let clock = Instant::now();
        let cell = verdict::not_run(facility, "interrupted before it began");
        let mut progress = Progress { cell, environment: None };
        let mut lasting = None;
        if self.cancel.is_cancelled() {
            progress.cell.status = Status::Skipped;
        } else {
            match self.attempt(facility, &mut progress).await {
                Ok(key) => lasting = key,
                Err(error) => {
                    let cell = &mut progress.cell;
                    let is_cancelled = matches!(error, EngineError::Cancelled);
                    cell.status = if is_cancelled { Status::Skipped } else { Status::Error };
                    cell.reason = Some(chain(&error));
                    cell.hint = error.hint();
                }
            }
        }
        // What was not run now took as long as it took then.
        if !progress.cell.cached {
            progress.cell.timing.seconds = clock.elapsed().as_secs_f64();
        }
        if let Some(key) = lasting {
            self.remember(&key, &progress);
        }
        verdict::forgive(&mut progress.cell, facility.expect.as_ref(), jiff::Zoned::now().date());
        let _ = self.events.send(Event::Finished {
            cell: Box::new(progress.cell.clone()),
            environment: progress.environment.clone().map(Box::new),
        });
        (progress.cell, progress.environment)
    }

    /// Finds the result of an earlier run or runs the cell. Gives the key under which the result can be kept.
    async fn attempt(&self, facility: &Facility, progress: &mut Progress) -> Result<Option<Key>, EngineError> {
        if self.in_place {
            return self.attempt_in_place(facility, progress).await.map(|()| None);
        }
        self.doing(facility, "opening the image");
        let engine = self.engines.pick(facility).await?;
        progress.cell.engine = engine.name().to_owned();
        let may_be_known = !self.fresh && cache::is_pure(&self.config, facility);
        let identity = if may_be_known { engine.identify(&facility.image).await? } else { None };
        if identity.as_ref().is_some_and(|identity| self.recall(facility, identity, progress)) {
            return Ok(None);
        }
        let mut image = engine.open(&facility.image, self.cancel.clone()).await?;
        if may_be_known && identity.is_none() && self.recall(facility, &image.identity, progress) {
            return Ok(None);
        }
        progress.cell.image = (facility.image != Reference::Host).then(|| told(facility, &image.identity));

        if let Some(setup) = &self.config.test.setup {
            match self.set_up(&*engine, facility, &image, setup, progress).await? {
                Some(ready) => image = ready,
                None => return Ok(None),
            }
        }
        self.doing(facility, "tests");
        let completed = self.run(&*engine, facility, &image, Phase::Test, None).await?;
        self.take(facility, completed, progress);
        Ok(self.key(facility, &image.identity, engine.name()))
    }

    /// What the result of this cell would be kept under; none when it can't be kept.
    fn key(&self, facility: &Facility, image: &ImageIdentity, engine: &str) -> Option<Key> {
        if !cache::is_pure(&self.config, facility) {
            return None;
        }
        let subject = Subject { config: &self.config, tests: &self.tests, tree: self.material.digest()? };
        Key::new(Question::new(subject, facility)?, image, engine)
    }

    /// Takes over the result of an earlier run of the same cell, when there is one. One that can't be believed is told of and
    /// counts as absent.
    fn recall(&self, facility: &Facility, image: &ImageIdentity, progress: &mut Progress) -> bool {
        let Some(key) = self.key(facility, image, &progress.cell.engine) else { return false };
        match self.results.get(&key) {
            Ok(Some(hit)) => {
                progress.cell.image = Some(told(facility, image));
                progress.environment = hit.give(&mut progress.cell);
                true
            }
            Ok(None) => false,
            Err(text) => {
                let _ = self.events.send(Event::Note { text });
                false
            }
        }
    }

    /// Keeps the result for later checks. A check that can't keep it is none the worse for it.
    fn remember(&self, key: &Key, progress: &Progress) {
        if self.cancel.is_cancelled() {
            return;
        }
        if let Err(error) = self.results.put(key, &progress.cell, progress.environment.as_ref()) {
            let text = format!("the result of {} can't be kept for later checks: {error}", progress.cell.id);
            let _ = self.events.send(Event::Note { text });
        }
    }

    /// Runs a cell where we stand: who started this says that it is the facility's image.
    async fn attempt_in_place(&self, facility: &Facility, progress: &mut Progress) -> Result<(), EngineError> {
        let engine = self.engines.host().await?;
        progress.cell.engine = engine.name().to_owned();
        let here = engine.open(&Reference::Host, self.cancel.clone()).await?;
        if facility.image != Reference::Host {
            let platform = here.identity.platform.clone();
            let identity = ImageIdentity { reference: facility.written.clone(), platform, ..ImageIdentity::default() };
            progress.cell.image = Some(identity);
            progress.cell.not_enforced.push("image: taken on trust, carnet was started inside".to_owned());
        }
        let phase = if self.config.test.setup.is_some() { Phase::Whole } else { Phase::Test };
        self.doing(facility, if phase == Phase::Whole { "set-up and tests" } else { "tests" });
        let completed = self.run(&*engine, facility, &here, phase, None).await?;
        self.take(facility, completed, progress);
        Ok(())
    }

    /// The image with the set-up done, kept from an earlier run or run now; none when the set-up failed.
    async fn set_up(
        &self,
        engine: &dyn Engine,
        facility: &Facility,
        image: &Opened,
        setup: &str,
        progress: &mut Progress,
    ) -> Result<Option<Opened>, EngineError> {
        self.stage(engine).await?;
        let key = self.setup_key(facility, setup);
        if !self.fresh
            && let Some(ready) = engine.kept(image, &key).await?
        {
            return Ok(Some(ready));
        }
        self.doing(facility, "set-up");
        let completed = self.run(engine, facility, image, Phase::Setup, Some(key)).await?;
        if completed.end.is_success()
            && let Some(ready) = completed.kept
        {
            return Ok(Some(ready));
        }
        let went_well = completed.end.is_success();
        self.take(facility, completed, progress);
        let cell = &mut progress.cell;
        if went_well && cell.status != Status::Error {
            cell.status = Status::Error;
            cell.reason = Some("the set-up went well, but what it changed could not be kept".to_owned());
            let why = cell.not_enforced.iter().find_map(|lack| lack.strip_prefix(part::KEPT)?.strip_prefix(": "));
            cell.hint = why.map(|why| format!("{why}; leave `setup` out, or use another engine"));
        }
        Ok(None)
    }

    /// What a kept set-up depends on, apart from the image.
    fn setup_key(&self, facility: &Facility, setup: &str) -> String {
        let contract = serde_json::to_string(&facility.contract).unwrap_or_default();
        // By their values: these go into a digest and nowhere else.
        let passed = serde_json::to_string(&passed(facility)).unwrap_or_default();
        let tree = self.material.digest().map(Digest::as_str).unwrap_or_default();
        Digest::of([setup, &contract, &passed, tree, env!("CARGO_PKG_VERSION")].join("\0").as_bytes()).hex()[..32]
            .to_owned()
    }

    async fn run(
        &self,
        engine: &dyn Engine,
        facility: &Facility,
        image: &Opened,
        phase: Phase,
        keep: Option<String>,
    ) -> Result<Completed, EngineError> {
        let stage = self.stage(engine).await?;
        let mut job = self.job(facility, phase, stage.path(), keep);
        let layout = engine.layout(image, &job);
        let plan = self.plan(facility, phase, &layout.input, &layout.scratch);
        let name = stage.write_plan(&job.id, &plan).map_err(|error| EngineError::Run {
            engine: engine.name(),
            doing: "writing the plan".to_owned(),
            source: Box::new(error),
        })?;
        let inside = |name: &str| format!("{}/{name}", layout.input);
        job.argv = vec![inside(PROGRAM), "cell".to_owned(), "--plan".to_owned(), inside(&name)];
        job.result = Some(plan.result);
        engine.run(image, &job, self.lines(facility), self.cancel.clone()).await
    }

    /// The input directory, made for the first cell that runs.
    async fn stage(&self, engine: &dyn Engine) -> Result<&Stage, EngineError> {
        self.material.stage().await.map_err(|error| EngineError::Run {
            engine: engine.name(),
            doing: "copying the analysis".to_owned(),
            source: error.message().into(),
        })
    }

    fn job(&self, facility: &Facility, phase: Phase, input: &Path, keep: Option<String>) -> Job {
        let test = &self.config.test;
        let tests = self.tests.len() as u64 * u64::from(test.retries + 1);
        let commands = match phase {
            Phase::Setup => 1,
            Phase::Snapshot => 0,
            Phase::Test => tests,
            Phase::Whole => tests + 1,
        };
        Job {
            id: unique_id(&facility.cell()),
            argv: Vec::new(),
            input: input.to_owned(),
            result: None,
            result_cap: RESULT_CAP,
            contract: facility.contract.clone(),
            env: passed(facility),
            network: matches!(phase, Phase::Setup | Phase::Whole) || test.network,
            timeout: Duration::from_secs(test.timeout.saturating_mul(commands).saturating_add(MARGIN)),
            output_cap: OUTPUT_CAP as usize,
            keep,
        }
    }

    fn plan(&self, facility: &Facility, phase: Phase, input: &str, scratch: &str) -> CellPlan {
        let work = format!("{scratch}/work");
        CellPlan {
            schema: plan::SCHEMA.to_owned(),
            cell: facility.cell(),
            phase,
            source: format!("{input}/{SOURCE}"),
            workdir: facility.contract.workdir.clone().unwrap_or_else(|| work.clone()),
            work,
            result: format!("{scratch}/result.json"),
            prelude: facility.contract.prelude.clone(),
            setup: self.config.test.setup.clone(),
            tests: self.tests.clone(),
            timeout: self.config.test.timeout,
            retries: self.config.test.retries,
            network: self.config.test.network,
            cut_network: phase == Phase::Whole,
            outputs: self.config.outputs.clone(),
            inputs: self.config.inputs.clone(),
            output_cap: OUTPUT_CAP,
            allow_env: Vec::new(),
            own_env: BTreeMap::new(),
        }
    }

    /// Makes what came back part of the cell; what didn't is a failure of the place.
    fn take(&self, facility: &Facility, completed: Completed, progress: &mut Progress) {
        let cell = &mut progress.cell;
        cell.not_enforced.extend(completed.not_enforced.clone());
        match read_result(&completed, &facility.cell(), &Secrets::of(&passed(facility))) {
            Ok(mut result) => {
                progress.environment = result.environment.take();
                if completed.end == (End::OutOfMemory {}) {
                    verdict::blame_memory(&mut result);
                }
                verdict::judge(cell, result);
            }
            Err(reason) => {
                cell.status = Status::Error;
                cell.reason = Some(reason);
                cell.hint = hint(&completed).map(str::to_owned);
            }
        }
    }

    fn doing(&self, facility: &Facility, what: &str) {
        let _ = self.events.send(Event::Doing { cell: facility.cell(), what: what.to_owned() });
    }

    /// Where an engine sends the lines of this cell.
    fn lines(&self, facility: &Facility) -> Lines {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let (events, cell, secrets) = (self.events.clone(), facility.cell(), Secrets::of(&passed(facility)));
        tokio::spawn(async move {
            while let Some(mut line) = receiver.recv().await {
                secrets.cut(&mut line);
                let _ = events.send(Event::Line { cell: cell.clone(), line });
            }
        });
        sender
    }
}

/// What a document says of the image.
fn told(facility: &Facility, identity: &ImageIdentity) -> ImageIdentity {
    let mut told = identity.clone();
    // Paths of this machine say nothing elsewhere: the reference stands as its author wrote it.
    told.reference.clone_from(&facility.written);
    secret::redact(&mut told.config.env);
    told
}

/// The result a cell brought back, or in words why there is none. It comes from inside, so nothing of it is believed
/// before it was read as what it should be, and no word of it is taken over at any length.
pub(super) fn read_result(completed: &Completed, name: &str, secrets: &Secrets) -> Result<CellResult, String> {
    let Some(bytes) = &completed.result else { return Err(no_result(completed, secrets)) };
    let result = parse(bytes, secrets)
        .map_err(|error| format!("the result that came back can't be read: {}", one_line(&error.to_string(), 300)))?;
    if result.schema != cell::SCHEMA || result.cell != name {
        return Err(format!("the result that came back is of `{}`, not of this cell", one_line(&result.cell, 100)));
    }
    Ok(result)
}

fn parse(bytes: &[u8], secrets: &Secrets) -> serde_json::Result<CellResult> {
    if secrets.is_empty() {
        return serde_json::from_slice(bytes);
    }
    let mut value = serde_json::from_slice(bytes)?;
    secrets.cut_all(&mut value);
    serde_json::from_value(value)
}

fn no_result(completed: &Completed, secrets: &Secrets) -> String {
    let mut output = completed.output.text.clone();
    secrets.cut(&mut output);
    let last = output.lines().rfind(|line| !line.trim().is_empty());
    let said = last.map(|line| format!("; its last line: {}", one_line(line, 300))).unwrap_or_default();
    let end = match &completed.end {
        End::Exit { code } => format!("exit code {code}"),
        End::Signal { signal } => format!("carnet was killed inside by signal {signal}"),
        End::OutOfMemory {} => "carnet was killed inside, over the memory limit".to_owned(),
        End::Timeout { seconds } => format!("carnet did not end inside and was killed after {seconds} s"),
        End::NotStarted { reason } => format!("not started: {reason}"),
    };
    format!("no result came back: {end}{said}")
}

/// What to do about a cell that brought back no result.
fn hint(completed: &Completed) -> Option<&'static str> {
    match completed.end {
        _ if completed.result.is_some() => None,
        End::Signal { .. } => Some("a test that kills its parent or every process (`kill -9 -1`) does this"),
        End::OutOfMemory {} => Some("raise the facility's `memory`, or let the tests need less"),
        End::Timeout { .. } => {
            Some("a test that stops its parent (`kill -STOP`) does this, or a file system that hangs")
        }
        End::Exit { .. } | End::NotStarted { .. } => None,
    }
}

/// A name for a job that no other job on this machine has.
pub(super) fn unique_id(cell: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    let seed = format!("{}-{n}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
    let slug: String =
        cell.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    format!("{}-{}", &Digest::of(seed.as_bytes()).hex()[..10], slug.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::told;
    use crate::check::plan::this_machine;
    use crate::model::image::{ImageConfig, ImageIdentity};

    #[test]
    fn a_document_tells_no_secret_of_an_image() {
        let pairs = [("LANG", "C.UTF-8"), ("PYPI_TOKEN", "hunter2hunter2")];
        let env = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let identity =
            ImageIdentity { config: ImageConfig { env, ..ImageConfig::default() }, ..ImageIdentity::default() };
        let env = told(&this_machine(), &identity).config.env;
        assert_eq!((env["LANG"].as_str(), env["PYPI_TOKEN"].as_str()), ("C.UTF-8", "[redacted]"));
    }
}
