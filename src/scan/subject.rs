//! What was scanned, as git knows it.

use std::path::Path;

use crate::model::scan::Subject;
use crate::source::git::repository;

/// The analysis at `top`; `commit` is the one that was scanned when it was not the working tree.
pub fn subject(top: &Path, name: Option<&str>, commit: Option<&str>) -> Subject {
    // What is in the working tree is nothing to a commit, and finding out takes long in a large one.
    let facts = if commit.is_some() { repository::facts_without_status(top) } else { repository::facts(top) };
    let directory = || top.canonicalize().ok().and_then(|top| Some(top.file_name()?.to_string_lossy().into_owned()));
    Subject {
        name: name.map(str::to_owned).or_else(directory).unwrap_or_default(),
        commit: commit.map(str::to_owned).or(facts.commit),
        dirty: commit.is_none() && facts.dirty,
        remote: facts.remote,
    }
}
