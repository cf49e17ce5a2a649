//! The inventory under construction, and the file that a format reads.

use std::collections::VecDeque;

use super::requirement::{is_exact, name_from_source, normalized, parts};
use crate::model::inventory::{Index, Inventory, Locked, PythonRange, Requirement};
use crate::source::FileSet;
use crate::source::git::repository::without_credentials;

/// Maximum number of problems reported for one file.
const MAX_PROBLEMS: usize = 3;

/// The file being read.
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

/// The inventory so far, and the problems of the file being read.
pub(super) struct InventoryBuilder<'a> {
    pub(super) inventory: Inventory,
    pub(super) files: &'a dyn FileSet,
    /// Requirement files that other files include.
    pub(super) queue: VecDeque<String>,
    problems: Vec<String>,
    more_problems: usize,
}

impl<'a> InventoryBuilder<'a> {
    pub(super) fn new(files: &'a dyn FileSet) -> Self {
        let (queue, problems) = (VecDeque::new(), Vec::new());
        Self { inventory: Inventory::default(), files, queue, problems, more_problems: 0 }
    }

    /// Records a problem of the file being read.
    pub(super) fn problem(&mut self, problem: impl ToString) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem.to_string());
        } else {
            self.more_problems += 1;
        }
    }

    /// Takes the problems of the file being read as one text.
    pub(super) fn take_problem(&mut self) -> Option<String> {
        let problems = std::mem::take(&mut self.problems);
        let more = match std::mem::take(&mut self.more_problems) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        (!problems.is_empty()).then(|| problems.join("; ") + &more)
    }

    /// Queues a file that another file includes by a relative path.
    pub(super) fn include(&mut self, from: &str, name: &str, line: u32) {
        match joined(from, name) {
            Some(path) if self.files.has(&path) => self.queue.push_back(path),
            Some(path) => self.problem(format!("line {line}: {path} is not in the repository")),
            None => self.problem(format!("line {line}: `{name}` is outside the repository")),
        }
    }

    /// Adds a PEP 508 requirement, or records why it is invalid.
    pub(super) fn push_pep508(&mut self, path: &str, line: u32, text: &str, group: Option<&str>) {
        match parts(text) {
            Ok(parts) => self.inventory.requirements.push(Requirement {
                path: path.to_owned(),
                line,
                index: Index::Pypi,
                name: parts.name,
                exact: is_exact(&parts.constraint),
                constraint: parts.constraint,
                group: group.map(str::to_owned),
                source: parts.source,
                marker: parts.marker,
                hashed: false,
            }),
            Err(error) => self.problem(format!("line {line}: {error}")),
        }
    }

    /// Adds a requirement with a PEP 440 constraint.
    pub(super) fn push(&mut self, path: &str, line: u32, name: &str, constraint: &str, group: Option<&str>) {
        self.inventory.requirements.push(Requirement {
            path: path.to_owned(),
            line,
            index: Index::Pypi,
            name: normalized(name),
            constraint: constraint.to_owned(),
            exact: is_exact(constraint),
            group: group.map(str::to_owned),
            source: None,
            marker: None,
            hashed: false,
        });
    }

    /// Adds a package named by a URL or a path. Ignores the analysis itself (`-e .`).
    pub(super) fn push_source(&mut self, path: &str, line: u32, source: &str) {
        let source = source.split(['[', ';']).next().unwrap_or_default().trim();
        if source.is_empty() || matches!(source, "." | "./") {
            return;
        }
        self.push(path, line, &name_from_source(source), "", None);
        if let Some(last) = self.inventory.requirements.last_mut() {
            last.source = Some(without_credentials(source));
        }
    }

    /// Adds a range of Python versions. Ignores an empty one.
    pub(super) fn push_python(&mut self, path: &str, line: u32, constraint: &str) {
        let constraint = constraint.trim();
        if !constraint.is_empty() && constraint != "*" {
            let constraint = constraint.to_owned();
            self.inventory.pythons.push(PythonRange { path: path.to_owned(), line, constraint });
        }
    }

    /// Creates an entry of a lock with its location only.
    pub(super) fn locked(&self, path: &str, line: u32, index: Index) -> Locked {
        Locked {
            path: path.to_owned(),
            line,
            index,
            name: String::new(),
            version: String::new(),
            files: Vec::new(),
            platform: None,
            marker: None,
            requires_python: None,
            machine: Vec::new(),
            source: None,
        }
    }
}

/// Resolves a path relative to a file. `None` if the result is outside the repository.
pub(super) fn joined(from: &str, name: &str) -> Option<String> {
    if name.starts_with('/') || name.contains('\\') {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}
