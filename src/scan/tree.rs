//! The files to scan: the working tree, or the changes of a range of commits.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::Options;
use super::finding;
use super::lines::Lines;
use crate::model::finding::Finding;
use crate::model::inventory::Inventory;
use crate::model::scan::Note;
use crate::scan::rules::context::Submodule;
use crate::source::git::{range, walk};
use crate::source::manifest::image;
use crate::source::{FileSet, SourceError, manifest};

/// Maximum size of a file that is read at once, in bytes. A larger file is scanned in pieces.
pub(super) const MAX_WHOLE: u64 = 16 << 20;

/// The files to scan.
pub(super) struct Snapshot {
    pub(super) files: Vec<String>,
    pub(super) paths: BTreeSet<String>,
    pub(super) links: Vec<(String, String)>,
    pub(super) notes: Vec<Note>,
    pub(super) skipped: u64,
    pub(super) commit: Option<String>,
    recorded: BTreeSet<String>,
    top: PathBuf,
    /// Contents of files in a commit; `None` for the working tree.
    contents: Option<BTreeMap<String, Vec<u8>>>,
}

impl Snapshot {
    pub(super) fn read(options: &Options) -> Result<Self, SourceError> {
        let excluded = globs(&options.exclude);
        let top = options.top.canonicalize().unwrap_or_else(|_| options.top.clone());
        let Some(spec) = &options.changed else {
            let walk = walk::walk(&top, &|path| excluded.is_match(path))?;
            return Ok(Self {
                files: walk.files,
                paths: walk.paths,
                links: walk.links,
                notes: walk.notes,
                skipped: walk.skipped,
                commit: None,
                recorded: walk.submodules,
                top,
                contents: None,
            });
        };
        let range = range::read(&top, spec, &is_declaration)?;
        let files = range.changed.into_iter().filter(|path| !excluded.is_match(path)).collect();
        Ok(Self {
            files,
            paths: range.paths,
            links: range.links,
            notes: range.notes,
            skipped: 0,
            commit: Some(range.commit).filter(|commit| !commit.is_empty()),
            recorded: range.submodules,
            top,
            contents: Some(range.contents),
        })
    }

    /// Reads the first `max_bytes` bytes of a file into `bytes`. Returns whether the file is longer.
    pub(super) fn load(&self, path: &str, max_bytes: u64, bytes: &mut Vec<u8>) -> std::io::Result<bool> {
        let Some(contents) = &self.contents else { return walk::read(&self.top.join(path), max_bytes, bytes) };
        bytes.clear();
        let content = contents.get(path).ok_or(std::io::ErrorKind::NotFound)?;
        let length = content.len().min(usize::try_from(max_bytes).unwrap_or(usize::MAX));
        bytes.extend_from_slice(&content[..length]);
        Ok(length < content.len())
    }

    /// Opens a file that is too long for [`Self::load`].
    pub(super) fn open(&self, path: &str) -> std::io::Result<Box<dyn Read + '_>> {
        let Some(contents) = &self.contents else { return Ok(Box::new(walk::open(&self.top.join(path))?)) };
        let content = contents.get(path).ok_or(std::io::ErrorKind::NotFound)?;
        Ok(Box::new(content.as_slice()))
    }

    /// Sets the columns and source lines of the findings of a repository rule. The findings must be sorted by path.
    pub(super) fn locate(&self, findings: &mut [Finding]) {
        for same in findings.chunk_by_mut(|a, b| a.path == b.path) {
            let has_line = same.iter().any(|finding| finding.span.is_some());
            let Some(bytes) =
                same.first().filter(|_| has_line).and_then(|finding| FileSet::read(self, &finding.path, MAX_WHOLE))
            else {
                continue;
            };
            let lines = Lines::new(&bytes);
            for finding in same {
                finding::locate(finding, |line| lines.nth(line));
            }
        }
    }

    /// Returns the inventory of the repository.
    pub(super) fn inventory(&self) -> Inventory {
        manifest::inventory(self)
    }

    pub(super) fn submodules(&self) -> Vec<Submodule> {
        let Some(text) = FileSet::read(self, ".gitmodules", MAX_WHOLE) else { return Vec::new() };
        walk::gitmodules(&String::from_utf8_lossy(&text))
            .into_iter()
            .map(|submodule| {
                let is_recorded = self.recorded.is_empty() || self.recorded.contains(&submodule.path);
                let walk::Submodule { path, url, branch, line } = submodule;
                Submodule { path, url, branch, line, is_recorded }
            })
            .collect()
    }
}

impl FileSet for Snapshot {
    fn paths(&self) -> Vec<&str> {
        // In a range of commits, only changed files are scanned, but all declarations are read.
        match self.contents {
            Some(_) => self.paths.iter().map(String::as_str).collect(),
            None => self.files.iter().map(String::as_str).collect(),
        }
    }

    fn read(&self, path: &str, max_bytes: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.load(path, max_bytes, &mut bytes).ok()?;
        Some(bytes)
    }
}

/// Reports whether the inventory needs the content of a file.
fn is_declaration(path: &str) -> bool {
    path == ".gitmodules" || manifest::declares(path) || image::digest::may_contain_digests(path)
}

/// Builds a set of globs. Invalid patterns were rejected with the configuration and are skipped.
fn globs(patterns: &[String]) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    for glob in patterns.iter().filter_map(|pattern| Glob::new(pattern).ok()) {
        builder.add(glob);
    }
    builder.build().unwrap_or_else(|_| GlobSet::empty())
}
