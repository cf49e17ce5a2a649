//! Pipenv: `Pipfile` and `Pipfile.lock`.

use super::builder::{File, InventoryBuilder};
use super::format::Format;
use super::node::{self, Node};
use super::requirement::normalized;
use crate::model::inventory::{Index, Locked};
use crate::source::git::repository::without_credentials;

/// `Pipfile`.
pub(super) static FORMAT: Format = Format::declaration("pipfile", &["Pipfile"], read);

/// `Pipfile.lock`.
pub(super) static LOCK: Format =
    Format::lock("pipfile-lock", &["Pipfile.lock"], |declaration| declaration == "Pipfile", read_lock);

/// Reads a `Pipfile`.
fn read(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::toml(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    for (table, group) in [("packages", None), ("dev-packages", Some("dev"))] {
        for (name, node) in root.entries_at(&[table]) {
            let constraint = node.text().or_else(|| node.text_of("version")).unwrap_or_default();
            builder.push(file.path, node.line, name, constraint.trim_start_matches('*'), group);
            if let Some(last) = builder.inventory.requirements.last_mut() {
                last.marker = node.text_of("markers").map(str::to_owned);
                let source = ["git", "path", "file"].iter().find_map(|key| node.text_of(key));
                last.source = source.map(without_credentials);
            }
        }
    }
    for key in ["python_full_version", "python_version"] {
        if let Some(node) = root.at(&["requires", key]) {
            python(node, file, builder);
            break;
        }
    }
}

fn python(node: &Node, file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let version = node.text().unwrap_or_default();
    let any = if version.split('.').count() < 3 { ".*" } else { "" };
    if !version.is_empty() {
        builder.push_python(file.path, node.line, &format!("=={version}{any}"));
    }
}

/// Reads a `Pipfile.lock`. It contains the hashes of files, but not their names.
fn read_lock(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::json(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    if let Some(node) = root.at(&["_meta", "requires", "python_version"]) {
        python(node, file, builder);
    }
    for table in ["default", "develop"] {
        for (name, node) in root.entries_at(&[table]) {
            let source = ["git", "path", "file"].iter().find_map(|key| node.text_of(key));
            builder.inventory.locked.push(Locked {
                name: normalized(name),
                version: node.text_of("version").unwrap_or_default().trim_start_matches('=').to_owned(),
                marker: node.text_of("markers").map(str::to_owned),
                source: source.map(without_credentials),
                ..builder.locked(file.path, node.line, Index::Pypi)
            });
        }
    }
}
