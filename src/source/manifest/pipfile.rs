//! Pipenv's `Pipfile` and `Pipfile.lock`.

use super::found::{File, Found};
use super::node::{self, Node};
use super::requirement::normalized;
use crate::model::inventory::{Index, Locked};
use crate::source::git::repository::without_credentials;

/// Reads a `Pipfile`.
pub(super) fn read(file: &File<'_>, found: &mut Found<'_>) {
    let root = match node::toml(file.text) {
        Ok(root) => root,
        Err(problem) => return found.problem(problem),
    };
    for (table, group) in [("packages", None), ("dev-packages", Some("dev"))] {
        for (name, node) in root.entries_at(&[table]) {
            let constraint = node.text().or_else(|| node.text_of("version")).unwrap_or_default();
            found.push(file.path, node.line, name, constraint.trim_start_matches('*'), group);
            if let Some(last) = found.inventory.requirements.last_mut() {
                last.marker = node.text_of("markers").map(str::to_owned);
                let source = ["git", "path", "file"].iter().find_map(|key| node.text_of(key));
                last.source = source.map(without_credentials);
            }
        }
    }
    for key in ["python_full_version", "python_version"] {
        if let Some(node) = root.at(&["requires", key]) {
            python(node, file, found);
            break;
        }
    }
}

fn python(node: &Node, file: &File<'_>, found: &mut Found<'_>) {
    let version = node.text().unwrap_or_default();
    let any = if version.split('.').count() < 3 { ".*" } else { "" };
    if !version.is_empty() {
        found.push_python(file.path, node.line, &format!("=={version}{any}"));
    }
}

/// Reads a `Pipfile.lock`. It names no files, only their hashes.
pub(super) fn read_lock(file: &File<'_>, found: &mut Found<'_>) {
    let root = match node::json(file.text) {
        Ok(root) => root,
        Err(problem) => return found.problem(problem),
    };
    if let Some(node) = root.at(&["_meta", "requires", "python_version"]) {
        python(node, file, found);
    }
    for table in ["default", "develop"] {
        for (name, node) in root.entries_at(&[table]) {
            let source = ["git", "path", "file"].iter().find_map(|key| node.text_of(key));
            found.inventory.locked.push(Locked {
                name: normalized(name),
                version: node.text_of("version").unwrap_or_default().trim_start_matches('=').to_owned(),
                marker: node.text_of("markers").map(str::to_owned),
                source: source.map(without_credentials),
                ..found.locked(file.path, node.line, Index::Pypi)
            });
        }
    }
}
