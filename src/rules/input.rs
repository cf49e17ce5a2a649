//! What rules are given.

use std::collections::{BTreeMap, BTreeSet};

use crate::facility::{Catalogue, Facility};
use crate::model::inventory::Inventory;
use crate::repo::matcher::Match;
use crate::repo::source::View;
use crate::repo::source::fact::{Import, Reference};
use crate::repo::source::language::Language;

/// What is the same for all files of a scan.
#[derive(Debug)]
pub struct World<'a> {
    /// All facilities.
    pub catalogue: &'a Catalogue,
    /// The facilities that findings are told for.
    pub targets: Vec<&'a Facility>,
    /// Paths of the repository's files and links, ignored ones left out, relative to its top.
    pub paths: BTreeSet<String>,
    /// What the repository declares.
    pub inventory: Inventory,
}

impl World<'_> {
    /// Whether the repository has a file of this path, relative to its top.
    pub fn has_file(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Whether the repository has a directory of this path, relative to its top, without a slash at the end.
    pub fn has_directory(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        self.paths.range(inside.clone()..).next().is_some_and(|next| next.starts_with(&inside))
    }
}

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct FileInput<'a> {
    /// Path relative to the top.
    pub path: &'a str,
    /// Language.
    pub language: Language,
    /// Its text, spans and facts.
    pub view: &'a View<'a>,
    /// Absolute paths and URLs in the text, sorted; those in comments and documentation too: ask the view.
    pub matches: &'a [Match],
    /// The rest.
    pub world: &'a World<'a>,
}

/// The repository, after all files.
#[derive(Debug)]
pub struct RepositoryInput<'a> {
    /// What is the same for all files.
    pub world: &'a World<'a>,
    /// Links: path, target as written.
    pub links: Vec<(String, String)>,
    /// Imports of Python files and notebooks: path, line, import. Sorted.
    pub imports: Vec<(String, u32, Import)>,
    /// Files that files need: path, line, reference. Sorted by path.
    pub references: Vec<(String, u32, Reference)>,
    /// How often programs and settings name a file, by the last part of its path.
    pub mentions: BTreeMap<String, u32>,
    /// Submodules: path, URL without credentials, branch that is followed, whether a commit is recorded.
    pub submodules: Vec<Submodule>,
}

/// A submodule, as `.gitmodules` and the index have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submodule {
    /// Path.
    pub path: String,
    /// URL, without credentials.
    pub url: String,
    /// Branch that is followed.
    pub branch: Option<String>,
    /// Line in `.gitmodules`, from 1.
    pub line: u32,
    /// Whether the index records a commit for it.
    pub is_recorded: bool,
}
