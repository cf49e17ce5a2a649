//! The input of rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::facility::{Catalogue, Facility};
use crate::model::inventory::{Inventory, Locked, PythonRange, Requirement};
use crate::source::lang::View;
use crate::source::lang::fact::{Import, Names, Reference};
use crate::source::lang::language::Language;
use crate::source::lang::matcher::Match;
use crate::source::manifest::image::digest::Digests;
use crate::source::manifest::normalized;
use crate::source::manifest::wheel::allows;

/// Upper limit of the minor versions of Python 3 that are compared with a declared range.
const NEWEST: u8 = 30;

/// Facts that are the same for all files of a scan.
#[derive(Debug)]
pub struct RuleContext<'a> {
    /// All facilities.
    pub catalogue: &'a Catalogue,
    /// The facilities that findings are reported for.
    pub targets: Vec<&'a Facility>,
    /// Paths of files and links of the repository, relative to its top, without ignored files.
    pub paths: BTreeSet<String>,
    /// Whether the configuration names the tests.
    pub tested: bool,
    /// Declarations of the repository.
    pub inventory: Inventory,
    /// Digests of images in the files of the repository.
    pub digests: Digests,
    /// Indices of packages in `inventory.locked`, by normalized name.
    locked: HashMap<String, Vec<usize>>,
    /// Indices of entries in `inventory.requirements`, by file.
    requirements: HashMap<String, Vec<usize>>,
    /// For each entry of `inventory.pythons`, the oldest minor version of Python 3 that it allows.
    oldest: Vec<Option<u8>>,
}

impl<'a> RuleContext<'a> {
    /// Creates a context and its lookup tables.
    pub fn new(
        catalogue: &'a Catalogue,
        targets: Vec<&'a Facility>,
        paths: BTreeSet<String>,
        inventory: Inventory,
    ) -> Self {
        let (mut locked, mut requirements) = (HashMap::<_, Vec<usize>>::new(), HashMap::<_, Vec<usize>>::new());
        for (n, package) in inventory.locked.iter().enumerate() {
            locked.entry(normalized(&package.name)).or_default().push(n);
        }
        for (n, requirement) in inventory.requirements.iter().enumerate() {
            requirements.entry(requirement.path.clone()).or_default().push(n);
        }
        let allowed = |range: &str| (0..NEWEST).find(|minor| allows(range, (3, *minor)) == Some(true));
        let oldest = inventory.pythons.iter().map(|range| allowed(&range.constraint)).collect();
        let digests = Digests::default();
        Self { catalogue, targets, paths, tested: false, inventory, digests, locked, requirements, oldest }
    }

    /// Returns the entries of a package in lock files.
    pub fn locked(&self, name: &str) -> impl Iterator<Item = &Locked> {
        let found = self.locked.get(&normalized(name)).map(Vec::as_slice).unwrap_or_default();
        found.iter().map(|n| &self.inventory.locked[*n])
    }

    /// Returns the requirements in a file.
    pub fn requirements_of(&self, path: &str) -> impl Iterator<Item = &Requirement> {
        let found = self.requirements.get(path).map(Vec::as_slice).unwrap_or_default();
        found.iter().map(|n| &self.inventory.requirements[*n])
    }

    /// Returns the declared Python ranges, each with the oldest minor version of Python 3 that it allows.
    pub fn oldest_pythons(&self) -> impl Iterator<Item = (&PythonRange, Option<u8>)> {
        self.inventory.pythons.iter().zip(self.oldest.iter().copied())
    }

    /// Reports whether the repository has a file of this path, relative to its top.
    pub fn has_file(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Reports whether the repository has a directory of this path, relative to its top, without a trailing slash.
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
    /// Absolute paths and URLs in the text, sorted. Includes those in comments and documentation; see the view.
    pub matches: &'a [Match],
    /// Facts about the repository.
    pub context: &'a RuleContext<'a>,
}

/// The repository after all files were read.
#[derive(Debug)]
pub struct RepositoryInput<'a> {
    /// Facts about the repository.
    pub context: &'a RuleContext<'a>,
    /// Links: path, target as written.
    pub links: Vec<(String, String)>,
    /// Imports of Python files and notebooks: path, line, import. Sorted.
    pub imports: Vec<(String, u32, Import)>,
    /// The names in each Python module that was parsed completely, by path.
    pub names: BTreeMap<String, Names>,
    /// References between files: path, line, reference. Sorted by path.
    pub references: Vec<(String, u32, Reference)>,
    /// How often programs and settings mention a file, by the last part of its path.
    pub mentions: BTreeMap<String, u32>,
    /// Submodules.
    pub submodules: Vec<Submodule>,
}

/// A submodule in `.gitmodules` and the index.
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
