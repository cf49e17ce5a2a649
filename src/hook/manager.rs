//! Programs that write hooks themselves: what to add to their configuration.

use std::fs;
use std::path::Path;

use super::file::NAME;
use super::hooks_dir::HooksDir;

/// A program that keeps the hooks of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// <https://pre-commit.com>.
    PreCommit,
    /// <https://lefthook.dev>.
    Lefthook,
    /// <https://typicode.github.io/husky>.
    Husky,
}

/// A manager, and where it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The manager.
    pub manager: Manager,
    /// What shows it: a path relative to the top of the working tree.
    pub seen: String,
    /// Its configuration names carnet already.
    pub knows_us: bool,
}

/// Files of lefthook (lefthook.dev, "Configuration").
const LEFTHOOK: [&str; 7] = [
    "lefthook.yml",
    "lefthook.yaml",
    ".lefthook.yml",
    ".lefthook.yaml",
    "lefthook.toml",
    "lefthook.json",
    ".config/lefthook.yml",
];
/// Files of pre-commit.
const PRE_COMMIT: [&str; 2] = [".pre-commit-config.yaml", ".pre-commit-config.yml"];
/// Largest file that is looked into.
const LARGEST: u64 = 1 << 20;

impl Manager {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::Lefthook => "lefthook",
            Self::Husky => "husky",
        }
    }

    /// The file that the snippet is for.
    pub fn file(self, found: &Found) -> String {
        match self {
            Self::Husky => ".husky/pre-push".to_owned(),
            Self::PreCommit | Self::Lefthook => found.seen.clone(),
        }
    }

    /// What to add to it.
    pub fn snippet(self) -> String {
        let text = match self {
            Self::PreCommit => include_str!("snippet/pre-commit.yaml"),
            Self::Lefthook => include_str!("snippet/lefthook.yml"),
            Self::Husky => include_str!("snippet/husky.sh"),
        };
        text.replace("@VERSION@", env!("CARGO_PKG_VERSION"))
    }

    /// The command that makes git run it.
    pub fn command(self) -> Option<&'static str> {
        match self {
            Self::PreCommit => Some("pre-commit install --hook-type pre-push"),
            Self::Lefthook => Some("lefthook install"),
            Self::Husky => None,
        }
    }
}

/// The manager of these hooks: the one that wrote the hook that is there, else the one that is configured.
pub fn find(place: &HooksDir) -> Option<Found> {
    let hook = text(&place.dir.join(NAME)).unwrap_or_default();
    let husky = place.top.join(".husky");
    let of = |manager, files: &[&str]| {
        let seen = files.iter().find(|file| place.top.join(file).is_file())?;
        let text = text(&place.top.join(seen)).unwrap_or_default();
        Some(Found { manager, seen: (*seen).to_owned(), knows_us: knows_us(&text) })
    };
    if place.dir.starts_with(&husky) {
        let text = text(&husky.join(NAME)).unwrap_or_default();
        return Some(Found { manager: Manager::Husky, seen: ".husky".to_owned(), knows_us: knows_us(&text) });
    }
    let pre_commit = || of(Manager::PreCommit, &PRE_COMMIT);
    let lefthook = || of(Manager::Lefthook, &LEFTHOOK);
    if hook.contains("lefthook") { lefthook().or_else(pre_commit) } else { pre_commit().or_else(lefthook) }
}

fn knows_us(text: &str) -> bool {
    text.lines().any(|line| !line.trim_start().starts_with('#') && line.contains("carnet"))
}

fn text(path: &Path) -> Option<String> {
    let size = fs::metadata(path).ok().filter(fs::Metadata::is_file)?.len();
    if size > LARGEST {
        return None;
    }
    Some(String::from_utf8_lossy(&fs::read(path).ok()?).into_owned())
}
