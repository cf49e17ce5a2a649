//! The trees of commits: what a push brings, read from git's objects and not from the working tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use git2::{ObjectType, Oid, Repository, Tree, TreeWalkMode, TreeWalkResult};

use super::{RepoError, git, walk};
use crate::model::scan::Note;

/// Largest file that is taken from a commit.
const LARGEST: usize = 64 << 20;
/// Mode of a link.
const LINK: i32 = 0o120_000;

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
pub fn read(top: &Path, spec: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Range, RepoError> {
    let repository = git::open(top).ok_or_else(|| RepoError::NoRange {
        spec: spec.to_owned(),
        reason: format!("{} lies in no git repository", top.display()),
    })?;
    let no_range =
        |error: git2::Error| RepoError::NoRange { spec: spec.to_owned(), reason: error.message().to_owned() };
    let (from, to) = ends(&repository, spec).map_err(no_range)?;
    let Some(to) = to else { return Ok(Range::default()) };
    let prefix = prefix(&repository, top);
    let tree_of = |id: Oid| repository.find_object(id, None).and_then(|object| object.peel_to_tree());
    let new = below(&repository, tree_of(to).map_err(no_range)?, &prefix);
    let old = from.map(tree_of).transpose().map_err(no_range)?.and_then(|tree| below(&repository, tree, &prefix));
    let mut range = Range { commit: to.to_string(), ..Range::default() };
    let before = old.map(|tree| blobs(&tree).into_iter().collect::<BTreeMap<_, _>>()).unwrap_or_default();
    for (path, blob) in new.map(|tree| blobs(&tree)).unwrap_or_default() {
        let old = before.get(&path);
        range.add(&repository, path, &blob, old, wanted);
    }
    Ok(range)
}

/// An entry of a tree that is no directory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Blob {
    id: Oid,
    mode: i32,
    is_commit: bool,
}

impl Range {
    fn add(
        &mut self,
        repository: &Repository,
        path: String,
        blob: &Blob,
        old: Option<&Blob>,
        wanted: &dyn Fn(&str) -> bool,
    ) {
        if blob.is_commit {
            self.submodules.insert(path);
            return;
        }
        if walk::is_foreign(&path) {
            return;
        }
        self.paths.insert(path.clone());
        let differs = old.is_none_or(|old| old.id != blob.id || old.mode != blob.mode);
        let is_link = blob.mode == LINK;
        if !differs && !is_link && !wanted(&path) {
            return;
        }
        let content = match repository.find_blob(blob.id) {
            Ok(content) if content.size() <= LARGEST => content.content().to_vec(),
            Ok(content) => {
                let message = format!("{} bytes are more than the {LARGEST} that are read of a commit", content.size());
                self.notes.push(Note { path, message });
                return;
            }
            Err(error) => {
                self.notes.push(Note { path, message: format!("git can't read it: {}", error.message()) });
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
fn ends(repository: &Repository, spec: &str) -> Result<(Option<Oid>, Option<Oid>), git2::Error> {
    let commit = |name: &str| {
        if !name.is_empty() && name.bytes().all(|byte| byte == b'0') {
            return Ok(None);
        }
        let name = if name.is_empty() { "HEAD" } else { name };
        repository.revparse_single(name)?.peel(ObjectType::Commit).map(|commit| Some(commit.id()))
    };
    if let Some((from, to)) = spec.split_once("...") {
        let (from, to) = (commit(from)?, commit(to)?);
        let base = from.zip(to).and_then(|(from, to)| repository.merge_base(from, to).ok());
        return Ok((base, to));
    }
    match spec.split_once("..") {
        Some((from, to)) => Ok((commit(from)?, commit(to)?)),
        None => Ok((None, commit(spec)?)),
    }
}

/// The path of the analysis inside its repository; empty at the top.
fn prefix(repository: &Repository, top: &Path) -> String {
    let workdir = repository.workdir().and_then(|dir| dir.canonicalize().ok());
    let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
    let below = workdir.and_then(|dir| top.strip_prefix(dir).ok().map(Path::to_owned));
    below.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
}

fn below<'a>(repository: &'a Repository, tree: Tree<'a>, prefix: &str) -> Option<Tree<'a>> {
    if prefix.is_empty() {
        return Some(tree);
    }
    tree.get_path(Path::new(prefix)).ok()?.to_object(repository).ok()?.into_tree().ok()
}

/// Everything in a tree that is no directory, by path. Names that are no UTF-8 are left out.
fn blobs(tree: &Tree<'_>) -> Vec<(String, Blob)> {
    let mut found = Vec::new();
    let _ = tree.walk(TreeWalkMode::PreOrder, |dir, entry| {
        let kind = entry.kind();
        if let Ok(name) = entry.name()
            && kind != Some(ObjectType::Tree)
        {
            let is_commit = kind == Some(ObjectType::Commit);
            found.push((format!("{dir}{name}"), Blob { id: entry.id(), mode: entry.filemode(), is_commit }));
        }
        TreeWalkResult::Ok
    });
    found
}
