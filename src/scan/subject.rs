//! The analysis that was scanned, with facts from git.

use std::path::Path;

use crate::model::scan::Subject;
use crate::source::git::repository;

/// Describes the analysis at `top`. `commit` is the scanned commit; `None` for the working tree.
pub fn subject(top: &Path, name: Option<&str>, commit: Option<&str>) -> Subject {
    // The state of the working tree is irrelevant for a commit, and slow to read in a large one.
    let facts = if commit.is_some() { repository::facts_without_status(top) } else { repository::facts(top) };
    let directory = || top.canonicalize().ok().and_then(|top| Some(top.file_name()?.to_string_lossy().into_owned()));
    Subject {
        name: name.map(str::to_owned).or_else(directory).unwrap_or_default(),
        commit: commit.map(str::to_owned).or(facts.commit),
        dirty: commit.is_none() && facts.dirty,
        remote: facts.remote,
    }
}
