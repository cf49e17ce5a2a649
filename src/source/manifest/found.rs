//! What readers of formats find, and what they are given.

use std::collections::VecDeque;

use super::requirement::{is_exact, normalized, parts};
use super::requirements;
use crate::model::inventory::{Index, Inventory, Locked, PythonRange, Requirement};
use crate::source::FileSet;
use crate::source::git::repository::without_credentials;

/// Problems of one file that are told.
const MOST_PROBLEMS: usize = 3;

/// The file that is read.
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

/// What was found so far.
pub(super) struct Found<'a> {
    pub(super) inventory: Inventory,
    pub(super) files: &'a dyn FileSet,
    /// Requirement files that others include.
    pub(super) queue: VecDeque<String>,
    problems: Vec<String>,
    unread: usize,
}

impl<'a> Found<'a> {
    pub(super) fn new(files: &'a dyn FileSet) -> Self {
        Self { inventory: Inventory::default(), files, queue: VecDeque::new(), problems: Vec::new(), unread: 0 }
    }

    /// Keeps what is wrong with the file that is read.
    pub(super) fn problem(&mut self, problem: impl Into<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem.into());
        } else {
            self.unread += 1;
        }
    }

    /// What was wrong with the file, for its entry.
    pub(super) fn take_problem(&mut self) -> Option<String> {
        let problems = std::mem::take(&mut self.problems);
        let more = match std::mem::take(&mut self.unread) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        (!problems.is_empty()).then(|| problems.join("; ") + &more)
    }

    /// Queues a file named relative to another, when it lies inside the repository.
    pub(super) fn include(&mut self, from: &str, name: &str, line: u32) {
        match joined(from, name) {
            Some(path) if self.files.has(&path) => self.queue.push_back(path),
            Some(path) => self.problem(format!("line {line}: {path} is not in the repository")),
            None => self.problem(format!("line {line}: `{name}` lies outside the repository")),
        }
    }

    /// A requirement of PEP 508; what is none is told.
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
            Err(problem) => self.problem(format!("line {line}: {problem}")),
        }
    }

    /// A requirement with its constraint in PEP 440.
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

    /// A package that a URL or a path names. The analysis itself (`-e .`) is none.
    pub(super) fn push_source(&mut self, path: &str, line: u32, source: &str) {
        let place = source.split(['[', ';']).next().unwrap_or_default().trim();
        if place.is_empty() || matches!(place, "." | "./") {
            return;
        }
        self.push(path, line, &requirements::name_of(place), "", None);
        if let Some(last) = self.inventory.requirements.last_mut() {
            last.source = Some(without_credentials(place));
        }
    }

    pub(super) fn push_python(&mut self, path: &str, line: u32, constraint: &str) {
        let constraint = constraint.trim();
        if !constraint.is_empty() && constraint != "*" {
            let constraint = constraint.to_owned();
            self.inventory.pythons.push(PythonRange { path: path.to_owned(), line, constraint });
        }
    }

    /// An empty entry of a lock, to be filled.
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

/// The path of a file named relative to another; none when it leads out of the top.
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
