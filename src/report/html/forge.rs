//! URLs of source lines at the forge of the remote repository.

use super::inert::link;
use crate::model::document::Analysis;

/// The base URL of the files of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Forge {
    /// URL up to the path in the repository.
    base: String,
}

impl Forge {
    /// Returns the forge; `None` for unsupported forges and for a working tree with changes, which the forge does not have.
    pub(super) fn new(analysis: &Analysis) -> Option<Self> {
        let commit = analysis.commit.as_ref().filter(|_| !analysis.dirty)?;
        let is_hash = matches!(commit.len(), 40 | 64) && commit.bytes().all(|b| b.is_ascii_hexdigit());
        let remote = analysis.remote.as_ref().filter(|_| is_hash)?;
        let path = match remote.strip_prefix("https://") {
            Some(path) => path.to_owned(),
            None => remote.strip_prefix("git@")?.split_once(':').map(|(host, path)| format!("{host}/{path}"))?,
        };
        let path = path.trim_end_matches('/').trim_end_matches(".git");
        // docs.github.com, "Getting permanent links to files"; docs.gitlab.com, "Permanent links".
        let view = match path.split_once('/')?.0 {
            "github.com" => "blob",
            host if host.starts_with("gitlab.") => "-/blob",
            _ => return None,
        };
        let directory = analysis.directory.trim_matches('/');
        let directory = if directory.is_empty() { String::new() } else { format!("{}/", encoded(directory)) };
        let base = format!("https://{path}/{view}/{commit}/{directory}");
        link(&base)?;
        Some(Self { base })
    }

    /// Returns the URL of a line of a file.
    pub(super) fn line(&self, path: &str, line: u32) -> Option<String> {
        let url = format!("{}{}#L{line}", self.base, encoded(path));
        link(&url).map(str::to_owned)
    }
}

/// Returns the path percent-encoded for a URL.
fn encoded(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let byte = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    path.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::Forge;
    use crate::model::digest::Digest;
    use crate::model::document::Analysis;
    use crate::model::tree::Tree;

    fn line(remote: &str, dirty: bool) -> Option<String> {
        let tree = Tree { digest: Digest::of(b""), entries: 0, bytes: 0, with_git: false, left_out: Vec::new() };
        let analysis = Analysis {
            name: "a".to_owned(),
            directory: "my analysis".to_owned(),
            commit: Some("3f2a1bc4d5e6f708192a3b4c5d6e7f8091a2b3c4".to_owned()),
            dirty,
            remote: Some(remote.to_owned()),
            tree,
            imports: Vec::new(),
            locks: Vec::new(),
        };
        Forge::new(&analysis)?.line("src/größe.py", 3)
    }

    #[test]
    fn lines_of_known_forges_have_urls() {
        let path = "blob/3f2a1bc4d5e6f708192a3b4c5d6e7f8091a2b3c4/my%20analysis/src/gr%C3%B6%C3%9Fe.py#L3";
        let github = format!("https://github.com/me/x/{path}");
        assert_eq!(line("https://github.com/me/x.git", false), Some(github.clone()));
        assert_eq!(line("git@github.com:me/x.git", false), Some(github));
        let gitlab = format!("https://gitlab.cern.ch/me/group/x/-/{path}");
        assert_eq!(line("https://gitlab.cern.ch/me/group/x", false), Some(gitlab));
    }

    #[test]
    fn other_remotes_have_no_urls() {
        assert_eq!(line("https://github.com/me/x.git", true), None, "the forge does not have uncommitted changes");
        for remote in [
            "https://example.org/me/x.git",
            "http://github.com/me/x",
            "ssh://git@github.com/me/x",
            "javascript:alert(1)//github.com/",
            "https://github.com/me/x\" onclick=\"y",
            "git@github.com/me",
            "/home/me/x",
        ] {
            assert_eq!(line(remote, false), None, "{remote}");
        }
    }
}
