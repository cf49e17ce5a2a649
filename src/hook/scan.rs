//! Scans the commits of a push.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;

use crate::check::cache;
use crate::check::cache::{InputKey, ResultStore, TestSubject};
use crate::check::{cell_status, configuration, plan};
use crate::config::{self, Config, ConfigError};
use crate::model::document::{Cell, Status};
use crate::model::finding::{Finding, Severity};
use crate::scan;
use crate::scan::ScanRun;
use crate::scan::acceptance::{BaselineFileError, LoadedBaseline};
use crate::source::FileSet as _;
use crate::source::SourceError;
use crate::source::git::command::Git;
use crate::source::git::commit::Commit;
use crate::source::git::push::{NewCommits, Remote, Update};
use crate::sys::cache::Cache;
use crate::sys::clock;

/// Maximum size in bytes of a configuration that is read from a commit.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// Maximum size in bytes of a baseline that is read from a commit.
const MAX_BASELINE_BYTES: u64 = 16 << 20;
/// Maximum number of merged commits of the remote that are compared.
const MAX_MERGED_COMMITS: usize = 8;

/// A push that is about to happen.
#[derive(Debug, Clone)]
pub struct Push {
    /// Top of the analysis in the working tree. Its files are not read.
    pub top: PathBuf,
    /// Name or address of the remote.
    pub remote: String,
    /// The pushed refs.
    pub updates: Vec<Update>,
    /// Number of threads.
    pub jobs: usize,
    /// Time after which optional work is skipped.
    pub deadline: Instant,
}

/// The scan of a push.
#[derive(Debug, Default)]
pub struct PushScan {
    /// The pushed commits, without duplicates.
    pub commits: Vec<PushedCommit>,
    /// Errors and warnings in the changed files, worst first, without duplicates.
    pub findings: Vec<Finding>,
    /// Number of scanned files.
    pub files: u64,
}

/// A pushed commit.
#[derive(Debug)]
pub struct PushedCommit {
    /// Names of the updated refs in the remote.
    pub refs: Vec<String>,
    /// Id of the commit.
    pub id: String,
    /// The commit of the remote that it is compared with, or `None` if the remote has no ancestor of it.
    pub base: Option<String>,
    /// Other commits of the remote that it contains. Files that are unchanged since one of them are not reported.
    pub merged: Vec<String>,
    /// Cached results for its tree.
    pub cells: Vec<CachedCell>,
}

/// The cached result of a cell.
#[derive(Debug)]
pub struct CachedCell {
    /// Name of the cell.
    pub id: String,
    /// The newest result for the pushed tree and its time, or `None` if there is none.
    pub result: Option<(Box<Cell>, Timestamp)>,
}

impl CachedCell {
    /// Reports whether the cell failed, and the failure is not expected.
    pub fn is_failed(&self) -> bool {
        self.result.as_ref().is_some_and(|(cell, _)| cell.status == Status::Failed && cell.expected_failure.is_none())
    }
}

/// An error that ends the scan of a push.
#[derive(Debug, thiserror::Error)]
pub enum PushScanError {
    /// The pushed `carnet.toml` is invalid.
    #[error("invalid carnet.toml in the pushed commit")]
    Config(#[source] Box<ConfigError>),
    /// The pushed baseline is invalid.
    #[error(transparent)]
    Baseline(BaselineFileError),
    /// Git could not list the pushed commits.
    #[error("git failed: {0}")]
    Git(String),
    /// The pushed commits could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// Scans a push and collects the cached results of its commits.
///
/// # Errors
/// If the pushed configuration or baseline is invalid, or the commits can't be read.
pub fn scan_push(push: &Push) -> Result<PushScan, PushScanError> {
    let mut push_scan = PushScan { commits: pushed_commits(push)?, ..PushScan::default() };
    for commit in &mut push_scan.commits {
        let (files, findings) = commit.scan(push)?;
        push_scan.files += files;
        push_scan.findings.extend(findings);
    }
    sort(&mut push_scan.findings);
    Ok(push_scan)
}

/// Returns the commits of a push. Refs with the same commit share an entry.
fn pushed_commits(push: &Push) -> Result<Vec<PushedCommit>, PushScanError> {
    let git = Git::at(&push.top);
    git.check_files().map_err(|error| PushScanError::Git(error.to_string()))?;
    let remote = Remote::new(&git, &push.remote);
    let mut commits: Vec<PushedCommit> = Vec::new();
    for update in &push.updates {
        let NewCommits::Range { base, other_bases, tip } =
            remote.new_commits(update).map_err(|error| PushScanError::Git(error.to_string()))?
        else {
            continue;
        };
        match commits.iter_mut().find(|commit| commit.id == tip && commit.base == base) {
            Some(commit) => commit.refs.push(update.remote.clone()),
            None => {
                let refs = vec![update.remote.clone()];
                commits.push(PushedCommit { refs, id: tip, base, merged: other_bases, cells: Vec::new() });
            }
        }
    }
    Ok(commits)
}

/// Sorts findings by severity, worst first, then by location. Removes duplicates from several commits.
fn sort(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| {
        let key =
            |finding: &Finding| (finding.path.clone(), finding.span, finding.rule.clone(), finding.message.clone());
        b.severity.cmp(&a.severity).then_with(|| key(a).cmp(&key(b)))
    });
    findings.dedup_by(|a, b| (&a.path, a.span, &a.rule, &a.message) == (&b.path, b.span, &b.rule, &b.message));
}

impl PushedCommit {
    /// Scans the files that this commit changes. Returns their number and findings.
    fn scan(&mut self, push: &Push) -> Result<(u64, Vec<Finding>), PushScanError> {
        let commit = Commit::read(&push.top, &self.id)?;
        let config = read_config(&commit, &push.top)?;
        let text = |path: &str| String::from_utf8(commit.file(path, MAX_BASELINE_BYTES)?).ok();
        let baseline = LoadedBaseline::from_tree(&push.top, &config.scan, text).map_err(PushScanError::Baseline)?;
        let zeros = "0".repeat(self.id.len());
        let options = scan::Options {
            changed: Some(format!("{}..{}", self.base.as_deref().unwrap_or(&zeros), self.id)),
            jobs: push.jobs,
            ..scan::Options::new(push.top.clone(), &config)
        };
        let ScanRun { scan, files } = scan::run(options, &config.scan, &baseline)?;
        // An unreadable commit only makes the scan report more files.
        let merged: Vec<Commit> =
            self.merged.iter().take(MAX_MERGED_COMMITS).filter_map(|id| Commit::read(&push.top, id).ok()).collect();
        let is_changed = |path: &String| !merged.iter().any(|other| commit.agrees(other, path));
        let changed: BTreeSet<String> = files.into_iter().filter(is_changed).collect();
        self.cells = cached_cells(&config, &commit, push.deadline);
        // Every push would repeat notes, and findings about other files or the whole repository.
        let is_relevant = |finding: &Finding| {
            finding.suppressed.is_none() && finding.severity > Severity::Note && changed.contains(&finding.path)
        };
        Ok((scan.files.scanned, scan.findings.into_iter().filter(is_relevant).collect()))
    }
}

/// Reads the configuration of a commit.
fn read_config(commit: &Commit, top: &Path) -> Result<Config, PushScanError> {
    if !commit.has(config::FILE) {
        return Ok(Config::empty());
    }
    let file = top.join(config::FILE);
    let invalid = |error: ConfigError| PushScanError::Config(Box::new(error));
    let text = commit.file(config::FILE, MAX_CONFIG_BYTES).and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(text) = text else {
        let reason = "in the pushed commit, it is a link, too large or not UTF-8";
        return Err(invalid(ConfigError::unreadable(&file, reason)));
    };
    configuration::parse(&text, &file).map_err(invalid)
}

/// Returns the cached results for the tree of a commit. Omits cells whose results can't be cached.
fn cached_cells(config: &Config, commit: &Commit, deadline: Instant) -> Vec<CachedCell> {
    let cacheable: Vec<_> = config.facilities.iter().filter(|facility| cache::is_cacheable(config, facility)).collect();
    let store = Cache::from_env().ok().map(|cache| ResultStore::new(&cache)).filter(|store| !store.is_empty());
    let needs_digest = !cacheable.is_empty() && !config.test.git;
    let is_over = || Instant::now() >= deadline;
    let tree = store.as_ref().filter(|_| needs_digest).and_then(|_| commit.tree_digest(&is_over));
    let tests = tree.as_ref().map(|_| plan::tests_in_commit(config, commit)).unwrap_or_default();
    let today = clock::today();
    let result = |facility: &config::Facility| {
        let subject = TestSubject { config, tests: &tests, tree: tree.as_ref()? };
        let cached = store.as_ref()?.newest(&InputKey::new(subject, facility)?)?;
        let mut cell = cached.cell;
        cell_status::apply_expectation(&mut cell, facility.expect.as_ref(), today);
        Some((Box::new(cell), cached.stored))
    };
    cacheable.into_iter().map(|facility| CachedCell { id: facility.cell(), result: result(facility) }).collect()
}
