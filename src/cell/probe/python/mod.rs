//! Pythons and what each can import.

mod ask;
mod distribution;
mod find;
mod layout;
mod marker;
mod module;
mod requirement;
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::ProbeContext;
use crate::model::known::Known;
use crate::model::python::{Distribution, Python, PythonKind};
use ask::{Answer, AskError};
use find::Candidate;
use layout::Layout;

/// Time after which no more interpreters are waited for.
const ASKING: Duration = Duration::from_secs(20);

/// Every Python, the one that `python3` starts first. With `only`, that environment's alone.
pub(super) fn pythons(place: &ProbeContext, only: Option<&Path>) -> Vec<Python> {
    let candidates = find::candidates(place, only);
    let answers = read_all(place, &candidates);
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

/// Reads every candidate, a few at a time: interpreters that start all at once would be too slow to answer in time.
fn read_all(place: &ProbeContext, candidates: &[Candidate]) -> Vec<Option<Read>> {
    let workers = thread::available_parallelism().map_or(2, NonZero::get).clamp(2, 8);
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let work = || {
        let mut done = Vec::new();
        loop {
            // Candidates are in order of what matters: those on `PATH` are asked first.
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(candidate) = candidates.get(at) else { return done };
            done.push((at, read(place, candidate, ASKING.saturating_sub(start.elapsed()))));
        }
    };
    let mut all: Vec<(usize, Option<Read>)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers.min(candidates.len())).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(super::join).collect()
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, read)| read).collect()
}

/// Conda prefixes of the usual places and of the Pythons found.
pub(super) fn conda_prefixes(place: &ProbeContext, pythons: &[Python]) -> BTreeSet<String> {
    let own = pythons
        .iter()
        .filter(|python| python.kind == PythonKind::Conda)
        .filter_map(|python| python.prefix.get().cloned());
    find::conda_prefixes(place).into_iter().chain(own).collect()
}

/// A Python with what its order among the others depends on.
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

/// One candidate, asked where the system runs and read from files otherwise; none when it turns out to be no Python.
fn read(place: &ProbeContext, candidate: &Candidate, left: Duration) -> Option<Read> {
    let layout = Layout::read(place, candidate);
    let ask = || match left {
        Duration::ZERO => Err(AskError::TooMany),
        left => ask::ask(place, &candidate.path, left.min(ask::LIMIT)),
    };
    let asked = place.live.then(ask);
    let python = match (asked, layout) {
        (Some(Ok(answer)), layout) => from_answer(place, candidate, answer, layout.as_ref()),
        // A script that starts nothing is a version manager's stand-in for a version that isn't chosen.
        (_, None) => return None,
        (Some(Err(failure)), Some(layout)) => {
            let mut python = from_layout(place, candidate, layout);
            // What files alone tell may differ from what an answer would have told. Whether one came in time is
            // chance, and chance must not look like a difference between two places.
            python.path = Known::unknown(failure.to_string());
            python.distributions = Known::unknown(failure.to_string());
            python
        }
        (None, Some(layout)) => from_layout(place, candidate, layout),
    };
    Some(Read { python, on_path: candidate.on_path })
}

fn from_answer(place: &ProbeContext, candidate: &Candidate, answer: Answer, layout: Option<&Layout>) -> Python {
    let root = &place.root;
    let executable =
        root.resolve(Path::new(&answer.executable)).map_or(answer.executable, |path| path.display().to_string());
    let system_site = layout.is_some_and(|layout| layout.system_site)
        || layout::venv_of(root, &answer.prefix).is_some_and(|venv| venv.system_site);
    let path: Vec<String> = answer.path.into_iter().filter(|entry| !super::variable::is_own(entry)).collect();
    let search = distribution::Search { root, user_site: answer.user_site.as_deref(), version: &answer.version };
    Python {
        executable,
        commands: candidate.commands.iter().cloned().collect(),
        implementation: answer.implementation.into(),
        abi: answer.abi.map_or_else(|| Known::unknown("it names no ABI"), Known::Known),
        kind: kind(place, &answer.prefix, answer.base_prefix != answer.prefix),
        base_prefix: (answer.base_prefix != answer.prefix).then_some(answer.base_prefix),
        prefix: answer.prefix.into(),
        system_site,
        distributions: search.all(&path),
        path: path.into(),
        version: answer.version.into(),
    }
}

fn from_layout(place: &ProbeContext, candidate: &Candidate, layout: Layout) -> Python {
    const NO_LIBRARY: &str = "its library can't be found";
    let paths = layout.path(place);
    let version = layout.version(&place.root);
    let minor = layout.minor.as_deref().unwrap_or_default();
    let search = distribution::Search {
        root: &place.root,
        user_site: paths.user_site.as_deref(),
        version: version.get().map_or(minor, String::as_str),
    };
    Python {
        executable: candidate.real.clone(),
        commands: candidate.commands.iter().cloned().collect(),
        implementation: layout.implementation(),
        abi: layout.abi(&place.root),
        kind: kind(place, &layout.prefix, layout.base_prefix.is_some()),
        base_prefix: layout.base_prefix.clone(),
        prefix: layout.prefix.clone().into(),
        system_site: layout.system_site,
        distributions: if layout.minor.is_some() { search.all(&paths.entries) } else { Known::unknown(NO_LIBRARY) },
        path: if layout.minor.is_some() { paths.entries.into() } else { Known::unknown(NO_LIBRARY) },
        version,
    }
}

fn kind(place: &ProbeContext, prefix: &str, venv: bool) -> PythonKind {
    const RELEASES: [&str; 4] = ["/cvmfs/", "/opt/lcg/", "/opt/cms/", "/usr/AnalysisBase"];
    if venv {
        PythonKind::Venv
    } else if place.root.is_dir(format!("{prefix}/conda-meta")) {
        PythonKind::Conda
    } else if RELEASES.iter().any(|release| prefix.starts_with(release)) {
        PythonKind::Release
    } else {
        PythonKind::System
    }
}

/// Every reader of requirements, for `fuzz/`.
#[cfg(feature = "fuzzing")]
pub(super) fn requires(text: &str) {
    let _ = requirement::name(text, "3.11.7");
    let _ = requirement::egg(text, "3.11.7");
}

/// Distributions of a Python, as found or unknown.
type Distributions = Known<Vec<Distribution>>;
