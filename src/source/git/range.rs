//! The files that a range of commits changes, read from git's object database.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::GitError;
use super::mode::{LINK, SUBMODULE};
use super::object::{Blob, Content, Objects};
use crate::model::scan::Note;
use crate::source::SourceError;
use crate::source::foreign::is_foreign;

/// Maximum size in bytes of a file read from a commit.
const MAX_SIZE: u64 = 64 << 20;

/// The difference between two commits.
#[derive(Debug, Default)]
pub struct Range {
    /// Id of the second commit. Empty if the range ends with zeros.
    pub commit: String,
    /// Paths of all files and links of the second commit, except those in directories that are not part of the analysis.
    pub paths: BTreeSet<String>,
    /// Links with their targets.
    pub links: Vec<(String, String)>,
    /// Paths of the submodules of the second commit.
    pub submodules: BTreeSet<String>,
    /// Paths of the files that are new or differ from the first commit, sorted.
    pub changed: Vec<String>,
    /// Contents of the changed files and of the files that the caller requires, by path.
    pub contents: BTreeMap<String, Vec<u8>>,
    /// Files that can't be read.
    pub notes: Vec<Note>,
}

/// Reads the files that a range of commits changes.
///
/// `A..B` contains the files of `B` that are not in `A` or differ from it; `A...B` compares `B` with the merge base of both. A
/// single name, or an `A` of zeros as git writes for a new branch, selects all files of the commit. The contents of changed
/// files and of files for which `is_required` returns true are read.
///
/// # Errors
/// If `top` is not in a git repository or a commit does not exist.
pub fn read(top: &Path, spec: &str, is_required: &dyn Fn(&str) -> bool) -> Result<Range, SourceError> {
    let no_range = |reason: GitError| SourceError::NoRange { spec: spec.to_owned(), reason };
    let objects = Objects::open(top).map_err(no_range)?;
    let (from, to) = ends(&objects, spec).map_err(no_range)?;
    let Some(to) = to else { return Ok(Range::default()) };
    let prefix = objects.prefix(top);
    let new = objects.entries(&to, &prefix).map_err(no_range)?;
    let old = from.map(|from| objects.entries(&from, &prefix)).transpose().map_err(no_range)?;
    let before: BTreeMap<String, Blob> = old.map(|old| old.blobs.into_iter().collect()).unwrap_or_default();
    let mut range = Range { commit: to, ..Range::default() };
    for (path, blob) in new.blobs {
        let old = before.get(&path);
        range.add(&objects, path, &blob, old, is_required);
    }
    Ok(range)
}

impl Range {
    fn add(
        &mut self,
        objects: &Objects,
        path: String,
        blob: &Blob,
        old: Option<&Blob>,
        is_required: &dyn Fn(&str) -> bool,
    ) {
        if blob.mode == SUBMODULE {
            self.submodules.insert(path);
            return;
        }
        if is_foreign(&path) {
            return;
        }
        self.paths.insert(path.clone());
        let differs = old.is_none_or(|old| old != blob);
        let is_link = blob.mode == LINK;
        if !differs && !is_link && !is_required(&path) {
            return;
        }
        let content = match objects.content(&blob.id, MAX_SIZE) {
            Ok(Content::Whole(content)) => content,
            Ok(Content::TooLarge(size)) => {
                let message =
                    format!("skipped: {size} bytes exceed the limit of {MAX_SIZE} bytes for files of a commit");
                self.notes.push(Note { path, message });
                return;
            }
            Err(error) => {
                self.notes.push(Note { path, message: format!("git can't read the file: {error}") });
                return;
            }
        };
        if is_link {
            self.links.push((path, String::from_utf8_lossy(&content).into_owned()));
            return;
        }
        if differs {
            self.changed.push(path.clone());
        }
        self.contents.insert(path, content);
    }
}

/// Returns the ids of the two commits of a range. `None` for an id of zeros.
fn ends(objects: &Objects, spec: &str) -> Result<(Option<String>, Option<String>), GitError> {
    let commit = |name: &str| {
        if !name.is_empty() && name.bytes().all(|byte| byte == b'0') {
            return Ok(None);
        }
        objects.commit(if name.is_empty() { "HEAD" } else { name }).map(Some)
    };
    if let Some((from, to)) = spec.split_once("...") {
        let (from, to) = (commit(from)?, commit(to)?);
        let base = from.zip(to.as_deref()).and_then(|(from, to)| objects.merge_base(&from, to));
        return Ok((base, to));
    }
    match spec.split_once("..") {
        Some((from, to)) => Ok((commit(from)?, commit(to)?)),
        None => Ok((None, commit(spec)?)),
    }
}
