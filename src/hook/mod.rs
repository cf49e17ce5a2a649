//! The git hook: what a push brings is looked at in git's objects, never in the working tree, and nothing is run.

pub mod file;
pub mod hooks_dir;
pub mod install;
pub mod manager;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;

use crate::check::cache;
use crate::check::cache::{Question, Store, Subject};
use crate::check::{configuration, plan, verdict};
use crate::config::{self, Config, ConfigError};
use crate::model::document::{Cell, Status};
use crate::model::finding::{Finding, Severity};
use crate::scan;
use crate::scan::ScanRun;
use crate::scan::acceptance::{BaselineFileError, LoadedBaseline};
use crate::source::SourceError;
use crate::source::git::commit::Commit;
use crate::source::git::object::Git;
use crate::source::git::push::{Brought, Remote, Update};
use crate::sys::cache::Cache;

/// Largest configuration or baseline that is read of a commit.
const LARGEST: u64 = 16 << 20;
/// Commits of the remote that one commit took in, which are looked at.
const MOST_OTHERS: usize = 8;

/// A push that is about to happen.
#[derive(Debug, Clone)]
pub struct Push {
    /// Top of the analysis in the working tree; only its place counts.
    pub top: PathBuf,
    /// Name of the remote, or its address.
    pub remote: String,
    /// The refs that are pushed.
    pub updates: Vec<Update>,
    /// Threads.
    pub jobs: usize,
    /// When to leave the rest.
    pub until: Instant,
}

/// What was seen of a push.
#[derive(Debug, Default)]
pub struct Seen {
    /// The commits that are pushed, each once.
    pub tips: Vec<Tip>,
    /// Errors and warnings of the audit in the files that they bring, worst first, each once.
    pub findings: Vec<Finding>,
    /// Files that were looked at.
    pub files: u64,
}

/// A commit that is pushed.
#[derive(Debug)]
pub struct Tip {
    /// The refs that it becomes on the other side.
    pub refs: Vec<String>,
    /// Its id.
    pub commit: String,
    /// The commit that its changes are counted from; none when everything is new.
    pub base: Option<String>,
    /// Other commits of the remote that it took in: what is as in one of them is not told again.
    pub also: Vec<String>,
    /// What earlier checks say of its tree.
    pub cells: Vec<CellSeen>,
}

/// What earlier checks say of a cell.
#[derive(Debug)]
pub struct CellSeen {
    /// Its name.
    pub id: String,
    /// The newest result for this very tree, with its time; none when there is none.
    pub result: Option<(Box<Cell>, Timestamp)>,
}

impl CellSeen {
    /// Whether it failed, and nothing forgives that.
    pub fn is_failed(&self) -> bool {
        self.result.as_ref().is_some_and(|(cell, _)| cell.status == Status::Failed && cell.forgiven.is_none())
    }
}

/// Why a push could not be looked at.
#[derive(Debug)]
pub enum Trouble {
    /// The pushed `carnet.toml` is wrong.
    Config(Box<ConfigError>),
    /// The pushed baseline is wrong.
    Baseline(BaselineFileError),
    /// Git could not be asked.
    Git(String),
    /// A repository could not be read.
    Repo(SourceError),
}

/// Looks at a push.
///
/// # Errors
/// When what is pushed is configured wrongly, or can't be read.
pub fn look(push: &Push) -> Result<Seen, Trouble> {
    let mut seen = Seen::default();
    let git = Git::at(&push.top);
    let remote = Remote::new(&git, &push.remote);
    for update in &push.updates {
        let Brought::Commits { base, also, tip } = remote.brought(update).map_err(Trouble::Git)? else {
            continue;
        };
        match seen.tips.iter_mut().find(|one| one.commit == tip && one.base == base) {
            Some(one) => one.refs.push(update.remote.clone()),
            None => {
                let refs = vec![update.remote.clone()];
                seen.tips.push(Tip { refs, commit: tip, base, also, cells: Vec::new() });
            }
        }
    }
    for at in 0..seen.tips.len() {
        let (files, findings) = seen.tips[at].look(push)?;
        seen.files += files;
        seen.findings.extend(findings);
    }
    seen.sort();
    Ok(seen)
}

impl Seen {
    /// Worst first, then by place; what two commits bring is told once.
    fn sort(&mut self) {
        self.findings.sort_by(|a, b| {
            let key = |one: &Finding| (one.path.clone(), one.span, one.rule.clone(), one.message.clone());
            b.severity.cmp(&a.severity).then_with(|| key(a).cmp(&key(b)))
        });
        self.findings.dedup_by(|a, b| (&a.path, a.span, &a.rule, &a.message) == (&b.path, b.span, &b.rule, &b.message));
    }
}

impl Tip {
    /// What the audit says of the files that this commit brings, with their number.
    fn look(&mut self, push: &Push) -> Result<(u64, Vec<Finding>), Trouble> {
        let commit = Commit::read(&push.top, &self.commit).map_err(Trouble::Repo)?;
        let config = configured(&commit, &push.top)?;
        let text = |path: &str| String::from_utf8(commit.file(path, LARGEST)?).ok();
        let known = LoadedBaseline::from_tree(&push.top, &config.scan, text).map_err(Trouble::Baseline)?;
        let zeros = "0".repeat(self.commit.len());
        let options = scan::Options {
            changed: Some(format!("{}..{}", self.base.as_deref().unwrap_or(&zeros), self.commit)),
            jobs: push.jobs,
            ..scan::Options::new(push.top.clone(), &config)
        };
        let ScanRun { scan, files } = scan::run(options, &config.scan, &known).map_err(Trouble::Repo)?;
        // One that can't be read tells nothing, so more is told.
        let there: Vec<Commit> =
            self.also.iter().take(MOST_OTHERS).filter_map(|other| Commit::read(&push.top, other).ok()).collect();
        let is_new = |path: &String| !there.iter().any(|other| commit.agrees(other, path));
        let brought: BTreeSet<String> = files.into_iter().filter(is_new).collect();
        self.cells = cells(&config, &commit, push.until);
        // What is said of the repository as a whole, of other files or by the way would be said again at every push.
        let is_told = |finding: &Finding| {
            finding.suppressed.is_none() && finding.severity > Severity::Note && brought.contains(&finding.path)
        };
        Ok((scan.files.scanned, scan.findings.into_iter().filter(is_told).collect()))
    }
}

/// The configuration that a commit has.
fn configured(commit: &Commit, top: &Path) -> Result<Config, Trouble> {
    if !commit.has(config::FILE) {
        return Ok(Config::empty());
    }
    let file = top.join(config::FILE);
    let wrong = |error: ConfigError| Trouble::Config(Box::new(error));
    let text = commit.file(config::FILE, 1 << 20).and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(text) = text else {
        return Err(wrong(ConfigError::unreadable(&file, "in the pushed commit it is a link, too large or no UTF-8")));
    };
    configuration::parse(&text, &file).map_err(wrong)
}

/// What earlier checks of the tree of this commit came to. Cells whose results are never kept are left out.
fn cells(config: &Config, commit: &Commit, until: Instant) -> Vec<CellSeen> {
    let pure: Vec<_> = config.facilities.iter().filter(|facility| cache::is_pure(config, facility)).collect();
    let store = Cache::from_env().ok().map(|cache| Store::of(&cache)).filter(|store| !store.is_empty());
    let is_asked = !pure.is_empty() && !config.test.git;
    let stop = || Instant::now() >= until;
    let tree = store.as_ref().filter(|_| is_asked).and_then(|_| commit.tree_digest(&stop));
    let tests = tree.as_ref().map(|_| plan::tests_of(config, commit)).unwrap_or_default();
    let today = jiff::Zoned::now().date();
    let result = |facility: &config::Facility| {
        let subject = Subject { config, tests: &tests, tree: tree.as_ref()? };
        let hit = store.as_ref()?.newest(&Question::new(subject, facility)?)?;
        let (mut cell, stored) = (hit.cell, hit.stored);
        verdict::forgive(&mut cell, facility.expect.as_ref(), today);
        Some((Box::new(cell), stored))
    };
    pure.into_iter().map(|facility| CellSeen { id: facility.cell(), result: result(facility) }).collect()
}
