//! The static scan: reads every file once, in parallel, and converts the diagnostics of rules to findings.
//!
//! It executes nothing of the repository and requires neither an engine nor the network.

pub mod acceptance;
pub mod apply_fixes;
mod file;
mod finding;
pub mod fixes;
mod grouping;
mod lines;
pub mod rules;
mod subject;
pub mod suppress;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::config::Config;
use crate::config::scan::{Named, Scan as ScanConfig};
use crate::error::Error;
use crate::facility::{Catalogue, Facility};
use crate::model::finding::Finding;
use crate::model::redact::Redact as _;
use crate::model::scan::{FileCounts, Note, RuleInfo, SCHEMA, Scan, ScanTiming};
use crate::scan::rules::context::{RepositoryInput, RuleContext};
use crate::scan::rules::{Check, Rule};
use crate::scan::suppress::Directives;
use crate::source::SourceError;
use crate::source::lang::matcher::Matcher;
use crate::source::manifest::image::digest::Digests;
use crate::sys::{clock, secret};
use acceptance::{LoadedBaseline, apply_acceptance};
use file::{Examined, Worker};
use tree::Snapshot;

pub use subject::subject;

/// Options of a scan.
#[derive(Debug, Clone)]
pub struct Options {
    /// Top of the analysis.
    pub top: PathBuf,
    /// Name of the analysis.
    pub name: Option<String>,
    /// Commits whose changes are scanned, as `A..B`; `None` for the working tree.
    pub changed: Option<String>,
    /// Ids of the facilities that findings are reported for; empty for all.
    pub facilities: Vec<String>,
    /// Ids of the rules that run; empty for all.
    pub select: Vec<String>,
    /// Whether the configuration names the tests.
    pub tested: bool,
    /// Globs of paths that are not scanned.
    pub exclude: Vec<String>,
    /// Number of threads, at least one.
    pub jobs: usize,
}

impl Options {
    /// Creates the options for the whole working tree from the configuration.
    pub fn new(top: PathBuf, config: &Config) -> Self {
        let names = |named: &[Named]| named.iter().map(|named| named.name.clone()).collect();
        Self {
            top,
            name: config.name.clone(),
            changed: None,
            facilities: names(&config.scan.facilities),
            select: names(&config.scan.select),
            tested: !config.test.run.is_empty(),
            exclude: config.scan.exclude.clone(),
            jobs: std::thread::available_parallelism().map_or(2, |n| n.get().min(8)),
        }
    }
}

/// A scan with the files that it read.
#[derive(Debug)]
pub struct ScanRun {
    /// The findings; accepted ones are marked.
    pub scan: Scan,
    /// The scanned files: all files, or those that a range of commits changes.
    pub files: Vec<String>,
}

/// Scans an analysis and marks accepted findings. The baseline itself is not scanned, because it quotes the findings.
///
/// # Errors
/// If the top is not a directory or the range of commits does not exist. Files that cannot be read become notes.
pub fn run(mut options: Options, config: &ScanConfig, baseline: &LoadedBaseline) -> Result<ScanRun, SourceError> {
    options.exclude.push(globset::escape(&baseline.path));
    let mut scanned = collect(&options)?;
    let files = std::mem::take(&mut scanned.files);
    let mut scan = apply_acceptance(scanned, options.changed.is_some(), config, baseline);
    scan.redact(secret::redactor());
    Ok(ScanRun { scan, files })
}

/// Scans the whole working tree, with the baseline from the configuration or from the default file.
///
/// # Errors
/// See [`run`]; also if the baseline cannot be read.
pub fn run_configured(options: Options, config: &Config) -> Result<Scan, Error> {
    let baseline = LoadedBaseline::read(None, &options.top, &config.scan)?;
    Ok(run(options, &config.scan, &baseline)?.scan)
}

/// Collects the findings, without suppressing any.
fn collect(options: &Options) -> Result<Scanned, SourceError> {
    let (timer, started) = (Instant::now(), clock::now());
    let mut snapshot = Snapshot::read(options)?;
    let rules: Vec<&'static Rule> = rules::all().filter(|rule| is_selected(rule, &options.select)).collect();
    let catalogue = Catalogue::builtin();
    let (inventory, digests) = (snapshot.inventory(), Digests::read(&snapshot));
    let paths = std::mem::take(&mut snapshot.paths);
    let mut context = RuleContext::new(catalogue, targets(catalogue, &options.facilities), paths, inventory);
    (context.tested, context.digests) = (options.tested, digests);
    let mut notes = std::mem::take(&mut snapshot.notes);
    let (mut findings, mut counts) = (Vec::new(), FileCounts { skipped: snapshot.skipped, ..FileCounts::default() });
    let (mut imports, mut directives) = (Vec::new(), Directives::new());
    let (mut references, mut mentions, mut names) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let matcher = Matcher::new(catalogue.roots());
    let large_file = Mutex::new(());
    let examined = examine(
        &snapshot,
        &Shared { rules: &rules, context: &context, matcher: &matcher, large_file: &large_file },
        options.jobs,
    );
    for (path, file) in examined {
        findings.extend(file.findings);
        counts.scanned += u64::from(!file.is_skipped);
        counts.skipped += u64::from(file.is_skipped);
        counts.bytes += file.bytes;
        imports.extend(file.imports.into_iter().map(|(line, import)| (path.clone(), line, import)));
        references.extend(file.references.into_iter().map(|(line, reference)| (path.clone(), line, reference)));
        names.extend(file.names.map(|names| (path.clone(), names)));
        for name in file.mentions {
            *mentions.entry(name).or_insert(0) += 1;
        }
        notes.extend(file.notes.into_iter().map(|message| Note { path: path.clone(), message }));
        if !file.directives.is_empty() {
            directives.insert(path, file.directives);
        }
    }
    let repository = RepositoryInput {
        context: &context,
        links: snapshot.links.clone(),
        imports,
        names,
        references,
        mentions,
        submodules: snapshot.submodules(),
    };
    for rule in &rules {
        if let Check::Repository(check) = rule.check {
            let mut diagnostics = Vec::new();
            check(&repository, &mut diagnostics);
            let mut own: Vec<_> =
                diagnostics.into_iter().map(|diagnostic| finding::from_repository(rule, diagnostic)).collect();
            sort(&mut own);
            notes.extend(finding::limit(&mut own));
            snapshot.locate(&mut own);
            findings.append(&mut own);
        }
    }
    finding::set_fingerprints(&mut findings);
    notes.sort_unstable();
    notes.dedup();
    let scan = Scan {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        analysis: subject(&options.top, options.name.as_deref(), snapshot.commit.as_deref()),
        facilities: context.targets.iter().map(|facility| facility.id.clone()).collect(),
        rules: rules.iter().map(|rule| info(rule)).collect(),
        findings,
        notes,
        inventory: context.inventory,
        files: counts,
        timing: ScanTiming {
            started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            milliseconds: u64::try_from(timer.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
    };
    Ok(Scanned { scan, directives, files: snapshot.files })
}

/// A scan without suppressed findings.
#[derive(Debug)]
struct Scanned {
    scan: Scan,
    /// Comments that suppress findings.
    directives: Directives,
    /// The scanned files.
    files: Vec<String>,
}

fn is_selected(rule: &Rule, select: &[String]) -> bool {
    select.is_empty() || select.iter().any(|id| id == rule.id)
}

/// Returns the entry of a rule in documents.
pub fn info(rule: &Rule) -> RuleInfo {
    RuleInfo {
        id: rule.id.to_owned(),
        severity: rule.severity,
        confidence: rule.confidence,
        summary: rule.summary.to_owned(),
        page: rule.page.to_owned(),
    }
}

/// Returns the facilities with these ids, or all if there are none.
fn targets<'a>(catalogue: &'a Catalogue, ids: &[String]) -> Vec<&'a Facility> {
    let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    catalogue.facilities.iter().filter(|facility| ids.is_empty() || ids.contains(facility.id.as_str())).collect()
}

/// Data that all workers share.
#[derive(Clone, Copy)]
struct Shared<'a> {
    rules: &'a [&'static Rule],
    context: &'a RuleContext<'a>,
    matcher: &'a Matcher,
    /// Locked while a large program is parsed.
    large_file: &'a Mutex<()>,
}

/// Scans every file. Returns the results sorted by path.
fn examine(snapshot: &Snapshot, shared: &Shared<'_>, jobs: usize) -> Vec<(String, Examined)> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1).min(snapshot.files.len()) {
            scope.spawn(|| {
                let mut worker = Worker::new(*shared);
                let mut own = Vec::new();
                while let Some(path) = snapshot.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    own.push((path.clone(), worker.examine(path, snapshot)));
                }
                done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).append(&mut own);
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    done
}

/// Sorts findings in the order of reports.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| (&a.path, a.span, &a.rule, &a.message).cmp(&(&b.path, b.span, &b.rule, &b.message)));
}
