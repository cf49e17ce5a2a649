//! Places that the CI of a repository runs in, on their way into a `carnet.toml`.

use std::collections::{BTreeMap, BTreeSet};

/// Most commands that are kept of one place.
const MOST_COMMANDS: usize = 20;

/// What CI files say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ci {
    /// Places that an engine can take.
    pub places: Vec<CiEnvironment>,
    /// What can't be turned into a place, or only in part.
    pub left: Vec<Unsupported>,
    /// The test commands of its jobs; when all are equal, the jobs agree.
    pub runs: Vec<TestRun>,
    /// Commands by which its jobs install what they need.
    pub installs: Vec<String>,
    /// Files that were read.
    pub files: Vec<String>,
}

/// One place: an image, and what is done there before the tests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CiEnvironment {
    /// What it may be called; made into an identifier.
    pub name: String,
    /// The image with its transport: `docker://cmssw/el9:x86_64`.
    pub image: String,
    /// Shell lines that come before every command.
    pub setup: Vec<String>,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// Directories of this machine, as `SOURCE:TARGET`.
    pub mounts: BTreeSet<String>,
    /// Other keys of a facility with their values: `user`, `memory`.
    pub settings: BTreeMap<&'static str, toml::Value>,
    /// What to know about it, a line each.
    pub notes: Vec<String>,
    /// Jobs that run there, each with its file and line.
    pub jobs: Vec<String>,
    /// What a job runs there, when it is not known to be a test.
    pub commands: Vec<String>,
}

/// What a job runs as its test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRun {
    /// The job with its file and line.
    pub job: String,
    /// The command; several lines are run by one shell.
    pub run: String,
}

/// Something that was not turned, or only in part.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unsupported {
    /// Where it stands: a job with its file and line.
    pub at: String,
    /// What it is and why it was left.
    pub why: String,
}

impl Ci {
    /// Takes a place up. One that is there already, but for who runs in it, gets another job.
    pub fn add(&mut self, place: CiEnvironment) {
        let is_same = |other: &&mut CiEnvironment| {
            other.image == place.image
                && other.setup == place.setup
                && other.env == place.env
                && other.mounts == place.mounts
                && other.settings == place.settings
        };
        let Some(same) = self.places.iter_mut().find(is_same) else { return self.places.push(place) };
        same.jobs.extend(new(&same.jobs, place.jobs));
        same.notes.extend(new(&same.notes, place.notes));
        same.commands.extend(new(&same.commands, place.commands));
        same.commands.truncate(MOST_COMMANDS);
    }

    /// The test command, when all jobs agree on one.
    pub fn agreed(&self) -> Option<&str> {
        let first = self.runs.first()?;
        self.runs.iter().all(|tested| tested.run == first.run).then_some(first.run.as_str())
    }

    /// Notes what was left, once.
    pub fn leave(&mut self, at: &str, why: impl Into<String>) {
        let left = Unsupported { at: at.to_owned(), why: why.into() };
        if !self.left.contains(&left) {
            self.left.push(left);
        }
    }
}

fn new(have: &[String], more: Vec<String>) -> Vec<String> {
    more.into_iter().filter(|one| !have.contains(one)).collect()
}
