//! Poetry: its table in `pyproject.toml`, and `poetry.lock`.

use super::found::{File, Found};
use super::node::{self, Node};
use super::requirement::{normalized, of_poetry};
use crate::model::inventory::{Index, Locked};
use crate::source::git::repository::without_credentials;

/// Reads `[tool.poetry]`.
pub(super) fn read_table(table: &Node, file: &File<'_>, found: &mut Found<'_>) {
    dependencies(table.get("dependencies"), None, file, found);
    dependencies(table.get("dev-dependencies"), Some("dev"), file, found);
    for (group, table) in table.entries_at(&["group"]) {
        dependencies(table.get("dependencies"), Some(group), file, found);
    }
}

fn dependencies(table: Option<&Node>, group: Option<&str>, file: &File<'_>, found: &mut Found<'_>) {
    for (name, node) in table.into_iter().flat_map(Node::entries) {
        // One package may have several constraints with markers.
        let alternatives = if node.items().is_empty() { std::slice::from_ref(node) } else { node.items() };
        for node in alternatives {
            dependency(name, node, group, file, found);
        }
    }
}

fn dependency(name: &str, node: &Node, group: Option<&str>, file: &File<'_>, found: &mut Found<'_>) {
    let constraint = of_poetry(node.text().or_else(|| node.text_of("version")).unwrap_or_default());
    if name == "python" {
        return found.push_python(file.path, node.line, &constraint);
    }
    found.push(file.path, node.line, name, &constraint, group);
    let Some(last) = found.inventory.requirements.last_mut() else { return };
    last.marker = node.text_of("markers").map(str::to_owned);
    let source = ["git", "url", "path", "file"].iter().find_map(|key| node.text_of(key).map(|value| (*key, value)));
    last.source = source.map(|(key, value)| {
        let revision = ["rev", "tag", "branch"].iter().find_map(|key| node.text_of(key));
        let kind = if key == "git" { "git+" } else { "" };
        let revision = revision.map_or_else(String::new, |revision| format!("@{revision}"));
        format!("{kind}{}{revision}", without_credentials(value))
    });
}

/// Reads `poetry.lock`, with the files beside their packages (1.5 and newer) or in `[metadata.files]` (older).
pub(super) fn read_lock(file: &File<'_>, found: &mut Found<'_>) {
    let root = match node::toml(file.text) {
        Ok(root) => root,
        Err(problem) => return found.problem(problem),
    };
    if let Some(python) = root.at(&["metadata", "python-versions"]) {
        found.push_python(file.path, python.line, &of_poetry(python.text().unwrap_or_default()));
    }
    for package in root.items_of("package") {
        let (Some(name), Some(version)) = (package.text_of("name"), package.text_of("version")) else { continue };
        let line = package.get("name").map_or(package.line, |node| node.line);
        let mut files = names(package.items_of("files"));
        if files.is_empty() {
            files = names(root.at(&["metadata", "files", name]).map(Node::items).unwrap_or_default());
        }
        let python = package.text_of("python-versions").filter(|range| *range != "*");
        let source = package.at(&["source", "type"]).and_then(Node::text);
        let is_elsewhere = matches!(source, Some("git" | "directory" | "file" | "url"));
        found.inventory.locked.push(Locked {
            name: normalized(name),
            version: version.to_owned(),
            files,
            marker: package.text_of("markers").map(str::to_owned),
            requires_python: python.map(str::to_owned),
            source: package
                .at(&["source", "url"])
                .and_then(Node::text)
                .filter(|_| is_elsewhere)
                .map(without_credentials),
            ..found.locked(file.path, line, Index::Pypi)
        });
    }
}

/// Names of files, from `file` of each.
pub(super) fn names(files: &[Node]) -> Vec<String> {
    let names = files.iter().filter_map(|file| file.text_of("file").or_else(|| file.text_of("name")));
    names.map(str::to_owned).collect()
}
