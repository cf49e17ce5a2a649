//! Runs one cell: engine, image, setup, tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_util::sync::CancellationToken;

use super::cache::{self, InputKey, ResultKey, ResultStore, TestSubject, passed_env};
use super::cell_result::{self, MAX_RESULT_BYTES};
use super::cell_status;
use super::engine_select::Engines;
use super::event::Event;
use super::input_dir::{InputDir, PROGRAM, SOURCE};
use super::job_id::unique_id;
use super::redact;
use super::source_tree::SourceTree;
use crate::config::{Config, Facility};
use crate::engine::job::{Completed, Job, part};
use crate::engine::{Engine, EngineError, Lines, Opened};
use crate::error::{Failure as _, chain};
use crate::model::cell::End;
use crate::model::digest::Digest;
use crate::model::document::{Cell, Status};
use crate::model::environment::Environment;
use crate::model::image::ImageIdentity;
use crate::model::plan::{self, CellPlan, Phase, TestCommand};
use crate::model::redact::{Redact as _, Redactor};
use crate::model::reference::Reference;
use crate::sys::clock;

/// Maximum number of bytes recorded of one command's output.
const MAX_OUTPUT_BYTES: u64 = 128 << 10;
/// Seconds that a cell may take in addition to its commands, for the snapshot, the copy and the digests.
const EXTRA_SECONDS: u64 = 120;

/// The state that all cells of a check share.
pub(super) struct Run {
    pub(super) config: Config,
    pub(super) tests: Vec<TestCommand>,
    pub(super) source: SourceTree,
    pub(super) store: ResultStore,
    pub(super) engines: Engines,
    pub(super) fresh: bool,
    pub(super) in_place: bool,
    /// The checkout and the cache, which tests on this machine must not change.
    pub(super) protected: Vec<PathBuf>,
    pub(super) redactor: Arc<Redactor>,
    pub(super) events: UnboundedSender<Event>,
    pub(super) cancel: CancellationToken,
}

/// The partial result of one cell.
struct Progress {
    cell: Cell,
    environment: Option<Environment>,
}

impl Run {
    /// Runs one cell. Errors become part of its result.
    pub(super) async fn cell(&self, facility: &Facility) -> (Cell, Option<Environment>) {
        let timer = Instant::now();
        let cell = cell_status::not_run(facility, "interrupted before it started");
        let mut progress = Progress { cell, environment: None };
        let mut result_key = None;
        if self.cancel.is_cancelled() {
            progress.cell.status = Status::Skipped;
        } else {
            match self.attempt(facility, &mut progress).await {
                Ok(key) => result_key = key,
                Err(error) => {
                    let cell = &mut progress.cell;
                    let is_cancelled = matches!(error, EngineError::Cancelled);
                    cell.status = if is_cancelled { Status::Skipped } else { Status::Error };
                    cell.reason = Some(chain(&error));
                    cell.hint = error.hint();
                }
            }
        }
        progress.cell.redact(&self.redactor);
        progress.environment.redact(&self.redactor);
        // A cached result keeps the duration of the original run.
        if !progress.cell.cached {
            progress.cell.timing.seconds = timer.elapsed().as_secs_f64();
        }
        if let Some(key) = result_key {
            self.cache_result(&key, &progress);
        }
        cell_status::apply_expectation(&mut progress.cell, facility.expect.as_ref(), clock::today());
        let _ = self.events.send(Event::Finished {
            cell: Box::new(progress.cell.clone()),
            environment: progress.environment.clone().map(Box::new),
        });
        (progress.cell, progress.environment)
    }

    /// Uses a cached result or runs the cell. Returns the key under which the new result can be cached.
    async fn attempt(&self, facility: &Facility, progress: &mut Progress) -> Result<Option<ResultKey>, EngineError> {
        if self.in_place {
            return self.attempt_in_place(facility, progress).await.map(|()| None);
        }
        self.report_phase(facility, "opening image");
        let engine = self.engines.pick(facility).await?;
        progress.cell.engine = engine.name().to_owned();
        let may_hit_cache = !self.fresh && cache::is_cacheable(&self.config, facility);
        let identity = if may_hit_cache { engine.identify(&facility.image).await? } else { None };
        if identity.as_ref().is_some_and(|identity| self.use_cached_result(&*engine, facility, identity, progress)) {
            return Ok(None);
        }
        let opened = engine.open(&facility.image, self.cancel.clone()).await;
        for text in engine.take_notes() {
            let _ = self.events.send(Event::Note { text });
        }
        let mut image = opened?;
        if may_hit_cache && identity.is_none() && self.use_cached_result(&*engine, facility, &image.identity, progress)
        {
            return Ok(None);
        }
        progress.cell.image =
            (facility.image != Reference::Host).then(|| documented_identity(facility, &image.identity));

        if let Some(setup) = &self.config.test.setup {
            match self.set_up(&*engine, facility, &image, setup, progress).await? {
                Some(ready) => image = ready,
                None => return Ok(None),
            }
        }
        self.report_phase(facility, "tests");
        let completed = self.run(&*engine, facility, &image, Phase::Test, None).await?;
        // The engine measures from time to time, so another run may end before.
        let is_cacheable = completed.exceeded.is_none();
        self.apply_completed(facility, completed, progress);
        Ok(self.result_key(facility, &image.identity, &*engine).filter(|_| is_cacheable))
    }

    /// Returns the key of this cell's result, or `None` if the result can't be cached.
    fn result_key(&self, facility: &Facility, image: &ImageIdentity, engine: &dyn Engine) -> Option<ResultKey> {
        if !cache::is_cacheable(&self.config, facility) {
            return None;
        }
        let subject = TestSubject { config: &self.config, tests: &self.tests, tree: self.source.digest()? };
        ResultKey::new(InputKey::new(subject, facility)?, image, engine)
    }

    /// Takes over the cached result of the same cell, if there is one. A damaged entry is reported and ignored.
    fn use_cached_result(
        &self,
        engine: &dyn Engine,
        facility: &Facility,
        image: &ImageIdentity,
        progress: &mut Progress,
    ) -> bool {
        let Some(key) = self.result_key(facility, image, engine) else { return false };
        match self.store.get(&key) {
            Ok(Some(cached)) => {
                progress.cell.image = Some(documented_identity(facility, image));
                progress.environment = cached.apply_to(&mut progress.cell);
                true
            }
            Ok(None) => false,
            Err(error) => {
                let _ = self.events.send(Event::Note { text: chain(&error) });
                false
            }
        }
    }

    /// Caches the result. A failure to do so becomes a note.
    fn cache_result(&self, key: &ResultKey, progress: &Progress) {
        if self.cancel.is_cancelled() {
            return;
        }
        if let Err(error) = self.store.put(key, &progress.cell, progress.environment.as_ref()) {
            let text = format!("failed to cache the result of {}: {error}", progress.cell.id);
            let _ = self.events.send(Event::Note { text });
        }
    }

    /// Runs a cell in the current environment, on the caller's word that it is the facility's image.
    async fn attempt_in_place(&self, facility: &Facility, progress: &mut Progress) -> Result<(), EngineError> {
        let engine = self.engines.host().await?;
        progress.cell.engine = engine.name().to_owned();
        let opened = engine.open(&Reference::Host, self.cancel.clone()).await?;
        if facility.image != Reference::Host {
            let platform = opened.identity.platform.clone();
            let identity = ImageIdentity { reference: facility.written.clone(), platform, ..ImageIdentity::default() };
            progress.cell.image = Some(identity);
            progress.cell.not_enforced.push("image: not verified because carnet was started inside it".to_owned());
        }
        let phase = if self.config.test.setup.is_some() { Phase::Whole } else { Phase::Test };
        self.report_phase(facility, if phase == Phase::Whole { "setup and tests" } else { "tests" });
        let completed = self.run(&*engine, facility, &opened, phase, None).await?;
        self.apply_completed(facility, completed, progress);
        Ok(())
    }

    /// Returns the image after the setup, either cached or run now. Returns `None` if the setup failed.
    async fn set_up(
        &self,
        engine: &dyn Engine,
        facility: &Facility,
        image: &Opened,
        setup: &str,
        progress: &mut Progress,
    ) -> Result<Option<Opened>, EngineError> {
        self.input_dir(engine).await?;
        let key = self.setup_key(facility, setup);
        if !self.fresh
            && let Some(ready) = engine.saved_state(image, &key).await?
        {
            return Ok(Some(ready));
        }
        self.report_phase(facility, "setup");
        let completed = self.run(engine, facility, image, Phase::Setup, Some(key)).await?;
        let is_success = completed.end.is_success();
        if is_success && let Some(ready) = completed.saved_state {
            return Ok(Some(ready));
        }
        self.apply_completed(facility, completed, progress);
        let cell = &mut progress.cell;
        if is_success && cell.status != Status::Error {
            cell.status = Status::Error;
            cell.reason = Some("the setup succeeded, but its changes could not be saved".to_owned());
            let reason = cell.not_enforced.iter().find_map(|entry| entry.strip_prefix(part::KEPT)?.strip_prefix(": "));
            cell.hint = reason.map(|reason| format!("{reason}; remove `setup`, or use another engine"));
        }
        Ok(None)
    }

    /// Returns the key of a cached setup: everything it depends on, except the image.
    fn setup_key(&self, facility: &Facility, setup: &str) -> String {
        let contract = serde_json::to_string(&facility.contract).unwrap_or_default();
        // Values of variables only enter the digest.
        let passed = serde_json::to_string(&passed_env(facility)).unwrap_or_default();
        let tree = self.source.digest().map(Digest::as_str).unwrap_or_default();
        // States of the embedded engine with other attributes would have wrong content.
        let version = concat!(env!("CARGO_PKG_VERSION"), " ", "user-attributes");
        Digest::of([setup, &contract, &passed, tree, version].join("\0").as_bytes()).hex()[..32].to_owned()
    }

    async fn run(
        &self,
        engine: &dyn Engine,
        facility: &Facility,
        image: &Opened,
        phase: Phase,
        save_as: Option<String>,
    ) -> Result<Completed, EngineError> {
        let input_dir = self.input_dir(engine).await?;
        let mut job = self.job(facility, phase, input_dir.path(), save_as);
        let layout = engine.layout(image, &job);
        let plan = self.plan(facility, phase, &layout.input, &layout.scratch);
        let name = input_dir.write_plan(&job.id, &plan).map_err(|error| EngineError::Run {
            engine: engine.name(),
            doing: "writing the plan".to_owned(),
            source: Box::new(error),
        })?;
        let inside = |name: &str| format!("{}/{name}", layout.input);
        job.argv = vec![inside(PROGRAM), "cell".to_owned(), "--plan".to_owned(), inside(&name)];
        engine.run(image, &job, self.lines(facility), self.cancel.clone()).await
    }

    /// Returns the input directory, creating it for the first cell that runs.
    async fn input_dir(&self, engine: &dyn Engine) -> Result<&InputDir, EngineError> {
        self.source.input_dir().await.map_err(|error| EngineError::Run {
            engine: engine.name(),
            doing: "copying the analysis".to_owned(),
            source: error.message().into(),
        })
    }

    fn job(&self, facility: &Facility, phase: Phase, input: &Path, save_as: Option<String>) -> Job {
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
            result: Some(MAX_RESULT_BYTES),
            launcher: true,
            protected: self.protected.clone(),
            contract: facility.contract.clone(),
            env: passed_env(facility),
            network: matches!(phase, Phase::Setup | Phase::Whole) || test.network,
            timeout: Duration::from_secs(test.timeout.saturating_mul(commands).saturating_add(EXTRA_SECONDS)),
            output_cap: MAX_OUTPUT_BYTES as usize,
            save_as,
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
            result: plan::STDOUT.to_owned(),
            prelude: facility.contract.prelude.clone(),
            setup: self.config.test.setup.clone(),
            tests: self.tests.clone(),
            timeout: self.config.test.timeout,
            retries: self.config.test.retries,
            network: self.config.test.network,
            cut_network: phase == Phase::Whole,
            outputs: self.config.outputs.clone(),
            inputs: self.config.inputs.clone(),
            output_cap: MAX_OUTPUT_BYTES,
            allow_env: Vec::new(),
            own_env: BTreeMap::new(),
        }
    }

    /// Adds the outcome of a job to the cell. A missing or invalid result is an infrastructure error.
    fn apply_completed(&self, facility: &Facility, completed: Completed, progress: &mut Progress) {
        let cell = &mut progress.cell;
        cell.not_enforced.extend(completed.not_enforced.clone());
        if let Some(limit) = completed.exceeded {
            cell.status = Status::Failed;
            cell.reason = Some(format!("killed: {limit} exceeded"));
            cell.hint = Some("write less, or increase the facility's `disk`".to_owned());
            return;
        }
        match cell_result::read(&completed, &facility.cell()) {
            Ok(mut result) => {
                progress.environment = result.environment.take();
                if completed.end == (End::OutOfMemory {}) {
                    cell_status::mark_out_of_memory(&mut result);
                }
                cell_status::apply_result(cell, result);
            }
            Err(error) => {
                cell.status = Status::Error;
                cell.reason = Some(error.to_string());
                cell.hint = cell_result::hint(&completed).map(str::to_owned);
            }
        }
    }

    fn report_phase(&self, facility: &Facility, phase: &str) {
        let _ = self.events.send(Event::PhaseStarted { cell: facility.cell(), phase: phase.to_owned() });
    }

    /// Returns a channel that forwards output lines of this cell as events, without secrets.
    fn lines(&self, facility: &Facility) -> Lines {
        let (sender, mut receiver) = mpsc::unbounded_channel::<String>();
        let (events, cell) = (self.events.clone(), facility.cell());
        let redactor = Arc::clone(&self.redactor);
        tokio::spawn(async move {
            while let Some(mut line) = receiver.recv().await {
                line.redact(&redactor);
                let _ = events.send(Event::Line { cell: cell.clone(), line });
            }
        });
        sender
    }
}

/// Returns the image identity as documents show it.
fn documented_identity(facility: &Facility, identity: &ImageIdentity) -> ImageIdentity {
    let mut documented = identity.clone();
    // The reference as written in the configuration: a path of this machine has no meaning elsewhere.
    documented.reference.clone_from(&facility.written);
    redact::redact_env(&mut documented.config.env);
    documented
}

#[cfg(test)]
mod tests {
    use super::documented_identity;
    use crate::check::plan::this_machine;
    use crate::model::image::{ImageConfig, ImageIdentity};

    #[test]
    fn documents_contain_no_secret_of_an_image() {
        let pairs = [("LANG", "C.UTF-8"), ("PYPI_TOKEN", "hunter2hunter2")];
        let env = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let identity =
            ImageIdentity { config: ImageConfig { env, ..ImageConfig::default() }, ..ImageIdentity::default() };
        let env = documented_identity(&this_machine(), &identity).config.env;
        assert_eq!((env["LANG"].as_str(), env["PYPI_TOKEN"].as_str()), ("C.UTF-8", "[redacted]"));
    }
}
