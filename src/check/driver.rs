//! Runs a check: schedules the cells and builds the document.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;

use super::analysis;
use super::cache::{self, ResultStore};
use super::cell_status;
use super::cleanup;
use super::engine_select::Engines;
use super::error::CheckError;
use super::event::Event;
use super::execute::Run;
use super::interruption::Interruption;
use super::options::Options;
use super::plan;
use super::redact;
use super::source_tree::SourceTree;
use super::static_scan::scan_analysis;
use crate::config::Facility;
use crate::diff::document::compare;
use crate::error::Error;
use crate::model::digest::Digest;
use crate::model::document::{self, Analysis, Cell, Document, Status, Timing};
use crate::model::engine::EngineKind;
use crate::model::environment::Environment;
use crate::model::plan::TestCommand;
use crate::model::redact::Redact as _;
use crate::source::git::tree::Listing;
use crate::sys::cache::Cache;
use crate::sys::{clock, environment, file};

type CellOutcome = (Cell, Option<Environment>);

/// Returns the directories that tests on this machine must not change: the cache and the repository of the analysis. A
/// repository that contains the home is not protected, because programs write there.
fn protected(top: &Path, cache: &Cache) -> Vec<PathBuf> {
    let top = std::path::absolute(top).unwrap_or_else(|_| top.to_owned());
    let repository = top.ancestors().find(|dir| dir.join(".git").exists());
    let home = environment::non_empty_os("HOME").map(PathBuf::from);
    let has_no_home = |dir: &&Path| !home.as_ref().is_some_and(|home| home.starts_with(dir));
    let checkout = repository.into_iter().chain([&*top]).find(has_no_home);
    let mut dirs: Vec<_> = checkout.into_iter().chain([cache.dir()]).map(Path::to_owned).collect();
    dirs.extend(repository.and_then(shared_git_dir));
    dirs
}

/// Returns the git directory that a worktree shares with its repository; see gitrepository-layout(5).
fn shared_git_dir(worktree: &Path) -> Option<PathBuf> {
    const MAX_BYTES: u64 = 1 << 16;
    let read = |path: PathBuf| String::from_utf8(file::read(&path, MAX_BYTES).ok()?).ok();
    let link = read(worktree.join(".git"))?;
    let git_dir = worktree.join(link.trim().strip_prefix("gitdir: ")?);
    let common = read(git_dir.join("commondir")).map(|common| git_dir.join(common.trim()));
    common.unwrap_or(git_dir).canonicalize().ok()
}

/// Runs every selected cell and returns the document. If the check is interrupted, the document contains the partial
/// result.
///
/// # Errors
/// If no cell can run: the analysis has no tests, a selected cell does not exist, the repository can't be read, or the
/// check is abandoned before. Errors of a single cell are part of the document.
pub async fn check(
    options: &Options,
    events: UnboundedSender<Event>,
    interruption: Interruption,
) -> Result<Document, Error> {
    let (started, timer) = (clock::now(), Instant::now());
    let facilities = options.selected_facilities()?;
    let (listing, tests) = interruption.blocking(reading(options)).await?;
    let scan = match options.scan {
        true => interruption.unless_abandoned(scan_analysis(options)).await.ok_or(CheckError::Abandoned)??,
        false => None,
    };
    let cache = Cache::from_env()?;
    let store = ResultStore::new(&cache);
    let (runtime, swept_cache) = (Handle::current(), cache.clone());
    let sweep = move || Ok(runtime.block_on(cleanup::sweep(&swept_cache)));
    report_removed(interruption.blocking(sweep).await?, &events);
    let is_cacheable = facilities.iter().any(|facility| cache::is_cacheable(&options.config, facility));
    let (source, mut analysis) = interruption.blocking(preparing(options, listing, &store, is_cacheable)).await?;
    let _ = events.send(Event::Planned {
        cells: facilities.iter().map(Facility::cell).collect(),
        tests: tests.iter().map(|test| test.run.clone()).collect(),
    });

    let redactor = Arc::new(redact::redactor(&facilities));
    let run = Arc::new(Run {
        config: options.config.clone(),
        tests,
        source,
        store,
        engines: Engines::new(options.engine.clone())?,
        fresh: options.fresh,
        in_place: options.in_place,
        protected: protected(&options.top, &cache),
        redactor: Arc::clone(&redactor),
        events,
        cancel: interruption.cancel.clone(),
    });
    let outcomes = run_all(&run, facilities, options.jobs, &interruption).await;
    let used_docker = |(cell, _): &CellOutcome| !cell.cached && cell.engine == EngineKind::Docker.name();
    if outcomes.iter().any(used_docker) {
        let removed = interruption.unless_abandoned(cleanup::sweep_docker(&cache)).await;
        report_removed(removed.unwrap_or_default(), &run.events);
    }

    let mut environments = BTreeMap::new();
    let mut cells = Vec::new();
    for (mut cell, environment) in outcomes {
        if let Some(environment) = environment {
            let digest = environment.digest().unwrap_or_else(|_| Digest::of(cell.id.as_bytes()));
            cell.environment = Some(digest.clone());
            environments.insert(digest, environment);
        }
        cells.push(cell);
    }
    analysis.tree = run.source.tree().cloned().ok_or(CheckError::Panicked)?;
    let mut document = Document {
        schema: document::SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        diffs: Vec::new(),
        analysis,
        reference: options.config.reference.clone(),
        cells,
        environments,
        scan,
        interrupted: interruption.cancel.is_cancelled(),
        timing: Timing {
            started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            seconds: timer.elapsed().as_secs_f64(),
        },
    };
    compare(&mut document);
    document.redact(&redactor);
    Ok(document)
}

/// Reports removed leftovers of killed runs.
fn report_removed(lines: Vec<String>, events: &UnboundedSender<Event>) {
    for text in lines {
        let _ = events.send(Event::Note { text });
    }
}

/// Returns a call that lists the files of the analysis and finds its tests.
fn reading(options: &Options) -> impl FnOnce() -> Result<(Listing, Vec<TestCommand>), Error> + use<> {
    let (top, config) = (options.top.clone(), options.config.clone());
    move || {
        let listing = Listing::read(&top, config.test.git)?;
        let tests = plan::tests(&config, &listing);
        if tests.is_empty() { Err(CheckError::NoTests { top }.into()) } else { Ok((listing, tests)) }
    }
}

/// Returns a call that copies the files of the analysis, or only computes their digest if results may be cached, and
/// describes the analysis.
fn preparing(
    options: &Options,
    listing: Listing,
    store: &ResultStore,
    is_cacheable: bool,
) -> impl FnOnce() -> Result<(SourceTree, Analysis), Error> + use<> {
    let (options, store) = (options.clone(), store.clone());
    move || {
        let may_hit_cache = !options.fresh && is_cacheable && !store.is_empty();
        let source = if may_hit_cache { SourceTree::deferred(listing)? } else { SourceTree::copied(listing)? };
        let tree = source.tree().cloned().ok_or(CheckError::Panicked)?;
        let analysis = analysis::describe(&options, source.listing(), tree);
        Ok((source, analysis))
    }
}

/// Runs all cells. If files changed after the cache lookup, re-runs the cells with cached results, because a document
/// describes a single tree.
async fn run_all(
    run: &Arc<Run>,
    facilities: Vec<Facility>,
    jobs: usize,
    interruption: &Interruption,
) -> Vec<CellOutcome> {
    let mut outcomes = schedule(run, facilities.clone(), jobs, interruption).await;
    if run.source.has_changed() {
        let stale: Vec<usize> = (0..outcomes.len()).filter(|index| outcomes[*index].0.cached).collect();
        let stale_facilities = stale.iter().filter_map(|index| facilities.get(*index).cloned()).collect();
        for (index, outcome) in stale.iter().zip(schedule(run, stale_facilities, jobs, interruption).await) {
            outcomes[*index] = outcome;
        }
    }
    // The store grows only if a cell ran.
    if outcomes.iter().any(|(cell, _)| !cell.cached) {
        let store = run.store.clone();
        let evicted = tokio::task::spawn_blocking(move || store.evict());
        let _ = interruption.unless_abandoned(evicted).await;
    }
    outcomes
}

/// Runs cells, at most `jobs` at a time. Starts them and returns their outcomes in the given order.
async fn schedule(
    run: &Arc<Run>,
    facilities: Vec<Facility>,
    jobs: usize,
    interruption: &Interruption,
) -> Vec<CellOutcome> {
    let slots = Arc::new(Semaphore::new(jobs.max(1)));
    let mut tasks = Vec::new();
    for facility in facilities {
        // Acquired here and not in the task, because tasks start in any order.
        let slot = interruption.unless_abandoned(Arc::clone(&slots).acquire_owned()).await;
        let (run, task_facility) = (Arc::clone(run), facility.clone());
        let task = slot.map(|slot| {
            tokio::spawn(async move {
                let _slot = slot;
                run.cell(&task_facility).await
            })
        });
        tasks.push((facility, task));
    }
    let mut outcomes = Vec::new();
    for (facility, task) in tasks {
        let Some(mut task) = task else {
            outcomes.push(abandoned(run, &facility, "interrupted before it started"));
            continue;
        };
        let Some(outcome) = interruption.unless_abandoned(&mut task).await else {
            task.abort();
            outcomes.push(abandoned(run, &facility, "interrupted: it did not stop"));
            continue;
        };
        outcomes.push(outcome.unwrap_or_else(|error| {
            let reason = format!("the cell was aborted by a bug in carnet: {error}");
            (cell_status::not_run(&facility, &reason), None)
        }));
    }
    outcomes
}

/// Returns the outcome of a cell that has no result when the check is abandoned.
fn abandoned(run: &Run, facility: &Facility, reason: &str) -> CellOutcome {
    let cell = Cell { status: Status::Skipped, ..cell_status::not_run(facility, reason) };
    let _ = run.events.send(Event::Finished { cell: Box::new(cell.clone()), environment: None });
    (cell, None)
}
