//! The commits of a push, from the lines that git passes to a `pre-push` hook (githooks(5)).

use std::cell::OnceCell;

use super::GitError;
use super::command::Git;

/// Maximum number of branches of a remote that are compared.
const MAX_BRANCHES: usize = 10_000;

/// A pushed ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The local ref: `refs/heads/main`, `HEAD`, a commit, or `(delete)`.
    pub local: String,
    /// Id of the pushed object. `None` if the ref is deleted.
    pub new: Option<String>,
    /// The remote ref.
    pub remote: String,
    /// Id of the object that the remote ref points to. `None` if the ref is new.
    pub old: Option<String>,
}

impl Update {
    /// Parses `<local ref> <local id> <remote ref> <remote id>`. `None` if the line has another form.
    pub fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [local, new, remote, old] = words.as_slice() else { return None };
        let is_id = |word: &str| matches!(word.len(), 40 | 64) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id(new) || !is_id(old) {
            return None;
        }
        Some(Self { local: (*local).to_owned(), new: non_zero(new), remote: (*remote).to_owned(), old: non_zero(old) })
    }
}

/// Returns the id, or `None` if it consists of zeros.
fn non_zero(id: &str) -> Option<String> {
    id.bytes().any(|byte| byte != b'0').then(|| id.to_owned())
}

/// The commits that one ref adds to a remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewCommits {
    /// No commits: the ref is deleted, is already on the remote, or does not point to a commit.
    None,
    /// The commits from `base` to `tip`.
    Range {
        /// The commit of the remote where the range starts. `None` if the remote has no ancestor of `tip`.
        base: Option<String>,
        /// Other commits of the remote where merged branches start.
        other_bases: Vec<String>,
        /// The pushed commit.
        tip: String,
    },
}

/// A remote, with its branches as of the last fetch.
pub struct Remote<'a> {
    git: &'a Git,
    name: &'a str,
    branches: OnceCell<Vec<String>>,
}

impl<'a> Remote<'a> {
    /// Creates a remote from its name or URL.
    pub fn new(git: &'a Git, name: &'a str) -> Self {
        Self { git, name, branches: OnceCell::new() }
    }

    /// Returns the commits that a ref adds to the remote.
    ///
    /// The range starts at the merge base with the old commit of the remote ref. If the ref is new, it starts at the merge base
    /// with the remote-tracking branches of this remote, or with all remote-tracking branches if the remote is a URL. If
    /// other branches of the remote were merged, their merge bases are returned as well.
    ///
    /// # Errors
    /// If the remote-tracking branches can't be listed.
    pub fn new_commits(&self, update: &Update) -> Result<NewCommits, GitError> {
        let Some(new) = &update.new else { return Ok(NewCommits::None) };
        // A tag may point to a tree or a blob.
        let Ok(tip) = self.git.commit(new) else { return Ok(NewCommits::None) };
        let old = update.old.as_ref().and_then(|old| self.git.commit(old).ok());
        let from_old = old.as_deref().and_then(|old| self.git.merge_base(&tip, &[old]));
        let remote_commits: Vec<&str> = old.iter().chain(self.branches()?).map(String::as_str).collect();
        let mut other_bases =
            if remote_commits.is_empty() { Vec::new() } else { self.git.merge_bases(&tip, &remote_commits) };
        let base = from_old.or_else(|| other_bases.first().cloned());
        if base.as_ref() == Some(&tip) {
            return Ok(NewCommits::None);
        }
        other_bases.retain(|commit| Some(commit) != base.as_ref());
        Ok(NewCommits::Range { base, other_bases, tip })
    }

    /// Returns the ids of the commits of its remote-tracking branches.
    fn branches(&self) -> Result<&[String], GitError> {
        if let Some(ids) = self.branches.get() {
            return Ok(ids);
        }
        // The name of a remote can be part of a ref, a URL can't.
        let prefix = format!("refs/remotes/{}", self.name);
        let is_name = !self.name.is_empty()
            && self.git.run(&["check-ref-format", &prefix]).is_ok()
            && is_remote(self.git, self.name);
        let pattern = if is_name { format!("{prefix}/") } else { "refs/remotes/".to_owned() };
        let output = self.git.run(&["for-each-ref", "--format=%(objectname)", &pattern])?;
        let mut ids: Vec<String> = String::from_utf8_lossy(&output).lines().map(str::to_owned).collect();
        ids.sort_unstable();
        ids.dedup();
        // The length of a command line is limited.
        ids.truncate(MAX_BRANCHES);
        Ok(self.branches.get_or_init(|| ids))
    }
}

fn is_remote(git: &Git, name: &str) -> bool {
    let remotes = git.run(&["remote"]).unwrap_or_default();
    String::from_utf8_lossy(&remotes).lines().any(|remote| remote == name)
}

#[cfg(test)]
mod tests {
    use super::Update;

    #[test]
    fn update_parses_only_lines_of_git() {
        let (id, zeros) = ("0a".repeat(20), "0".repeat(40));
        let line = format!("refs/heads/x {id} refs/heads/y {zeros}");
        let update = Update::parse(&line).expect("a valid line");
        assert_eq!((update.local.as_str(), update.remote.as_str()), ("refs/heads/x", "refs/heads/y"));
        assert_eq!((update.new.as_deref(), update.old), (Some(id.as_str()), None));
        let long = "0".repeat(64);
        let deleted = Update::parse(&format!("(delete) {long} refs/heads/y {}", "1".repeat(64)));
        assert!(deleted.expect("a valid line").new.is_none());
        let wrong =
            [String::new(), "x".to_owned(), format!("a {id} b"), format!("{line} more"), "a --x b -y".to_owned()];
        for line in wrong {
            assert_eq!(Update::parse(&line), None, "{line}");
        }
    }
}
