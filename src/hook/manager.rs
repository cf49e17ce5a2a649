//! Hook managers, and the configuration that makes them run carnet.

use std::fs;
use std::path::Path;

use super::hooks_dir::HooksDir;
use super::script::NAME;

/// A program that manages the hooks of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// <https://pre-commit.com>.
    PreCommit,
    /// <https://lefthook.dev>.
    Lefthook,
    /// <https://typicode.github.io/husky>.
    Husky,
}

/// A detected hook manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectedManager {
    /// The manager.
    pub manager: Manager,
    /// The file or directory that shows it, relative to the top of the working tree.
    pub evidence: String,
    /// Whether its configuration runs carnet already.
    pub runs_carnet: bool,
}

/// Configuration files of lefthook (lefthook.dev, "Configuration").
const LEFTHOOK: [&str; 7] = [
    "lefthook.yml",
    "lefthook.yaml",
    ".lefthook.yml",
    ".lefthook.yaml",
    "lefthook.toml",
    "lefthook.json",
    ".config/lefthook.yml",
];
/// Configuration files of pre-commit.
const PRE_COMMIT: [&str; 2] = [".pre-commit-config.yaml", ".pre-commit-config.yml"];
/// Maximum size in bytes of a file that is read.
const MAX_BYTES: u64 = 1 << 20;

impl Manager {
    /// Returns the name of the manager.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::Lefthook => "lefthook",
            Self::Husky => "husky",
        }
    }

    /// Returns the file to which the snippet must be added.
    pub fn file(self, detected: &DetectedManager) -> String {
        match self {
            Self::Husky => ".husky/pre-push".to_owned(),
            Self::PreCommit | Self::Lefthook => detected.evidence.clone(),
        }
    }

    /// Returns the configuration that runs carnet.
    pub fn snippet(self) -> String {
        let text = match self {
            Self::PreCommit => include_str!("snippet/pre-commit.yaml"),
            Self::Lefthook => include_str!("snippet/lefthook.yml"),
            Self::Husky => include_str!("snippet/husky.sh"),
        };
        text.replace("@VERSION@", env!("CARGO_PKG_VERSION"))
    }

    /// Returns the command that installs the hooks of this manager.
    pub fn command(self) -> Option<&'static str> {
        match self {
            Self::PreCommit => Some("pre-commit install --hook-type pre-push"),
            Self::Lefthook => Some("lefthook install"),
            Self::Husky => None,
        }
    }
}

/// Detects the manager of these hooks: the one that wrote the existing hook, or else the one that is configured.
pub fn detect(hooks: &HooksDir) -> Option<DetectedManager> {
    let hook = read_text(&hooks.dir.join(NAME)).unwrap_or_default();
    let husky = hooks.top.join(".husky");
    let configured = |manager, files: &[&str]| {
        let file = files.iter().find(|file| hooks.top.join(file).is_file())?;
        let text = read_text(&hooks.top.join(file)).unwrap_or_default();
        Some(DetectedManager { manager, evidence: (*file).to_owned(), runs_carnet: runs_carnet(&text) })
    };
    if hooks.dir.starts_with(&husky) {
        let text = read_text(&husky.join(NAME)).unwrap_or_default();
        let (manager, evidence) = (Manager::Husky, ".husky".to_owned());
        return Some(DetectedManager { manager, evidence, runs_carnet: runs_carnet(&text) });
    }
    let pre_commit = || configured(Manager::PreCommit, &PRE_COMMIT);
    let lefthook = || configured(Manager::Lefthook, &LEFTHOOK);
    if hook.contains("lefthook") { lefthook().or_else(pre_commit) } else { pre_commit().or_else(lefthook) }
}

fn runs_carnet(text: &str) -> bool {
    text.lines().any(|line| !line.trim_start().starts_with('#') && line.contains("carnet"))
}

fn read_text(path: &Path) -> Option<String> {
    let size = fs::metadata(path).ok().filter(fs::Metadata::is_file)?.len();
    if size > MAX_BYTES {
        return None;
    }
    Some(String::from_utf8_lossy(&fs::read(path).ok()?).into_owned())
}
