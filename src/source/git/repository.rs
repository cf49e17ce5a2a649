//! Facts of the git repository that an analysis lies in.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Repository, StatusOptions};

use super::object::Git;

/// Mode of a submodule in git's index.
pub(super) const GITLINK: u32 = 0o160_000;
/// Submodules within submodules that are looked at.
const DEEPEST: u8 = 8;
/// Bytes of a file that says where the directory of a submodule is.
const LONGEST_LINK: u64 = 1 << 16;

/// What git says of the directory of an analysis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Top of the working tree; none outside git.
    pub top: Option<PathBuf>,
    /// Commit checked out; none before the first.
    pub commit: Option<String>,
    /// Whether tracked files differ from the commit or untracked ones are there.
    pub dirty: bool,
    /// URL of `origin`, else of the first remote, without credentials.
    pub remote: Option<String>,
}

/// The repository that holds `dir`, when there is one that can be read.
pub(super) fn open(dir: &Path) -> Option<Repository> {
    let repository = match Repository::discover(dir) {
        Err(error) if error.code() == ErrorCode::Owner => foreign(dir)?,
        found => found.ok()?,
    };
    repository.workdir()?;
    Some(repository)
}

/// A repository of another user, as root finds it in the container of a CI job. Git and its library refuse it because its
/// configuration could name programs to run; nothing here runs any.
fn foreign(dir: &Path) -> Option<Repository> {
    let git = dir.ancestors().map(|top| top.join(".git")).find(|git| git.is_dir())?;
    let repository = Repository::open_bare(&git).ok()?;
    repository.set_workdir(git.parent()?, false).ok()?;
    Some(repository)
}

/// The repository of a submodule at `inner` of `outer`; none when it isn't checked out.
pub(super) fn submodule(outer: &Repository, inner: &Path) -> Option<Repository> {
    let repository = match Repository::open(inner) {
        Err(error) if error.code() == ErrorCode::Owner => foreign_submodule(outer, inner)?,
        found => found.ok()?,
    };
    repository.workdir()?;
    Some(repository)
}

/// A submodule of another user: its `.git` is a file that names a directory within that of the repository around it.
fn foreign_submodule(outer: &Repository, inner: &Path) -> Option<Repository> {
    let file = inner.join(".git");
    let mut link = String::new();
    File::open(file.symlink_metadata().ok()?.is_file().then_some(file)?)
        .ok()?
        .take(LONGEST_LINK)
        .read_to_string(&mut link)
        .ok()?;
    let git = inner.join(link.strip_prefix("gitdir:")?.trim()).canonicalize().ok()?;
    let own = outer.path().canonicalize().ok()?.join("modules");
    let repository = Repository::open_bare(git.starts_with(own).then_some(git)?).ok()?;
    repository.set_workdir(inner, false).ok()?;
    Some(repository)
}

/// The facts; everything is empty outside git.
pub fn facts(dir: &Path) -> Facts {
    let Some(repository) = open(dir) else { return Facts::default() };
    Facts { dirty: dirty(&repository, DEEPEST), ..of(&repository) }
}

/// The facts without a look at the working tree, which is told to be clean.
pub fn lasting_facts(dir: &Path) -> Facts {
    open(dir).as_ref().map(of).unwrap_or_default()
}

fn of(repository: &Repository) -> Facts {
    Facts {
        top: repository.workdir().map(Path::to_owned),
        commit: repository.head().ok().and_then(|head| head.target()).map(|id| id.to_string()),
        dirty: false,
        remote: remote(repository),
    }
}

/// The path of `dir` below the top of its repository; empty at the top and outside git.
pub fn below(dir: &Path) -> String {
    let found = || {
        let repository = lasting_facts(dir).top?.canonicalize().ok()?;
        Some(dir.canonicalize().ok()?.strip_prefix(repository).ok()?.to_string_lossy().into_owned())
    };
    found().unwrap_or_default()
}

/// Whether something differs from the commit, submodules included down to a depth. They are looked at here, since the library
/// takes those of another user for changed.
fn dirty(repository: &Repository, depth: u8) -> bool {
    let mut options = StatusOptions::new();
    options.include_untracked(true).include_ignored(false).no_refresh(true).exclude_submodules(true);
    let is_clean = match repository.statuses(Some(&mut options)) {
        Ok(statuses) => statuses.is_empty(),
        // What nobody can tell is not clean.
        Err(_) => {
            ask(repository, &["status", "--porcelain", "--ignore-submodules=all"]).is_some_and(|said| said.is_empty())
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
    /// From the top of the working tree.
    pub(super) path: PathBuf,
    pub(super) is_submodule: bool,
    id: String,
}

/// What git's index has: by its own command where the library can't read it, as a split or a sparse one.
///
/// # Errors
/// With the reason.
pub(super) fn tracked(repository: &Repository) -> Result<Vec<Tracked>, String> {
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    match repository.index() {
        Ok(index) => Ok(index
            .iter()
            .map(|entry| Tracked {
                path: path(&entry.path),
                is_submodule: entry.mode == GITLINK,
                id: entry.id.to_string(),
            })
            .collect()),
        Err(error) => {
            let listed = ask(repository, &["ls-files", "--stage", "-z"]).ok_or_else(|| error.message().to_owned())?;
            // MODE ID STAGE<tab>PATH, by git-ls-files(1).
            let entry = |line: &[u8]| {
                let tab = line.iter().position(|byte| *byte == b'\t')?;
                let mut words = std::str::from_utf8(&line[..tab]).ok()?.split(' ');
                let mode = u32::from_str_radix(words.next()?, 8).ok()?;
                let id = words.next()?.to_owned();
                Some(Tracked { path: path(&line[tab + 1..]), is_submodule: mode == GITLINK, id })
            };
            Ok(listed.split(|byte| *byte == 0).filter_map(entry).collect())
        }
    }
}

/// Files that are neither in git's index nor ignored, from the top of the working tree.
///
/// # Errors
/// With the reason.
pub(super) fn untracked(repository: &Repository) -> Result<Vec<PathBuf>, String> {
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
            let listed = ask(repository, &["ls-files", "--others", "--exclude-standard", "-z"]);
            let listed = listed.ok_or_else(|| error.message().to_owned())?;
            Ok(listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()).map(path).collect())
        }
    }
}

/// What git's own command says of this very repository. It starts nothing that a configuration names, and writes nothing.
fn ask(repository: &Repository, arguments: &[&str]) -> Option<Vec<u8>> {
    let top = repository.workdir()?;
    let (dir, tree) = (format!("--git-dir={}", repository.path().to_str()?), format!("--work-tree={}", top.to_str()?));
    let before = [&*dir, &*tree, "--no-optional-locks", "-c", "core.fsmonitor=false"];
    Git::at(top).run(&[&before, arguments].concat()).ok()
}

fn remote(repository: &Repository) -> Option<String> {
    let origin = repository.find_remote("origin").ok().or_else(|| {
        let names = repository.remotes().ok()?;
        let first = names.iter().find_map(|name| name.ok().flatten().map(str::to_owned))?;
        repository.find_remote(&first).ok()
    })?;
    origin.url().ok().map(without_credentials)
}

/// The URL without user, password, query and fragment, each of which can carry a secret.
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
    fn credentials_are_cut() {
        assert_eq!(without_credentials("https://me:s3cret@host/x.git"), "https://host/x.git");
        assert_eq!(without_credentials("https://host/x.git?private_token=s3cret"), "https://host/x.git");
        assert_eq!(without_credentials("ssh://git@host:22/x"), "ssh://host:22/x");
        assert_eq!(without_credentials("git@host:x.git"), "git@host:x.git");
        assert_eq!(without_credentials("https://a@b@host"), "https://host");
    }
}
