//! Runs a check: schedules the cells and builds the document.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::analysis;
use super::cache::{self, ResultStore};
use super::cell_status;
use super::engine_select::Engines;
use super::error::CheckError;
use super::event::Event;
use super::execute::Run;
use super::options::Options;
use super::plan;
use super::redact;
use super::source_tree::SourceTree;
use super::static_scan::scan_analysis;
use crate::config::Facility;
use crate::diff::document::compare;
use crate::error::Error;
use crate::model::digest::Digest;
use crate::model::document::{self, Cell, Document, Timing};
use crate::model::environment::Environment;
use crate::model::redact::Redact as _;
use crate::source::git::tree::Listing;
use crate::sys::cache::Cache;
use crate::sys::clock;

type CellOutcome = (Cell, Option<Environment>);

/// Runs every selected cell and returns the document. If `cancel` ends the check early, the document contains the
/// partial result.
///
/// # Errors
/// If no cell can run: the analysis has no tests, a selected cell does not exist, or the repository can't be read.
/// Errors of a single cell are part of the document.
pub async fn check(
    options: &Options,
    events: UnboundedSender<Event>,
    cancel: CancellationToken,
) -> Result<Document, Error> {
    let (started, timer) = (clock::now(), Instant::now());
    let facilities = options.selected_facilities()?;
    let listing = Listing::read(&options.top, options.config.test.git)?;
    let tests = plan::tests(&options.config, &listing);
    if tests.is_empty() {
        return Err(CheckError::NoTests { top: options.top.clone() }.into());
    }
    let scan = if options.scan { scan_analysis(options).await? } else { None };
    let store = ResultStore::new(&Cache::from_env()?);
    let may_hit_cache = !options.fresh
        && !store.is_empty()
        && facilities.iter().any(|facility| cache::is_cacheable(&options.config, facility));
    let source = if may_hit_cache { SourceTree::deferred(listing)? } else { SourceTree::copied(listing)? };
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
        redactor: Arc::clone(&redactor),
        events,
        cancel: cancel.clone(),
    });
    let outcomes = run_all(&run, facilities, options.jobs).await;

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
    let tree = run.source.tree().cloned().ok_or(CheckError::Panicked)?;
    let mut document = Document {
        schema: document::SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        diffs: Vec::new(),
        analysis: analysis::describe(options, run.source.listing(), tree),
        reference: options.config.reference.clone(),
        cells,
        environments,
        scan,
        interrupted: cancel.is_cancelled(),
        timing: Timing {
            started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            seconds: timer.elapsed().as_secs_f64(),
        },
    };
    compare(&mut document);
    document.redact(&redactor);
    Ok(document)
}

/// Runs all cells. If files changed after the cache lookup, re-runs the cells with cached results, because a document
/// describes a single tree.
async fn run_all(run: &Arc<Run>, facilities: Vec<Facility>, jobs: usize) -> Vec<CellOutcome> {
    let mut outcomes = schedule(run, facilities.clone(), jobs).await;
    if run.source.has_changed() {
        let stale: Vec<usize> = (0..outcomes.len()).filter(|index| outcomes[*index].0.cached).collect();
        let stale_facilities = stale.iter().filter_map(|index| facilities.get(*index).cloned()).collect();
        for (index, outcome) in stale.iter().zip(schedule(run, stale_facilities, jobs).await) {
            outcomes[*index] = outcome;
        }
    }
    // The store grows only if a cell ran.
    if outcomes.iter().any(|(cell, _)| !cell.cached) {
        let store = run.store.clone();
        let _ = tokio::task::spawn_blocking(move || store.evict()).await;
    }
    outcomes
}

/// Runs cells, at most `jobs` at a time. Starts them and returns their outcomes in the given order.
async fn schedule(run: &Arc<Run>, facilities: Vec<Facility>, jobs: usize) -> Vec<CellOutcome> {
    let slots = Arc::new(Semaphore::new(jobs.max(1)));
    let mut tasks = Vec::new();
    for facility in facilities {
        // Acquired here and not in the task, because tasks start in any order.
        let slot = Arc::clone(&slots).acquire_owned().await;
        let (run, task_facility) = (Arc::clone(run), facility.clone());
        let task = tokio::spawn(async move {
            let _slot = slot;
            run.cell(&task_facility).await
        });
        tasks.push((facility, task));
    }
    let mut outcomes = Vec::new();
    for (facility, task) in tasks {
        let outcome = task.await;
        outcomes.push(outcome.unwrap_or_else(|error| {
            let reason = format!("the cell was aborted by a bug in carnet: {error}");
            (cell_status::not_run(&facility, &reason), None)
        }));
    }
    outcomes
}
