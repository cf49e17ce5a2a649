//! `pdm.lock`.

use super::builder::{File, InventoryBuilder};
use super::format::Format;
use super::node;
use super::poetry::file_names;
use super::pylock::file_name;
use super::requirement::normalized;
use crate::model::inventory::{Index, Locked};
use crate::source::git::repository::without_credentials;

/// `pdm.lock`.
pub(super) static LOCK: Format =
    Format::lock("pdm-lock", &["pdm.lock"], |declaration| declaration == "pyproject.toml", read_lock);

/// Reads a lock. Files are in the packages (format 4), or in `[metadata.files]` by `name version` (older formats).
fn read_lock(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::toml(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    for target in root.at(&["metadata", "targets"]).map(node::Node::items).unwrap_or_default() {
        if let Some(python) = target.get("requires_python") {
            builder.push_python(file.path, python.line, python.text().unwrap_or_default());
        }
    }
    for package in root.items_of("package") {
        let (Some(name), Some(version)) = (package.text_of("name"), package.text_of("version")) else { continue };
        // A package with extras has a second entry.
        if !package.items_of("extras").is_empty() {
            continue;
        }
        let line = package.get("name").map_or(package.line, |node| node.line);
        let mut files = file_names(package.items_of("files"));
        files.extend(package.items_of("files").iter().filter_map(|file| file.text_of("url")).map(file_name));
        if files.is_empty() {
            let key = format!("{name} {version}");
            files = file_names(root.at(&["metadata", "files", &key]).map(node::Node::items).unwrap_or_default());
        }
        let source = ["git", "url", "path"].iter().find_map(|key| package.text_of(key));
        builder.inventory.locked.push(Locked {
            name: normalized(name),
            version: version.to_owned(),
            files,
            marker: package.text_of("marker").map(str::to_owned),
            requires_python: package.text_of("requires_python").map(str::to_owned),
            source: source.map(without_credentials),
            ..builder.locked(file.path, line, Index::Pypi)
        });
    }
}
