//! The files of a repository that a scan reads: tracked files and those not ignored by `.gitignore`, or all files outside git.
//!
//! Symbolic links are listed with their targets and never followed. Devices, pipes and sockets are never opened. Directories
//! that are not part of the analysis are left out ([`is_foreign_directory`]).

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::special;
use crate::model::scan::Note;
use crate::source::SourceError;
use crate::source::foreign::is_foreign_directory;
use crate::sys::file::{Links, open_regular};

/// Maximum number of entries. The scan stops there with a note.
const MAX_ENTRIES: usize = 2_000_000;
/// Maximum size in bytes of a `.gitignore` file.
const MAX_IGNORE_SIZE: u64 = 1 << 20;
/// Maximum number of opening braces in a pattern.
const MAX_BRACES: usize = 100;

/// The files of a repository.
#[derive(Debug, Default)]
pub struct Walk {
    /// Paths of the regular files to scan, sorted.
    pub files: Vec<String>,
    /// Symbolic links as path and target, sorted.
    pub links: Vec<(String, String)>,
    /// Paths of all files and links, including ignored ones.
    pub paths: BTreeSet<String>,
    /// Paths of submodules in git's index.
    pub submodules: BTreeSet<String>,
    /// Files and directories that can't be read.
    pub notes: Vec<Note>,
    /// Number of entries that are not regular files or whose names are not valid UTF-8.
    pub skipped: u64,
}

/// Lists the files below `top`, except those for which `excluded` returns true.
///
/// # Errors
/// If `top` is not a directory.
pub fn walk(top: &Path, excluded: &(dyn Fn(&str) -> bool + Sync)) -> Result<Walk, SourceError> {
    if !top.is_dir() {
        return Err(SourceError::NoDirectory { path: top.to_owned() });
    }
    let top = top.canonicalize().map_err(|error| SourceError::io("read", top, error))?;
    let index = Index::read(&top);
    let mut walk = Walk { submodules: index.submodules.clone(), ..Walk::default() };
    if !collect(&top, index.is_git, &index.submodules, &mut walk) {
        walk = Walk { submodules: index.submodules.clone(), ..Walk::default() };
        let message = "a .gitignore file is invalid: ignore rules are not applied".to_owned();
        walk.notes.push(Note { path: ".".to_owned(), message });
        collect(&top, false, &index.submodules, &mut walk);
    }
    // Tracked files are scanned even if `.gitignore` matches them, and so are all files of a tree exported from git.
    let ignored = Walk { submodules: index.submodules.clone(), ..Walk::default() };
    let has_ignores = walk.paths.iter().any(|path| path == ".gitignore" || path.ends_with("/.gitignore"));
    if index.is_git && (has_ignores || !index.files.is_empty()) {
        let mut all = ignored;
        collect(&top, false, &index.submodules, &mut all);
        for path in all.files.iter().filter(|path| index.files.contains(*path) && !walk.paths.contains(*path)) {
            walk.files.push(path.clone());
        }
        walk.paths.append(&mut all.paths);
    }
    if let Some(path) = special::find(&top) {
        let path = path.strip_prefix(&top).unwrap_or(&path).to_string_lossy().into_owned();
        let message = "a pipe or a device: the git repository is not read".to_owned();
        walk.notes.push(Note { path, message });
    }
    walk.files.retain(|path| !excluded(path));
    walk.files.sort_unstable();
    walk.links.sort_unstable();
    walk.notes.sort_unstable();
    Ok(walk)
}

/// The entries of git's index below the top.
#[derive(Default)]
struct Index {
    /// Whether the top is in a git working tree.
    is_git: bool,
    files: BTreeSet<String>,
    submodules: BTreeSet<String>,
}

impl Index {
    fn read(top: &Path) -> Self {
        let mut index = Self::default();
        let Some(repository) = super::repository::open(top) else { return index };
        index.is_git = true;
        let workdir = repository.workdir().map(|dir| dir.canonicalize().unwrap_or_else(|_| dir.to_owned()));
        let Some(prefix) = workdir.as_deref().and_then(|dir| top.strip_prefix(dir).ok()) else { return index };
        for entry in super::repository::tracked(&repository).unwrap_or_default() {
            let Some(path) = entry.path.strip_prefix(prefix).ok().and_then(Path::to_str) else { continue };
            if entry.is_submodule {
                index.submodules.insert(path.to_owned());
            } else {
                index.files.insert(path.to_owned());
            }
        }
        index
    }
}

/// Reports whether the `.gitignore` of a directory can be parsed safely: the parser recurses for each brace.
fn has_safe_ignore_file(dir: &Path) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    let file = match open(&dir.join(".gitignore")) {
        Ok(file) => file,
        // git does not follow a link either.
        Err(error) => return matches!(error.kind(), NotFound | PermissionDenied | NotADirectory),
    };
    let mut bytes = Vec::new();
    let is_read = file.take(MAX_IGNORE_SIZE + 1).read_to_end(&mut bytes).is_ok();
    let is_nested = |line: &[u8]| line.iter().filter(|byte| **byte == b'{').count() > MAX_BRACES;
    is_read && bytes.len() as u64 <= MAX_IGNORE_SIZE && !bytes.split(|byte| *byte == b'\n').any(is_nested)
}

/// Adds the files below `top` to `walk`.
///
/// Returns false if a `.gitignore` file is invalid; the result is then incomplete.
fn collect(top: &Path, without_ignored: bool, submodules: &BTreeSet<String>, walk: &mut Walk) -> bool {
    if without_ignored && !has_safe_ignore_file(top) {
        return false;
    }
    let all_safe = Arc::new(AtomicBool::new(true));
    let found = Mutex::new(std::mem::take(walk));
    let is_foreign = {
        let (top, submodules, all_safe) = (top.to_owned(), submodules.clone(), Arc::clone(&all_safe));
        move |entry: &DirEntry| {
            let name = entry.file_name().to_str().unwrap_or_default();
            let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
            let is_environment =
                || entry.path().join("pyvenv.cfg").is_file() || entry.path().join("conda-meta").is_dir();
            let is_submodule = || relative(&top, entry.path()).is_some_and(|path| submodules.contains(&path));
            let is_inside = entry.depth() > 0;
            let is_generated = || ignores_itself(entry.path());
            if is_inside
                && (name == ".git"
                    || is_dir && (is_foreign_directory(name) || is_environment() || is_generated() || is_submodule()))
            {
                return false;
            }
            if without_ignored && is_dir && !has_safe_ignore_file(entry.path()) {
                all_safe.store(false, Ordering::Relaxed);
                return false;
            }
            true
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get().min(8));
    let walker = WalkBuilder::new(top)
        .standard_filters(false)
        .git_ignore(without_ignored)
        .git_exclude(without_ignored)
        .ignore(false)
        .require_git(false)
        .parents(false)
        .follow_links(false)
        .filter_entry(is_foreign)
        .threads(threads)
        .build_parallel();
    walker.run(|| {
        Box::new(|entry| {
            let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            add(top, entry, &mut found)
        })
    });
    *walk = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    all_safe.load(Ordering::Relaxed)
}

/// Reports whether the `.gitignore` of a directory contains the line `*`, as in reports of carnet, caches and environments.
fn ignores_itself(dir: &Path) -> bool {
    let mut bytes = Vec::new();
    read(&dir.join(".gitignore"), 64, &mut bytes).is_ok_and(|is_longer| !is_longer)
        && bytes.split(|byte| *byte == b'\n').any(|line| line.trim_ascii() == b"*")
}

fn add(top: &Path, entry: Result<DirEntry, ignore::Error>, found: &mut Walk) -> WalkState {
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => {
            found.notes.extend(unreadable(top, &error));
            return WalkState::Continue;
        }
    };
    let kind = entry.file_type();
    if entry.depth() == 0 || kind.is_some_and(|kind| kind.is_dir()) {
        return WalkState::Continue;
    }
    if found.paths.len() >= MAX_ENTRIES {
        let message = format!("more than {MAX_ENTRIES} files: the remaining files are not scanned");
        found.notes.push(Note { path: ".".to_owned(), message });
        return WalkState::Quit;
    }
    let Some(path) = relative(top, entry.path()) else {
        found.skipped += 1;
        return WalkState::Continue;
    };
    if kind.is_some_and(|kind| kind.is_symlink()) {
        let target = std::fs::read_link(entry.path()).unwrap_or_default();
        found.links.push((path.clone(), target.to_string_lossy().into_owned()));
    } else if kind.is_some_and(|kind| kind.is_file()) {
        found.files.push(path.clone());
    } else {
        found.skipped += 1;
    }
    found.paths.insert(path);
    WalkState::Continue
}

fn relative(top: &Path, path: &Path) -> Option<String> {
    path.strip_prefix(top).ok()?.to_str().map(str::to_owned)
}

/// Returns a note for a directory that can't be read. Invalid lines of `.gitignore` files are not reported.
fn unreadable(top: &Path, error: &ignore::Error) -> Option<Note> {
    let mut inner = error;
    while let ignore::Error::WithDepth { err, .. } = inner {
        inner = err;
    }
    let ignore::Error::WithPath { path, err } = inner else { return None };
    let reason = err.io_error().filter(|reason| reason.kind() != std::io::ErrorKind::NotFound)?;
    Some(Note { path: relative(top, path).unwrap_or_default(), message: format!("failed to read: {reason}") })
}

/// Opens a regular file without following links and without blocking on a pipe.
///
/// # Errors
/// If the file can't be opened or is not a regular file.
pub fn open(path: &Path) -> std::io::Result<File> {
    open_regular(path, Links::Refuse)
}

/// Reads the first `max_bytes` bytes of a regular file into `bytes`. Returns true if the file is longer.
///
/// # Errors
/// If the file can't be read.
pub fn read(path: &Path, max_bytes: u64, bytes: &mut Vec<u8>) -> std::io::Result<bool> {
    bytes.clear();
    let file = open(path)?;
    (&file).take(max_bytes).read_to_end(bytes)?;
    Ok(bytes.len() as u64 == max_bytes && (&file).take(1).read(&mut [0])? > 0)
}

/// A section of a `.gitmodules` file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submodule {
    /// Path of the submodule relative to the top.
    pub path: String,
    /// URL, without credentials.
    pub url: String,
    /// Branch that `git submodule update --remote` follows. `None` if not set.
    pub branch: Option<String>,
    /// Line of the section header, starting at 1.
    pub line: u32,
}

/// Parses the submodules of a `.gitmodules` file (git-config(1), "Syntax"; gitmodules(5)).
pub fn gitmodules(text: &str) -> Vec<Submodule> {
    let mut found: Vec<Submodule> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with("[submodule") {
            found.push(Submodule { line: u32::try_from(n + 1).unwrap_or(u32::MAX), ..Submodule::default() });
        } else if let (Some((key, value)), Some(last)) = (line.split_once('='), found.last_mut()) {
            let value = value.trim().trim_matches('"').to_owned();
            match key.trim() {
                "path" => last.path = value,
                "url" => last.url = super::repository::without_credentials(&value),
                "branch" => last.branch = Some(value),
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::walk;

    fn tree() -> tempfile::TempDir {
        let top = tempfile::tempdir().expect("a directory");
        std::fs::write(top.path().join(".gitignore"), "*.jdl\n").expect("written");
        std::fs::write(top.path().join("submit.jdl"), "queue\n").expect("written");
        top
    }

    #[test]
    fn ignored_file_outside_git_is_scanned() {
        let top = tree();
        let walk = walk(top.path(), &|_| false).expect("a walk");
        assert_eq!(walk.files, [".gitignore", "submit.jdl"]);
    }

    #[test]
    fn ignored_file_in_git_is_listed_and_not_scanned() {
        let top = tree();
        git2::Repository::init(top.path()).expect("a repository");
        let walk = walk(top.path(), &|_| false).expect("a walk");
        assert_eq!(walk.files, [".gitignore"]);
        assert!(walk.paths.contains("submit.jdl"));
    }
}
