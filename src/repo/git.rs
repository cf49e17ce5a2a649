//! Facts of the git repository that an analysis lies in.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Repository, StatusOptions};

/// Mode of a submodule in git's index.
pub(super) const GITLINK: u32 = 0o160_000;
/// Submodules within submodules that are looked into.
const MOST_NESTED: usize = 8;

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
    readable(Repository::discover(dir), dir)
}

/// The repository whose working tree `dir` is the top of, when there is one that can be read.
pub(super) fn open_at(dir: &Path) -> Option<Repository> {
    readable(Repository::open(dir), dir)
}

fn readable(found: Result<Repository, git2::Error>, dir: &Path) -> Option<Repository> {
    let repository = match found {
        Err(error) if error.code() == ErrorCode::Owner => foreign(dir)?,
        found => found.ok()?,
    };
    repository.workdir()?;
    Some(repository)
}

/// A repository of another user, as jobs of CI systems have it: somebody else has checked out. The library refuses it, since
/// its configuration could name programs for git to run, but not when it is told where the repository is and that nothing of
/// the working tree is wanted. No program is run here, so the working tree is given back.
fn foreign(dir: &Path) -> Option<Repository> {
    let top = dir.ancestors().find(|top| top.join(".git").exists())?;
    let mark = top.join(".git");
    let git = if mark.is_dir() {
        mark
    } else {
        // A worktree or a submodule.
        let text = std::fs::read_to_string(&mark).ok()?;
        top.join(text.strip_prefix("gitdir:")?.trim())
    };
    let repository = Repository::open_bare(git).ok()?;
    repository.set_workdir(top, false).ok()?;
    Some(repository)
}

/// The facts; everything is empty outside git.
pub fn facts(dir: &Path) -> Facts {
    let Some(repository) = open(dir) else { return Facts::default() };
    Facts { dirty: dirty(&repository, 0), ..of(&repository) }
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
        let repository = facts(dir).top?.canonicalize().ok()?;
        Some(dir.canonicalize().ok()?.strip_prefix(repository).ok()?.to_string_lossy().into_owned())
    };
    found().unwrap_or_default()
}

fn dirty(repository: &Repository, nested: usize) -> bool {
    let mut options = StatusOptions::new();
    options.include_untracked(true).include_ignored(false).no_refresh(true);
    // The library looks into submodules itself, but not into those of another user.
    options.exclude_submodules(true);
    let own = repository.statuses(Some(&mut options)).is_ok_and(|statuses| !statuses.is_empty());
    own || (nested < MOST_NESTED && any_submodule_differs(repository, nested))
}

/// Whether a submodule is added or moved against the commit, or stands elsewhere or changed where it is checked out.
fn any_submodule_differs(repository: &Repository, nested: usize) -> bool {
    let (Ok(index), Some(top)) = (repository.index(), repository.workdir()) else { return false };
    let committed = repository.head().ok().and_then(|head| head.peel_to_tree().ok());
    index.iter().filter(|entry| entry.mode == GITLINK).any(|entry| {
        let path = Path::new(OsStr::from_bytes(&entry.path));
        let known = committed.as_ref().and_then(|tree| tree.get_path(path).ok());
        let checked_out = open_at(&top.join(path));
        known.is_none_or(|known| known.id() != entry.id)
            || checked_out.is_some_and(|inner| {
                let at = inner.head().ok().and_then(|head| head.target());
                at != Some(entry.id) || dirty(&inner, nested + 1)
            })
    })
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
