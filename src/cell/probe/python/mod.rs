//! Python interpreters and their distributions.

mod distribution;
mod find;
mod layout;
mod marker;
mod module;
mod query;
mod requirement;
mod site;
mod venv;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::ProbeContext;
use crate::model::known::Known;
use crate::model::python::{Distribution, Python, PythonKind};
use find::Candidate;
use layout::Layout;
use marker::Markers;
use query::{Answer, QueryError};

/// Time limit for all interpreters.
const TOTAL_LIMIT: Duration = Duration::from_secs(20);

/// Returns every Python, the one that `python3` starts first. If `only` is set, only that environment is read.
pub(super) fn pythons(context: &ProbeContext, only: Option<&Path>) -> Vec<Python> {
    let candidates = find::candidates(context, only);
    let answers = read_all(context, &candidates);
    let mut merged: BTreeMap<(String, String), Read> = BTreeMap::new();
    for read in answers.into_iter().flatten() {
        let key = (read.python.executable.clone(), read.prefix_key());
        match merged.get_mut(&key) {
            Some(known) => known.merge(read),
            None => {
                merged.insert(key, read);
            }
        }
    }
    let mut pythons: Vec<Read> = merged.into_values().collect();
    pythons.sort_by_key(Read::rank);
    pythons.into_iter().map(|read| read.python).collect()
}

/// Reads the candidates, a few at a time: if all interpreters started at once, they would exceed the time limit.
fn read_all(context: &ProbeContext, candidates: &[Candidate]) -> Vec<Option<Read>> {
    let workers = thread::available_parallelism().map_or(2, NonZero::get).clamp(2, 8);
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let work = || {
        let mut done = Vec::new();
        loop {
            // Candidates are sorted by relevance: those on `PATH` are queried first.
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(candidate) = candidates.get(index) else { return done };
            done.push((index, read(context, candidate, TOTAL_LIMIT.saturating_sub(start.elapsed()))));
        }
    };
    let mut all: Vec<(usize, Option<Read>)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers.min(candidates.len())).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(super::join).collect()
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, read)| read).collect()
}

/// Returns the conda prefixes in common directories and of the found Pythons.
pub(super) fn conda_prefixes(context: &ProbeContext, pythons: &[Python]) -> BTreeSet<String> {
    let own = pythons
        .iter()
        .filter(|python| python.kind == PythonKind::Conda)
        .filter_map(|python| python.prefix.get().cloned());
    find::conda_prefixes(context).into_iter().chain(own).collect()
}

/// A Python with its position on `PATH`.
struct Read {
    python: Python,
    on_path: Option<usize>,
}

impl Read {
    fn prefix_key(&self) -> String {
        self.python.prefix.get().cloned().unwrap_or_default()
    }

    fn merge(&mut self, other: Self) {
        let commands: BTreeSet<String> = self.python.commands.drain(..).chain(other.python.commands).collect();
        self.python.commands = commands.into_iter().collect();
        self.on_path = match (self.on_path, other.on_path) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if self.python.distributions.get().is_none() {
            self.python.distributions = other.python.distributions;
            self.python.path = other.python.path;
        }
    }

    fn rank(&self) -> (usize, usize, String, String) {
        let starts = |name: &str| self.python.commands.iter().any(|command| command == name);
        let rank = if starts("python3") {
            0
        } else if starts("python") {
            1
        } else {
            2
        };
        (rank, self.on_path.unwrap_or(usize::MAX), self.python.executable.clone(), self.prefix_key())
    }
}

/// Reads one candidate: queries it on a running system, otherwise reads its files. `None` if it is not a Python.
fn read(context: &ProbeContext, candidate: &Candidate, remaining: Duration) -> Option<Read> {
    let layout = Layout::read(context, candidate);
    let query = || match remaining {
        Duration::ZERO => Err(QueryError::Skipped),
        remaining => query::query(context, &candidate.path, remaining.min(query::QUERY_TIMEOUT)),
    };
    let answer = context.live.then(query);
    let python = match (answer, layout) {
        (Some(Ok(answer)), layout) => from_answer(context, candidate, answer, layout.as_ref()),
        // A script that starts nothing belongs to a version manager without a selected version.
        (_, None) => return None,
        (Some(Err(failure)), Some(layout)) => {
            let mut python = from_layout(context, candidate, layout);
            // Values read from files may differ from those of an answer. A timeout must not look like a difference
            // between two environments.
            python.path = Known::unknown(failure.to_string());
            python.distributions = Known::unknown(failure.to_string());
            python
        }
        (None, Some(layout)) => from_layout(context, candidate, layout),
    };
    Some(Read { python, on_path: candidate.on_path })
}

fn from_answer(context: &ProbeContext, candidate: &Candidate, answer: Answer, layout: Option<&Layout>) -> Python {
    let root = &context.root;
    let executable =
        root.resolve(Path::new(&answer.executable)).map_or(answer.executable, |path| path.display().to_string());
    let system_site = layout.is_some_and(|layout| layout.system_site)
        || venv::venv_of(root, &answer.prefix).is_some_and(|venv| venv.system_site);
    let path: Vec<String> = answer.path.into_iter().filter(|entry| !super::variable::is_own(entry)).collect();
    let markers = Markers::new(&answer.version);
    let search = distribution::Search { root, user_site: answer.user_site.as_deref(), markers: &markers };
    Python {
        executable,
        commands: candidate.commands.iter().cloned().collect(),
        implementation: answer.implementation.into(),
        abi: answer.abi.map_or_else(|| Known::unknown("the interpreter did not report an ABI"), Known::Known),
        kind: kind(context, &answer.prefix, answer.base_prefix != answer.prefix),
        base_prefix: (answer.base_prefix != answer.prefix).then_some(answer.base_prefix),
        prefix: answer.prefix.into(),
        system_site,
        distributions: search.all(&path),
        path: path.into(),
        version: answer.version.into(),
    }
}

fn from_layout(context: &ProbeContext, candidate: &Candidate, layout: Layout) -> Python {
    const NO_LIBRARY: &str = "its library was not found";
    let paths = layout.path(context);
    let version = layout.version(&context.root);
    let minor = layout.minor.as_deref().unwrap_or_default();
    let markers = Markers::new(version.get().map_or(minor, String::as_str));
    let search = distribution::Search { root: &context.root, user_site: paths.user_site.as_deref(), markers: &markers };
    Python {
        executable: candidate.real.clone(),
        commands: candidate.commands.iter().cloned().collect(),
        implementation: layout.implementation(),
        abi: layout.abi(&context.root),
        kind: kind(context, &layout.prefix, layout.base_prefix.is_some()),
        base_prefix: layout.base_prefix.clone(),
        prefix: layout.prefix.clone().into(),
        system_site: layout.system_site,
        distributions: if layout.minor.is_some() { search.all(&paths.entries) } else { Known::unknown(NO_LIBRARY) },
        path: if layout.minor.is_some() { paths.entries.into() } else { Known::unknown(NO_LIBRARY) },
        version,
    }
}

fn kind(context: &ProbeContext, prefix: &str, venv: bool) -> PythonKind {
    const RELEASES: [&str; 4] = ["/cvmfs/", "/opt/lcg/", "/opt/cms/", "/usr/AnalysisBase"];
    if venv {
        PythonKind::Venv
    } else if context.root.is_dir(format!("{prefix}/conda-meta")) {
        PythonKind::Conda
    } else if RELEASES.iter().any(|release| prefix.starts_with(release)) {
        PythonKind::Release
    } else {
        PythonKind::System
    }
}

/// Calls every parser of requirements, for `fuzz/`.
#[cfg(feature = "fuzzing")]
pub(super) fn requires(text: &str) {
    let markers = Markers::new("3.11.7");
    let _ = requirement::name(text, &markers);
    let _ = requirement::egg(text, &markers);
}

/// Distributions of a Python.
type Distributions = Known<Vec<Distribution>>;
