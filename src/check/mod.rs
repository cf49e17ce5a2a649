//! One check: from a configuration to a document. Emits events and never prints.

pub(crate) mod cache;
pub mod cleanup;
pub mod configuration;
pub mod engine_select;
pub mod event;
mod execute;
pub mod matrix;
pub mod plan;
mod secret;
pub mod snapshot;
mod source_tree;
pub mod stage;
pub(crate) mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Facility};
use crate::diff::document::compare;
use crate::error::{Error, Failure, Kind};
use crate::model::digest::Digest;
use crate::model::document::{self, Analysis, Cell, Document, Timing};
use crate::model::environment::Environment;
use crate::model::scan::Scan;
use crate::model::tree::Tree;
use crate::scan;
use crate::source::git::repository;
use crate::source::git::tree::Listing;
use crate::source::manifest;
use crate::source::manifest::imports;
use crate::sys::cache::Cache;
use cache::Store;
use engine_select::Engines;
use event::Event;
use source_tree::SourceTree;

/// What is to be checked, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Top of the analysis.
    pub top: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Cells to run, by name or facility id; empty means all.
    pub only: BTreeSet<String>,
    /// Engine that runs every cell that names none.
    pub engine: Option<String>,
    /// Cells that run at the same time.
    pub jobs: usize,
    /// Use no state and no result kept by earlier runs.
    pub fresh: bool,
    /// Run the cells where we stand, which is inside of their image already.
    pub in_place: bool,
    /// Make the static audit too.
    pub audit: bool,
}

impl Options {
    /// All cells of an analysis, the audit too, as many at a time as there are processors, at most four.
    pub fn new(top: PathBuf, config: Config) -> Self {
        Self {
            top,
            config,
            only: BTreeSet::new(),
            engine: None,
            jobs: std::thread::available_parallelism().map_or(2, |n| n.get().min(4)),
            fresh: false,
            in_place: false,
            audit: true,
        }
    }
}

/// What a check fails with before any cell runs.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No cell has the name asked for.
    #[error("no cell `{name}`: there are {known}")]
    NoCell {
        /// The name.
        name: String,
        /// The cells there are.
        known: String,
    },
    /// Nothing declared and nothing detected.
    #[error("no tests found in {}", top.display())]
    NoTests {
        /// Top of the analysis.
        top: PathBuf,
    },
    /// The own program can't be handed to images.
    #[error("this carnet can't be started inside images: {reason}")]
    NotStatic {
        /// Why.
        reason: String,
    },
    /// A thread of ours died.
    #[error("a bug of carnet ended it")]
    Ended,
}

impl Failure for RunError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoCell { .. } => Kind::Usage,
            Self::NoTests { .. } => Kind::Nothing,
            Self::NotStatic { .. } => Kind::Infrastructure,
            Self::Ended => Kind::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoCell { .. } | Self::Ended => None,
            Self::NoTests { .. } => Some("say how it is tested: run = \"...\" under [test] in carnet.toml".to_owned()),
            Self::NotStatic { .. } => {
                Some("use a released binary, or build with the project's own settings".to_owned())
            }
        }
    }
}

/// Runs every cell and gives back what was learned, also when `cancel` ends it early.
///
/// # Errors
/// When nothing could be run at all: no tests, an unknown cell, a repository that can't be read. What goes wrong in a
/// cell is part of the document.
pub async fn check(
    options: &Options,
    events: UnboundedSender<Event>,
    cancel: CancellationToken,
) -> Result<Document, Error> {
    let (started, clock) = (jiff::Timestamp::now(), Instant::now());
    let facilities = selected(options)?;
    let listing = Listing::read(&options.top, options.config.test.git)?;
    let tests = plan::tests(&options.config, &listing);
    if tests.is_empty() {
        return Err(RunError::NoTests { top: options.top.clone() }.into());
    }
    let scan = if options.audit { audit(options).await? } else { None };
    let results = Store::of(&Cache::from_env()?);
    let is_asked = !options.fresh && !results.is_empty();
    let is_known = is_asked && facilities.iter().any(|facility| cache::is_pure(&options.config, facility));
    let material = if is_known { SourceTree::look(listing)? } else { SourceTree::copy(listing)? };
    let _ = events.send(Event::Planned {
        cells: facilities.iter().map(Facility::cell).collect(),
        tests: tests.iter().map(|test| test.run.clone()).collect(),
    });

    let run = Arc::new(execute::Run {
        config: options.config.clone(),
        tests,
        material,
        results,
        engines: Engines::new(options.engine.clone())?,
        fresh: options.fresh,
        in_place: options.in_place,
        events,
        cancel: cancel.clone(),
    });
    let results = run_all(&run, facilities, options.jobs).await;

    let mut environments = BTreeMap::new();
    let mut cells = Vec::new();
    for (mut cell, environment) in results {
        if let Some(environment) = environment {
            let digest = environment.digest().unwrap_or_else(|_| Digest::of(cell.id.as_bytes()));
            cell.environment = Some(digest.clone());
            environments.insert(digest, environment);
        }
        cells.push(cell);
    }
    let tree = run.material.tree().cloned().ok_or(RunError::Ended)?;
    let mut document = Document {
        schema: document::SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        diffs: Vec::new(),
        analysis: analysis(options, run.material.listing(), tree),
        reference: options.config.reference.clone(),
        cells,
        environments,
        scan,
        interrupted: cancel.is_cancelled(),
        timing: Timing {
            started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            seconds: clock.elapsed().as_secs_f64(),
        },
    };
    compare(&mut document);
    Ok(document)
}

/// The static audit of what is checked; none when a bug of ours ended it, which must not end the check.
///
/// # Errors
/// When the analysis or what is accepted in it can't be read.
pub async fn audit(options: &Options) -> Result<Option<Scan>, Error> {
    let config = options.config.clone();
    let asked = scan::Options { jobs: options.jobs, ..scan::Options::new(options.top.clone(), &config) };
    let Ok(done) = tokio::task::spawn_blocking(move || scan::run_configured(asked, &config)).await else {
        return Ok(None);
    };
    let mut scan = done?;
    // `carnet rules` has the pages; a document is about an analysis.
    scan.rules.iter_mut().for_each(|rule| rule.page.clear());
    Ok(Some(scan))
}

/// The cells to run, in the order of the configuration; this machine when it names none.
fn selected(options: &Options) -> Result<Vec<Facility>, RunError> {
    let mut all = options.config.facilities.clone();
    if all.is_empty() {
        all.push(plan::this_machine());
    }
    for name in &options.only {
        if !all.iter().any(|facility| facility.cell() == *name || facility.id == *name) {
            let known: Vec<String> = all.iter().map(Facility::cell).collect();
            return Err(RunError::NoCell { name: name.clone(), known: known.join(", ") });
        }
    }
    let wanted =
        |f: &Facility| options.only.is_empty() || options.only.contains(&f.id) || options.only.contains(&f.cell());
    all.retain(wanted);
    Ok(all)
}

fn analysis(options: &Options, listing: &Listing, tree: Tree) -> Analysis {
    let facts = repository::facts(&options.top);
    let directory = options.top.file_name().map(|name| name.to_string_lossy().into_owned());
    Analysis {
        name: options.config.name.clone().or(directory).unwrap_or_else(|| "analysis".to_owned()),
        directory: repository::below(&options.top),
        commit: facts.commit,
        dirty: facts.dirty,
        remote: facts.remote,
        tree,
        imports: plan::look(listing, imports::modules),
        locks: manifest::files(listing),
    }
}

/// Runs all cells. When files changed after results of earlier runs were looked up for them, those cells run too: a document is
/// of one tree.
async fn run_all(run: &Arc<execute::Run>, facilities: Vec<Facility>, jobs: usize) -> Vec<(Cell, Option<Environment>)> {
    let mut results = schedule(run, facilities.clone(), jobs).await;
    if run.material.has_moved() {
        let stale: Vec<usize> = (0..results.len()).filter(|at| results[*at].0.cached).collect();
        let again = stale.iter().filter_map(|at| facilities.get(*at).cloned()).collect();
        for (at, result) in stale.iter().zip(schedule(run, again, jobs).await) {
            results[*at] = result;
        }
    }
    // Only when something was added is there anything to bound.
    if results.iter().any(|(cell, _)| !cell.cached) {
        let store = run.results.clone();
        let _ = tokio::task::spawn_blocking(move || store.bound()).await;
    }
    results
}

/// Runs all cells, `jobs` at a time, begun in their order, and gives them back in it.
async fn schedule(run: &Arc<execute::Run>, facilities: Vec<Facility>, jobs: usize) -> Vec<(Cell, Option<Environment>)> {
    let slots = Arc::new(Semaphore::new(jobs.max(1)));
    let mut tasks = Vec::new();
    for facility in facilities {
        // Taken here and not in the task: tasks come to their first line in any order.
        let slot = Arc::clone(&slots).acquire_owned().await;
        let (run, copy) = (Arc::clone(run), facility.clone());
        let task = tokio::spawn(async move {
            let _slot = slot;
            run.cell(&facility).await
        });
        tasks.push((copy, task));
    }
    let mut results = Vec::new();
    for (facility, task) in tasks {
        let result = task.await;
        results.push(result.unwrap_or_else(|error| {
            let reason = format!("a bug of carnet ended it: {error}");
            (verdict::not_run(&facility, &reason), None)
        }));
    }
    results
}
