//! The git repository that contains an analysis.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Repository, StatusOptions};

use super::GitError;
use super::command::Git;
use super::mode::SUBMODULE;
use super::special;

/// Maximum nesting depth of submodules that are checked for changes.
const MAX_DEPTH: u8 = 8;
/// Maximum size in bytes of the `.git` file of a submodule.
const MAX_GIT_FILE: u64 = 1 << 16;

/// The state of the repository that contains an analysis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Top of the working tree. `None` outside git.
    pub top: Option<PathBuf>,
    /// Id of the checked-out commit. `None` before the first commit.
    pub commit: Option<String>,
    /// Whether tracked files differ from the commit or untracked files exist.
    pub dirty: bool,
    /// URL of the remote `origin`, or of the first remote, without credentials.
    pub remote: Option<String>,
}

/// Opens the repository that contains `dir`. `None` if there is none, it can't be read, or reading it may never end.
pub(super) fn open(dir: &Path) -> Option<Repository> {
    if special::find(dir).is_some() {
        return None;
    }
    let repository = match Repository::discover(dir) {
        Err(error) if error.code() == ErrorCode::Owner => foreign(dir)?,
        found => found.ok()?,
    };
    repository.workdir()?;
    Some(repository)
}

/// Opens a repository owned by another user, as found by root in the container of a CI job.
///
/// git and libgit2 refuse such a repository because its configuration can name programs to run. This module does not run any.
fn foreign(dir: &Path) -> Option<Repository> {
    let git = dir.ancestors().map(|top| top.join(".git")).find(|git| git.is_dir())?;
    let repository = Repository::open_bare(&git).ok()?;
    repository.set_workdir(git.parent()?, false).ok()?;
    Some(repository)
}

/// Opens the repository of a submodule at `inner` of `outer`. `None` if the submodule is not checked out.
pub(super) fn submodule(outer: &Repository, inner: &Path) -> Option<Repository> {
    if special::find(inner).is_some() {
        return None;
    }
    let repository = match Repository::open(inner) {
        Err(error) if error.code() == ErrorCode::Owner => foreign_submodule(outer, inner)?,
        found => found.ok()?,
    };
    repository.workdir()?;
    Some(repository)
}

/// Opens a submodule owned by another user. Its `.git` file names a directory inside the git directory of `outer`.
fn foreign_submodule(outer: &Repository, inner: &Path) -> Option<Repository> {
    let file = inner.join(".git");
    let mut link = String::new();
    File::open(file.symlink_metadata().ok()?.is_file().then_some(file)?)
        .ok()?
        .take(MAX_GIT_FILE)
        .read_to_string(&mut link)
        .ok()?;
    let git = inner.join(link.strip_prefix("gitdir:")?.trim()).canonicalize().ok()?;
    let modules = outer.path().canonicalize().ok()?.join("modules");
    let repository = Repository::open_bare(git.starts_with(modules).then_some(git)?).ok()?;
    repository.set_workdir(inner, false).ok()?;
    Some(repository)
}

/// Returns the state of the repository that contains `dir`. Empty outside git.
pub fn facts(dir: &Path) -> Facts {
    let Some(repository) = open(dir) else { return Facts::default() };
    Facts { dirty: dirty(&repository, MAX_DEPTH), ..clean_facts(&repository) }
}

/// Returns the state of the repository without checking the working tree: `dirty` is always false.
pub fn facts_without_status(dir: &Path) -> Facts {
    open(dir).as_ref().map(clean_facts).unwrap_or_default()
}

fn clean_facts(repository: &Repository) -> Facts {
    Facts {
        top: repository.workdir().map(Path::to_owned),
        commit: repository.head().ok().and_then(|head| head.target()).map(|id| id.to_string()),
        dirty: false,
        remote: remote(repository),
    }
}

/// Returns the path of `dir` relative to the top of its repository. Empty at the top and outside git.
pub fn path_in_repository(dir: &Path) -> String {
    let relative = || {
        let top = facts_without_status(dir).top?.canonicalize().ok()?;
        Some(dir.canonicalize().ok()?.strip_prefix(top).ok()?.to_string_lossy().into_owned())
    };
    relative().unwrap_or_default()
}

/// Reports whether the working tree differs from the commit, including submodules down to a depth.
///
/// libgit2 reports submodules of another user as changed, so they are checked here.
fn dirty(repository: &Repository, depth: u8) -> bool {
    // An unknown status counts as dirty.
    if repository.workdir().is_some_and(|top| special::ignore_file(top).is_some()) {
        return true;
    }
    let mut options = StatusOptions::new();
    options.include_untracked(true).include_ignored(false).no_refresh(true).exclude_submodules(true);
    let is_clean = match repository.statuses(Some(&mut options)) {
        Ok(statuses) => statuses.is_empty(),
        Err(_) => {
            run_git(repository, &["status", "--porcelain", "--ignore-submodules=all"]).is_some_and(|out| out.is_empty())
        }
    };
    if !is_clean {
        return true;
    }
    let (Some(top), Ok(index)) = (repository.workdir(), tracked(repository)) else { return false };
    let changed = |entry: &Tracked| {
        let inner = submodule(repository, &top.join(&entry.path))?;
        let moved = inner.head().ok().and_then(|head| head.target()).map(|id| id.to_string()) != Some(entry.id.clone());
        Some(moved || dirty(&inner, depth - 1))
    };
    depth > 0 && index.iter().filter(|entry| entry.is_submodule).any(|entry| changed(entry).unwrap_or(false))
}

/// An entry of git's index.
pub(super) struct Tracked {
    /// Path relative to the top of the working tree.
    pub(super) path: PathBuf,
    pub(super) is_submodule: bool,
    id: String,
}

/// Returns the entries of git's index. A split or sparse index, which libgit2 can't read, is read with the `git` command.
///
/// # Errors
/// If neither can read the index.
pub(super) fn tracked(repository: &Repository) -> Result<Vec<Tracked>, GitError> {
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    match repository.index() {
        Ok(index) => Ok(index
            .iter()
            .map(|entry| Tracked {
                path: path(&entry.path),
                is_submodule: entry.mode == SUBMODULE,
                id: entry.id.to_string(),
            })
            .collect()),
        Err(error) => {
            let output = run_git(repository, &["ls-files", "--stage", "-z"]).ok_or(error)?;
            // `MODE ID STAGE<tab>PATH` (git-ls-files(1)).
            let entry = |line: &[u8]| {
                let tab = line.iter().position(|byte| *byte == b'\t')?;
                let mut words = std::str::from_utf8(&line[..tab]).ok()?.split(' ');
                let mode = u32::from_str_radix(words.next()?, 8).ok()?;
                let id = words.next()?.to_owned();
                Some(Tracked { path: path(&line[tab + 1..]), is_submodule: mode == SUBMODULE, id })
            };
            Ok(output.split(|byte| *byte == 0).filter_map(entry).collect())
        }
    }
}

/// Returns the paths of files that are neither in git's index nor ignored, relative to the top of the working tree.
///
/// # Errors
/// If the working tree can't be read.
pub(super) fn untracked(repository: &Repository) -> Result<Vec<PathBuf>, GitError> {
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).include_ignored(false);
    options.exclude_submodules(true).no_refresh(true);
    match repository.statuses(Some(&mut options)) {
        Ok(statuses) => {
            let new = statuses.iter().filter(|entry| entry.status().is_wt_new());
            Ok(new.map(|entry| path(entry.path_bytes())).collect())
        }
        Err(error) => {
            let output = run_git(repository, &["ls-files", "--others", "--exclude-standard", "-z"]).ok_or(error)?;
            Ok(output.split(|byte| *byte == 0).filter(|line| !line.is_empty()).map(path).collect())
        }
    }
}

/// Returns the output of the `git` command for this repository. The command does not write, and runs no configured programs.
fn run_git(repository: &Repository, arguments: &[&str]) -> Option<Vec<u8>> {
    let top = repository.workdir()?;
    let (dir, tree) = (format!("--git-dir={}", repository.path().to_str()?), format!("--work-tree={}", top.to_str()?));
    let options = [&*dir, &*tree, "--no-optional-locks", "-c", "core.fsmonitor=false"];
    Git::at(top).run(&[&options, arguments].concat()).ok()
}

fn remote(repository: &Repository) -> Option<String> {
    let origin = repository.find_remote("origin").ok().or_else(|| {
        let names = repository.remotes().ok()?;
        let first = names.iter().find_map(|name| name.ok().flatten().map(str::to_owned))?;
        repository.find_remote(&first).ok()
    })?;
    origin.url().ok().map(without_credentials)
}

/// Returns the URL without user, password, query and fragment, which may contain secrets.
pub fn without_credentials(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn credentials_are_removed() {
        assert_eq!(without_credentials("https://me:s3cret@host/x.git"), "https://host/x.git");
        assert_eq!(without_credentials("https://host/x.git?private_token=s3cret"), "https://host/x.git");
        assert_eq!(without_credentials("ssh://git@host:22/x"), "ssh://host:22/x");
        assert_eq!(without_credentials("git@host:x.git"), "git@host:x.git");
        assert_eq!(without_credentials("https://a@b@host"), "https://host");
    }
}
