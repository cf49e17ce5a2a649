//! The files of a repository that an audit reads: those that git has and those that nobody ignores; without git, all.
//!
//! Links are listed with their targets and never followed; what is no regular file, a device or a pipe, is never opened.
//! Directories that are not part of the analysis are left out ([`is_foreign_directory`]).

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::model::scan::Note;
use crate::source::SourceError;
use crate::source::foreign::is_foreign_directory;

/// Most entries that are looked at; the rest is noted.
const MOST_ENTRIES: usize = 2_000_000;
/// Largest `.gitignore` that is followed.
const LARGEST_IGNORE: u64 = 1 << 20;
/// Most opening braces in a pattern.
const MOST_BRACES: usize = 100;

/// What lies in a repository.
#[derive(Debug, Default)]
pub struct Walk {
    /// Regular files to read, sorted.
    pub files: Vec<String>,
    /// Links with their targets as written, sorted.
    pub links: Vec<(String, String)>,
    /// Every path there is, ignored ones and links too.
    pub paths: BTreeSet<String>,
    /// Paths of submodules that git's index has a commit for.
    pub submodules: BTreeSet<String>,
    /// What could not be read.
    pub notes: Vec<Note>,
    /// Entries that are no regular file, or whose names are no UTF-8.
    pub skipped: u64,
}

/// Walks the tree at `top`; `excluded` says which paths nobody wants to see.
///
/// # Errors
/// When `top` is no directory.
pub fn walk(top: &Path, excluded: &(dyn Fn(&str) -> bool + Sync)) -> Result<Walk, SourceError> {
    if !top.is_dir() {
        return Err(SourceError::NoDirectory { path: top.to_owned() });
    }
    let top = top.canonicalize().map_err(|error| SourceError::io("reading", top, error))?;
    let index = Index::read(&top);
    let mut walk = Walk { submodules: index.submodules.clone(), ..Walk::default() };
    if !collect(&top, index.is_git, &index.submodules, &mut walk) {
        walk = Walk { submodules: index.submodules.clone(), ..Walk::default() };
        let message = "a .gitignore is no such file, so nothing is ignored".to_owned();
        walk.notes.push(Note { path: ".".to_owned(), message });
        collect(&top, false, &index.submodules, &mut walk);
    }
    // A file that git has is part of the repository whatever .gitignore says, and so is what was exported from git: there
    // nothing is left out.
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
    walk.files.retain(|path| !excluded(path));
    walk.files.sort_unstable();
    walk.links.sort_unstable();
    walk.notes.sort_unstable();
    Ok(walk)
}

/// What git's index has below the top.
#[derive(Default)]
struct Index {
    /// Whether the top lies in a working tree of git.
    is_git: bool,
    files: BTreeSet<String>,
    submodules: BTreeSet<String>,
}

impl Index {
    fn read(top: &Path) -> Self {
        let mut found = Self::default();
        let Some(repository) = super::repository::open(top) else { return found };
        found.is_git = true;
        let workdir = repository.workdir().map(|dir| dir.canonicalize().unwrap_or_else(|_| dir.to_owned()));
        let Some(below) = workdir.as_deref().and_then(|dir| top.strip_prefix(dir).ok()) else { return found };
        for entry in super::repository::tracked(&repository).unwrap_or_default() {
            let Some(path) = entry.path.strip_prefix(below).ok().and_then(Path::to_str) else { continue };
            if entry.is_submodule {
                found.submodules.insert(path.to_owned());
            } else {
                found.files.insert(path.to_owned());
            }
        }
        found
    }
}

/// Whether the patterns of a directory can be given to a parser that calls itself for each brace.
fn is_sane(dir: &Path) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    let file = match open(&dir.join(".gitignore")) {
        Ok(file) => file,
        // A pipe would be waited for, a link leads who knows where: git doesn't follow it either.
        Err(error) => return matches!(error.kind(), NotFound | PermissionDenied | NotADirectory),
    };
    let mut bytes = Vec::new();
    let is_read = file.take(LARGEST_IGNORE + 1).read_to_end(&mut bytes).is_ok();
    let is_nested = |line: &[u8]| line.iter().filter(|byte| **byte == b'{').count() > MOST_BRACES;
    is_read && bytes.len() as u64 <= LARGEST_IGNORE && !bytes.split(|byte| *byte == b'\n').any(is_nested)
}

/// Adds what lies below `top`, what is ignored only when asked. False when patterns can't be read: then only a part was added.
fn collect(top: &Path, without_ignored: bool, submodules: &BTreeSet<String>, into: &mut Walk) -> bool {
    if without_ignored && !is_sane(top) {
        return false;
    }
    let all_sane = Arc::new(AtomicBool::new(true));
    let found = Mutex::new(std::mem::take(into));
    let is_foreign = {
        let (top, submodules, all_sane) = (top.to_owned(), submodules.clone(), Arc::clone(&all_sane));
        move |entry: &DirEntry| {
            let name = entry.file_name().to_str().unwrap_or_default();
            let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
            let environment = || entry.path().join("pyvenv.cfg").is_file() || entry.path().join("conda-meta").is_dir();
            let submodule = || relative(&top, entry.path()).is_some_and(|path| submodules.contains(&path));
            let inside = entry.depth() > 0;
            let made = || ignores_itself(entry.path());
            if inside
                && (name == ".git" || is_dir && (is_foreign_directory(name) || environment() || made() || submodule()))
            {
                return false;
            }
            if without_ignored && is_dir && !is_sane(entry.path()) {
                all_sane.store(false, Ordering::Relaxed);
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
    *into = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    all_sane.load(Ordering::Relaxed)
}

/// Whether a directory says of itself that nobody should keep it: reports of carnet, caches and environments of other tools,
/// whose `.gitignore` is a `*` alone.
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
    if found.paths.len() >= MOST_ENTRIES {
        let message = format!("more than {MOST_ENTRIES} files: the rest is not scanned");
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

/// A note for a directory that can't be read; lines of `.gitignore` files that mean nothing are no concern of ours.
fn unreadable(top: &Path, error: &ignore::Error) -> Option<Note> {
    let mut inner = error;
    while let ignore::Error::WithDepth { err, .. } = inner {
        inner = err;
    }
    let ignore::Error::WithPath { path, err } = inner else { return None };
    let reason = err.io_error().filter(|reason| reason.kind() != std::io::ErrorKind::NotFound)?;
    Some(Note { path: relative(top, path).unwrap_or_default(), message: format!("it can't be read: {reason}") })
}

/// Opens a regular file; nothing else, however it got there since the walk, and without waiting for a pipe's other end.
///
/// # Errors
/// When it can't be opened or is no regular file.
pub fn open(path: &Path) -> std::io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    Ok(file)
}

/// The first `cap` bytes of a regular file, into `bytes`; whether there was more.
///
/// # Errors
/// When it can't be read.
pub fn read(path: &Path, cap: u64, bytes: &mut Vec<u8>) -> std::io::Result<bool> {
    bytes.clear();
    let file = open(path)?;
    (&file).take(cap).read_to_end(bytes)?;
    Ok(bytes.len() as u64 == cap && (&file).take(1).read(&mut [0])? > 0)
}

/// A submodule as `.gitmodules` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submodule {
    /// Path.
    pub path: String,
    /// URL, without credentials.
    pub url: String,
    /// Branch that is followed.
    pub branch: Option<String>,
    /// Line of its section, from 1.
    pub line: u32,
}

/// The submodules of a `.gitmodules` file (git-config(1), "Syntax"; gitmodules(5)).
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
    fn what_was_exported_from_git_is_all_read() {
        let top = tree();
        let walk = walk(top.path(), &|_| false).expect("walked");
        assert_eq!(walk.files, [".gitignore", "submit.jdl"]);
    }

    #[test]
    fn in_git_an_ignored_file_is_known_and_not_read() {
        let top = tree();
        git2::Repository::init(top.path()).expect("a repository");
        let walk = walk(top.path(), &|_| false).expect("walked");
        assert_eq!(walk.files, [".gitignore"]);
        assert!(walk.paths.contains("submit.jdl"));
    }
}
