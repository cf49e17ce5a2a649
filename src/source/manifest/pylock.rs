//! `pylock.toml` (PEP 751).

use super::builder::{File, InventoryBuilder};
use super::format::Format;
use super::node::{self, Node};
use super::requirement::normalized;
use crate::model::inventory::{Index, Locked};
use crate::source::git::repository::without_credentials;

/// `pylock.toml` and `pylock.NAME.toml`.
pub(super) static LOCK: Format = Format {
    matches: |file| file.extension == "toml" && file.words().next() == Some("pylock"),
    is_recorded: |name| LOCK.file_names.contains(&name),
    ..Format::lock("pylock", &["pylock.toml"], |declaration| declaration == "pyproject.toml", read)
};

fn read(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::toml(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    if let Some(python) = root.get("requires-python") {
        builder.push_python(file.path, python.line, python.text().unwrap_or_default());
    }
    for package in root.items_of("packages") {
        let Some(name) = package.get("name") else { continue };
        let source = ["vcs", "directory", "archive"].iter().find_map(|key| package.get(key));
        let source = source.and_then(|node| node.text_of("url").or_else(|| node.text_of("path")));
        let archives = package.items_of("wheels").iter().chain(package.get("sdist"));
        builder.inventory.locked.push(Locked {
            name: normalized(name.text().unwrap_or_default()),
            version: package.text_of("version").unwrap_or_default().to_owned(),
            files: archives.filter_map(archive).collect(),
            marker: package.text_of("marker").map(str::to_owned),
            requires_python: package.text_of("requires-python").map(str::to_owned),
            source: source.map(without_credentials),
            ..builder.locked(file.path, name.line, Index::Pypi)
        });
    }
}

/// Returns the file name of a wheel or a source archive: `name`, else the last part of `url` or `path`.
pub(super) fn archive(node: &Node) -> Option<String> {
    let from_location = || node.text_of("url").or_else(|| node.text_of("path")).map(file_name);
    node.text_of("name").or_else(|| node.text_of("filename")).map(str::to_owned).or_else(from_location)
}

/// Returns the last part of a URL or path, with `%2B` and `%21` decoded.
pub(super) fn file_name(location: &str) -> String {
    let bare = without_credentials(location);
    let name = bare.rsplit('/').next().unwrap_or_default();
    name.replace("%2B", "+").replace("%2b", "+").replace("%21", "!")
}

/// Splits the location of a locked Python package into files and source. The location is an archive of an index, or a source such
/// as a repository or a directory.
pub(super) fn archive_or_source(url: &str) -> (Vec<String>, Option<String>) {
    let bare = url.split(['#', '?']).next().unwrap_or_default();
    let is_file = url.contains("://") && !url.starts_with("git+") && !url.starts_with("file:");
    if is_file { (vec![file_name(bare)], None) } else { (Vec::new(), Some(without_credentials(url))) }
}
