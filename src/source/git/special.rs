//! Pipes and devices among the files that git and libgit2 open. Reading one may never end.
//!
//! Sockets can't be opened, and git itself creates one for its file system monitor.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ignore::{WalkBuilder, WalkState};

use crate::source::SourceError;
use crate::sys::environment;
use crate::sys::file::{Links, open_regular};

/// Directories in a git directory whose files git opens.
const DIRECTORIES: [&str; 2] = ["info", "reftable"];
/// Directories in a git directory whose files git opens at any depth.
const TREES: [&str; 2] = ["refs", "logs"];
/// Settings whose values are files that git opens.
const FILE_SETTINGS: [&str; 3] = ["path", "excludesfile", "attributesfile"];
/// Files in a working tree that git or the `ignore` crate opens in every directory.
const IGNORE_FILES: [&str; 3] = [".gitignore", ".gitattributes", ".ignore"];
/// Maximum nesting of directories of refs, of alternates and of included configuration files.
const MAX_DEPTH: usize = 16;
/// Maximum size in bytes of a file that names other files.
const MAX_SIZE: u64 = 1 << 20;

/// Returns a pipe or device that git would open in the repository that contains `start`. `None` outside git.
///
/// A repository is searched once, because a command opens it several times.
pub(super) fn find(start: &Path) -> Option<PathBuf> {
    static FOUND: Mutex<BTreeMap<PathBuf, Option<PathBuf>>> = Mutex::new(BTreeMap::new());
    if let Some(dir) = environment::non_empty_os("GIT_DIR") {
        return in_git_directory(Path::new(&dir), 0);
    }
    let start = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
    let mut found = FOUND.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (dir, git) = start.ancestors().find_map(|dir| Some((dir.to_owned(), git_entry(dir)?)))?;
    found.entry(dir).or_insert_with(|| in_entry(&git)).clone()
}

/// Returns an error for a pipe or device that git would open: in the repository that contains `top`, or as an ignore file
/// in its working tree.
///
/// # Errors
/// If there is one.
pub(super) fn check(top: &Path) -> Result<(), SourceError> {
    let workdir = top.ancestors().find(|dir| git_entry(dir).is_some());
    let found = find(top).or_else(|| ignore_file(workdir.unwrap_or(top)));
    let Some(path) = found else { return Ok(()) };
    let source = open_regular(&path, Links::Follow).err().unwrap_or_else(|| std::io::ErrorKind::InvalidInput.into());
    Err(SourceError::io("read", &path, source))
}

/// Returns `.git` in a directory, or the directory itself if it is a bare repository.
fn git_entry(dir: &Path) -> Option<PathBuf> {
    let git = dir.join(".git");
    if git.symlink_metadata().is_ok() {
        return Some(git);
    }
    (dir.join("objects").is_dir() && dir.join("HEAD").symlink_metadata().is_ok()).then(|| dir.to_owned())
}

/// Searches `.git`, which is a directory or a file with the path of one.
fn in_entry(git: &Path) -> Option<PathBuf> {
    if git.is_dir() {
        return in_git_directory(git, 0);
    }
    if blocks(git) {
        return Some(git.to_owned());
    }
    let text = read(git)?;
    let target = text.strip_prefix("gitdir:")?.trim();
    in_git_directory(&git.parent()?.join(target), 0)
}

fn in_git_directory(dir: &Path, depth: usize) -> Option<PathBuf> {
    if depth > MAX_DEPTH {
        return None;
    }
    let common = || {
        let text = read(&dir.join("commondir"))?;
        in_git_directory(&dir.join(text.trim()), depth + 1)
    };
    in_directory(dir)
        .or_else(|| DIRECTORIES.iter().find_map(|name| in_directory(&dir.join(name))))
        .or_else(|| TREES.iter().find_map(|name| in_tree(&dir.join(name), 0)))
        .or_else(|| in_objects(&dir.join("objects"), 0))
        .or_else(|| ["config", "config.worktree"].iter().find_map(|name| in_settings(&dir.join(name), 0)))
        .or_else(common)
}

/// Searches a directory of objects and those that it lists as alternates (gitrepository-layout(5)).
fn in_objects(dir: &Path, depth: usize) -> Option<PathBuf> {
    if depth > MAX_DEPTH {
        return None;
    }
    let is_fan_out = |path: &Path| path.file_name().is_some_and(|name| name.len() == 2);
    let fan_out =
        || fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| is_fan_out(path));
    let found = [dir.join("info"), dir.join("pack")].into_iter().chain(fan_out()).find_map(|dir| in_directory(&dir));
    found.or_else(|| {
        let alternates = read(&dir.join("info/alternates"))?;
        let mut paths = alternates.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        paths.find_map(|path| in_objects(&dir.join(path), depth + 1))
    })
}

/// Searches a configuration file, the files that its settings name, and the files that it includes.
fn in_settings(file: &Path, depth: usize) -> Option<PathBuf> {
    if blocks(file) {
        return Some(file.to_owned());
    }
    let text = read(file).filter(|_| depth <= MAX_DEPTH)?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let key = key.trim().to_ascii_lowercase();
        let path = resolve(value.trim().trim_matches('"'), file)?;
        match FILE_SETTINGS.contains(&key.as_str()) {
            true if key == "path" => in_settings(&path, depth + 1),
            true => blocks(&path).then_some(path),
            false => None,
        }
    })
}

/// Returns the path that a setting names, relative to the directory of its file.
fn resolve(value: &str, file: &Path) -> Option<PathBuf> {
    match value.strip_prefix("~/") {
        Some(path) => Some(PathBuf::from(environment::non_empty_os("HOME")?).join(path)),
        None => Some(file.parent()?.join(value)),
    }
}

fn in_tree(dir: &Path, depth: usize) -> Option<PathBuf> {
    let directories = || {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
    };
    in_directory(dir)
        .or_else(|| if depth < MAX_DEPTH { directories().find_map(|dir| in_tree(&dir, depth + 1)) } else { None })
}

fn in_directory(dir: &Path) -> Option<PathBuf> {
    let blocks = |entry: &fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_file() || kind.is_dir() => false,
        _ => blocks(&entry.path()),
    };
    fs::read_dir(dir).into_iter().flatten().flatten().find(blocks).map(|entry| entry.path())
}

/// Returns an ignore file in a working tree that is a pipe or a device. Ignored directories are not searched.
pub(super) fn ignore_file(top: &Path) -> Option<PathBuf> {
    let in_directory = |dir: &Path| IGNORE_FILES.iter().map(|name| dir.join(name)).find(|file| blocks(file));
    if let Some(file) = in_directory(top) {
        return Some(file);
    }
    let found = std::sync::Arc::new(Mutex::new(None));
    let is_over = std::sync::Arc::new(AtomicBool::new(false));
    let (walk_found, walk_is_over) = (std::sync::Arc::clone(&found), std::sync::Arc::clone(&is_over));
    let walk = WalkBuilder::new(top)
        .hidden(false)
        .require_git(false)
        .git_global(false)
        .parents(false)
        .follow_links(false)
        // Called before the ignore files of a directory are read.
        .filter_entry(move |entry| {
            if entry.file_name() == ".git" || !entry.file_type().is_some_and(|kind| kind.is_dir()) {
                return false;
            }
            let Some(file) = in_directory(entry.path()) else { return true };
            *walk_found.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(file);
            walk_is_over.store(true, Ordering::Relaxed);
            false
        })
        .threads(std::thread::available_parallelism().map_or(2, |n| n.get().min(8)))
        .build_parallel();
    walk.run(|| Box::new(|_| if is_over.load(Ordering::Relaxed) { WalkState::Quit } else { WalkState::Continue }));
    found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
}

/// Reports whether a path leads to a pipe or a device except `/dev/null`.
fn blocks(path: &Path) -> bool {
    let kind = path.metadata().map(|data| data.file_type());
    kind.is_ok_and(|kind| kind.is_fifo() || kind.is_block_device() || kind.is_char_device())
        && path.canonicalize().is_ok_and(|path| path != Path::new("/dev/null"))
}

fn read(path: &Path) -> Option<String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    open_regular(path, Links::Follow).ok()?.take(MAX_SIZE).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::{check, in_entry};

    #[test]
    fn pipes_that_git_opens_are_found() {
        for name in [
            ".git/HEAD",
            ".git/index",
            ".git/config",
            ".git/packed-refs",
            ".git/info/exclude",
            ".git/refs/heads/a/b",
            ".git/objects/ab/cdef",
            ".git/objects/pack/pack-1.idx",
            ".git/objects/info/alternates",
            ".git/other",
            "included",
            "outside/pack/pack-1.pack",
            ".gitattributes",
            "a/b/.gitignore",
            ".git",
        ] {
            let dir = tempfile::tempdir().unwrap();
            let top = dir.path().canonicalize().unwrap();
            git2::Repository::init(&top).unwrap();
            fs::create_dir(top.join("ignored")).unwrap();
            fs::write(top.join(".gitignore"), "/ignored/\n").unwrap();
            fs::write(top.join(".git/objects/info/alternates"), "../../outside\n").unwrap();
            let config = fs::read_to_string(top.join(".git/config")).unwrap();
            let settings = "[include]\n\tpath = ../included\n[core]\n\texcludesFile = /dev/null\n";
            fs::write(top.join(".git/config"), config + settings).unwrap();
            let pipe = |path: &Path| mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
            pipe(&top.join("ignored/.gitignore"));
            pipe(&top.join("data"));
            assert_eq!(in_entry(&top.join(".git")), None);
            let path = top.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
            pipe(&path);
            let error = check(&top).unwrap_err();
            assert_eq!(carnet_error(&error), "a pipe, not a regular file", "{name}");
            assert!(error.to_string().contains(Path::new(name).file_name().unwrap().to_str().unwrap()), "{error}");
        }
    }

    fn carnet_error(error: &dyn std::error::Error) -> String {
        error.source().map(ToString::to_string).unwrap_or_default()
    }
}
