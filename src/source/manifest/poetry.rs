//! Poetry: the `tool.poetry` table in `pyproject.toml`, and `poetry.lock`.

use super::builder::{File, InventoryBuilder};
use super::format::Format;
use super::node::{self, Node};
use super::requirement::{from_poetry, normalized};
use crate::model::inventory::{Index, Locked};
use crate::source::git::repository::without_credentials;

/// `poetry.lock`.
pub(super) static LOCK: Format =
    Format::lock("poetry-lock", &["poetry.lock"], |declaration| declaration == "pyproject.toml", read_lock);

/// Reads `[tool.poetry]`.
pub(super) fn read_table(table: &Node, file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    dependencies(table.get("dependencies"), None, file, builder);
    dependencies(table.get("dev-dependencies"), Some("dev"), file, builder);
    for (group, table) in table.entries_at(&["group"]) {
        dependencies(table.get("dependencies"), Some(group), file, builder);
    }
}

fn dependencies(table: Option<&Node>, group: Option<&str>, file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    for (name, node) in table.into_iter().flat_map(Node::entries) {
        // A package may have several constraints with markers.
        let alternatives = if node.items().is_empty() { std::slice::from_ref(node) } else { node.items() };
        for node in alternatives {
            dependency(name, node, group, file, builder);
        }
    }
}

fn dependency(name: &str, node: &Node, group: Option<&str>, file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let constraint = from_poetry(node.text().or_else(|| node.text_of("version")).unwrap_or_default());
    if name == "python" {
        return builder.push_python(file.path, node.line, &constraint);
    }
    builder.push(file.path, node.line, name, &constraint, group);
    let Some(last) = builder.inventory.requirements.last_mut() else { return };
    last.marker = node.text_of("markers").map(str::to_owned);
    let source = ["git", "url", "path", "file"].iter().find_map(|key| node.text_of(key).map(|value| (*key, value)));
    last.source = source.map(|(key, value)| {
        let revision = ["rev", "tag", "branch"].iter().find_map(|key| node.text_of(key));
        let kind = if key == "git" { "git+" } else { "" };
        let revision = revision.map_or_else(String::new, |revision| format!("@{revision}"));
        format!("{kind}{}{revision}", without_credentials(value))
    });
}

/// Reads `poetry.lock`. Files are in the packages (1.5 and later), or in `[metadata.files]` (older versions).
fn read_lock(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::toml(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    if let Some(python) = root.at(&["metadata", "python-versions"]) {
        builder.push_python(file.path, python.line, &from_poetry(python.text().unwrap_or_default()));
    }
    for package in root.items_of("package") {
        let (Some(name), Some(version)) = (package.text_of("name"), package.text_of("version")) else { continue };
        let line = package.get("name").map_or(package.line, |node| node.line);
        let mut files = file_names(package.items_of("files"));
        if files.is_empty() {
            files = file_names(root.at(&["metadata", "files", name]).map(Node::items).unwrap_or_default());
        }
        let python = package.text_of("python-versions").filter(|range| *range != "*");
        let source = package.at(&["source", "type"]).and_then(Node::text);
        let is_elsewhere = matches!(source, Some("git" | "directory" | "file" | "url"));
        builder.inventory.locked.push(Locked {
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
            ..builder.locked(file.path, line, Index::Pypi)
        });
    }
}

/// Returns the names of files.
pub(super) fn file_names(files: &[Node]) -> Vec<String> {
    let names = files.iter().filter_map(|file| file.text_of("file").or_else(|| file.text_of("name")));
    names.map(str::to_owned).collect()
}
