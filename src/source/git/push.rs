//! What a push brings, by the lines that git gives a `pre-push` hook (githooks(5)).

use std::cell::OnceCell;

use super::object::Git;

/// Branches of a remote that are looked at.
const MOST_BRANCHES: usize = 10_000;

/// One ref that is pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// What is pushed: `refs/heads/main`, `HEAD`, a commit, `(delete)`.
    pub local: String,
    /// Id of the object that is pushed; none when the ref is deleted.
    pub new: Option<String>,
    /// The ref on the other side.
    pub remote: String,
    /// What the other side has there; none when it has nothing.
    pub old: Option<String>,
}

impl Update {
    /// Reads `<local ref> <local id> <remote ref> <remote id>`; none for a line that is none of git's.
    pub fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [local, new, remote, old] = words.as_slice() else { return None };
        let is_id = |word: &str| matches!(word.len(), 40 | 64) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id(new) || !is_id(old) {
            return None;
        }
        Some(Self { local: (*local).to_owned(), new: known(new), remote: (*remote).to_owned(), old: known(old) })
    }
}

/// The id, unless it is made of zeros, of which there are 40 or 64.
fn known(id: &str) -> Option<String> {
    id.bytes().any(|byte| byte != b'0').then(|| id.to_owned())
}

/// The commits that one ref brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brought {
    /// Nothing: the ref is deleted, or the other side has its commit, or it is no commit.
    Nothing,
    /// What this commit has beyond that one; everything it has when there is none.
    Commits {
        /// Where it starts: the other side has this commit.
        base: Option<String>,
        /// Where the histories of others that it took in start: the other side has these commits too.
        also: Vec<String>,
        /// Where it ends.
        tip: String,
    },
}

/// A remote, as far as it is known here.
pub struct Remote<'a> {
    git: &'a Git,
    name: &'a str,
    branches: OnceCell<Vec<String>>,
}

impl<'a> Remote<'a> {
    /// The remote of this name or address.
    pub fn new(git: &'a Git, name: &'a str) -> Self {
        Self { git, name, branches: OnceCell::new() }
    }

    /// Finds out which commits a ref brings there.
    ///
    /// What the other side has under that name is where they start, or where the history parted from it. Of what it has elsewhere
    /// its branches tell, as they are known here; all known branches do for an address that is no remote with a name. A branch that
    /// took in others of the remote, by a merge or a rebase, starts from each of them.
    ///
    /// # Errors
    /// With what git says.
    pub fn brought(&self, update: &Update) -> Result<Brought, String> {
        let Some(new) = &update.new else { return Ok(Brought::Nothing) };
        // A tag may be of a tree or of a blob, which nobody runs.
        let Ok(tip) = self.git.commit(new) else { return Ok(Brought::Nothing) };
        let old = update.old.as_ref().and_then(|old| self.git.commit(old).ok());
        let from_old = old.as_deref().and_then(|old| self.git.merge_base(&tip, &[old]));
        let there: Vec<&str> = old.iter().chain(self.branches()?).map(String::as_str).collect();
        let mut also = if there.is_empty() { Vec::new() } else { self.git.merge_bases(&tip, &there) };
        let base = from_old.or_else(|| also.first().cloned());
        if base.as_ref() == Some(&tip) {
            return Ok(Brought::Nothing);
        }
        also.retain(|one| Some(one) != base.as_ref());
        Ok(Brought::Commits { base, also, tip })
    }

    /// Ids of its branches.
    fn branches(&self) -> Result<&[String], String> {
        if let Some(known) = self.branches.get() {
            return Ok(known);
        }
        // A name of a remote can be part of a ref, an address can't.
        let named = format!("refs/remotes/{}", self.name);
        let is_name = !self.name.is_empty()
            && self.git.run(&["check-ref-format", &named]).is_ok()
            && is_remote(self.git, self.name);
        let pattern = if is_name { format!("{named}/") } else { "refs/remotes/".to_owned() };
        let listed = self.git.run(&["for-each-ref", "--format=%(objectname)", &pattern])?;
        let mut ids: Vec<String> = String::from_utf8_lossy(&listed).lines().map(str::to_owned).collect();
        ids.sort_unstable();
        ids.dedup();
        // More than a command line takes tell no better where something started.
        ids.truncate(MOST_BRANCHES);
        Ok(self.branches.get_or_init(|| ids))
    }
}

fn is_remote(git: &Git, name: &str) -> bool {
    let remotes = git.run(&["remote"]).unwrap_or_default();
    String::from_utf8_lossy(&remotes).lines().any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::Update;

    #[test]
    fn lines_of_git_are_read_and_others_are_none() {
        let (id, zeros) = ("0a".repeat(20), "0".repeat(40));
        let line = format!("refs/heads/x {id} refs/heads/y {zeros}");
        let update = Update::parse(&line).expect("a line of git");
        assert_eq!((update.local.as_str(), update.remote.as_str()), ("refs/heads/x", "refs/heads/y"));
        assert_eq!((update.new.as_deref(), update.old), (Some(id.as_str()), None));
        let long = "0".repeat(64);
        let deleted = Update::parse(&format!("(delete) {long} refs/heads/y {}", "1".repeat(64)));
        assert!(deleted.expect("a line of git").new.is_none());
        let wrong =
            [String::new(), "x".to_owned(), format!("a {id} b"), format!("{line} more"), "a --x b -y".to_owned()];
        for line in wrong {
            assert_eq!(Update::parse(&line), None, "{line}");
        }
    }
}
