//! The environments that CI jobs run in, for a generated `carnet.toml`.

use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of commands kept per environment.
const MAX_COMMANDS: usize = 20;

/// The content of CI files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ci {
    /// Environments that an engine can run.
    pub environments: Vec<CiEnvironment>,
    /// Parts of CI files that have no counterpart in a `carnet.toml`.
    pub unsupported: Vec<Unsupported>,
    /// The test commands of the jobs.
    pub runs: Vec<TestRun>,
    /// Commands that install dependencies in the jobs.
    pub installs: Vec<String>,
    /// Files that were read.
    pub files: Vec<String>,
}

/// An environment: an image, and its setup before the tests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CiEnvironment {
    /// A name, from which the facility id is derived.
    pub name: String,
    /// The image with its transport: `docker://cmssw/el9:x86_64`.
    pub image: String,
    /// Shell lines that run before every command.
    pub setup: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Mounted directories of the host, as `SOURCE:TARGET`.
    pub mounts: BTreeSet<String>,
    /// Other settings of a facility: `user`, `memory`.
    pub settings: BTreeMap<&'static str, toml::Value>,
    /// Notes for the user, one line each.
    pub notes: Vec<String>,
    /// Jobs that run in the environment, each with its file and line.
    pub jobs: Vec<String>,
    /// Commands of the jobs, if none of them is known to be a test.
    pub commands: Vec<String>,
}

/// The test command of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRun {
    /// The job with its file and line.
    pub job: String,
    /// The command. One shell runs all its lines.
    pub run: String,
}

/// A part of a CI file that was not converted, or not completely.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unsupported {
    /// The job with its file and line.
    pub location: String,
    /// Why it was not converted.
    pub reason: String,
}

impl Ci {
    /// Adds an environment, or adds its jobs to an equal environment.
    pub fn add_environment(&mut self, environment: CiEnvironment) {
        let is_same = |other: &&mut CiEnvironment| {
            other.image == environment.image
                && other.setup == environment.setup
                && other.env == environment.env
                && other.mounts == environment.mounts
                && other.settings == environment.settings
        };
        let Some(same) = self.environments.iter_mut().find(is_same) else {
            return self.environments.push(environment);
        };
        same.jobs.extend(new(&same.jobs, environment.jobs));
        same.notes.extend(new(&same.notes, environment.notes));
        same.commands.extend(new(&same.commands, environment.commands));
        same.commands.truncate(MAX_COMMANDS);
    }

    /// Returns the test command if it is the same in all jobs.
    pub fn common_test(&self) -> Option<&str> {
        let first = self.runs.first()?;
        self.runs.iter().all(|test| test.run == first.run).then_some(first.run.as_str())
    }

    /// Records a part that was not converted, unless it is recorded already.
    pub fn add_unsupported(&mut self, location: &str, reason: impl Into<String>) {
        let unsupported = Unsupported { location: location.to_owned(), reason: reason.into() };
        if !self.unsupported.contains(&unsupported) {
            self.unsupported.push(unsupported);
        }
    }
}

/// Returns the items that are not in a list yet.
fn new(existing: &[String], items: Vec<String>) -> Vec<String> {
    items.into_iter().filter(|item| !existing.contains(item)).collect()
}
