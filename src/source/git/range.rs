//! The trees of commits: what a push brings, read from git's objects and not from the working tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::object::{Blob, Content, LINK, Objects, SUBMODULE};
use crate::model::scan::Note;
use crate::source::SourceError;
use crate::source::foreign::is_foreign;

/// Largest file that is taken from a commit.
const LARGEST: u64 = 64 << 20;

/// What changed between two commits.
#[derive(Debug, Default)]
pub struct Range {
    /// Id of the second commit.
    pub commit: String,
    /// Every file and link of its tree, those of foreign directories left out.
    pub paths: BTreeSet<String>,
    /// Links with their targets.
    pub links: Vec<(String, String)>,
    /// Submodules that it has a commit for.
    pub submodules: BTreeSet<String>,
    /// Files that are new or differ from the first commit, sorted.
    pub changed: Vec<String>,
    /// Content of those, and of the files that the caller asked for.
    pub contents: BTreeMap<String, Vec<u8>>,
    /// What could not be read.
    pub notes: Vec<Note>,
}

/// Reads `A..B`: what of `B`'s tree is not in `A`'s. `A...B` starts from where the two parted. One name alone stands for
/// everything it has, and so does an `A` of zeros, as git writes for a branch that is new. Content is read for what changed and
/// for what `wanted` names.
///
/// # Errors
/// Outside git, and when a commit isn't there.
pub fn read(top: &Path, spec: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Range, SourceError> {
    let no_range = |reason: String| SourceError::NoRange { spec: spec.to_owned(), reason };
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
        range.add(&objects, path, &blob, old, wanted);
    }
    Ok(range)
}

impl Range {
    fn add(&mut self, objects: &Objects, path: String, blob: &Blob, old: Option<&Blob>, wanted: &dyn Fn(&str) -> bool) {
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
        if !differs && !is_link && !wanted(&path) {
            return;
        }
        let content = match objects.content(&blob.id, LARGEST) {
            Ok(Content::Whole(content)) => content,
            Ok(Content::TooLarge(size)) => {
                let message = format!("{size} bytes are more than the {LARGEST} that are read of a commit");
                self.notes.push(Note { path, message });
                return;
            }
            Err(error) => {
                self.notes.push(Note { path, message: format!("git can't read it: {error}") });
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

/// The two commits of a specification; none for one made of zeros.
fn ends(objects: &Objects, spec: &str) -> Result<(Option<String>, Option<String>), String> {
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
