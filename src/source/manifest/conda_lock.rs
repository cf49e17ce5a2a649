//! `conda-lock.yml`, format 1.

use super::builder::{File, InventoryBuilder};
use super::format::Format;
use super::node::{self, Node};
use super::pylock::{archive_or_source, file_name};
use super::requirement::normalized;
use crate::model::inventory::{Index, Locked};

/// `conda-lock.yml` and files with similar names.
pub(super) static FORMAT: Format = Format {
    matches: |file| matches!(file.extension, "yml" | "yaml") && file.has_word(&["lock"]) && file.has_word(&["conda"]),
    is_recorded: |name| FORMAT.file_names.contains(&name),
    ..Format::lock(
        "conda-lock",
        &["conda-lock.yml", "conda-lock.yaml"],
        |declaration| declaration.starts_with("environment."),
        read,
    )
};

fn read(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::yaml(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    for package in root.items_of("package") {
        let (Some(name), Some(version)) = (package.text_of("name"), package.text_of("version")) else { continue };
        let index = if package.text_of("manager") == Some("pip") { Index::Pypi } else { Index::Conda };
        let machine = package.get("dependencies").into_iter().flat_map(Node::entries);
        let machine = machine.filter(|(key, _)| key.starts_with("__"));
        let (files, source) = match package.text_of("url") {
            Some(url) if index == Index::Pypi => archive_or_source(url),
            url => (url.map(file_name).into_iter().collect(), None),
        };
        builder.inventory.locked.push(Locked {
            name: if index == Index::Pypi { normalized(name) } else { name.to_lowercase() },
            version: version.to_owned(),
            files,
            platform: package.text_of("platform").map(str::to_owned),
            machine: machine
                .map(|(key, value)| format!("{key} {}", value.text().unwrap_or_default()).trim().to_owned())
                .collect(),
            source,
            ..builder.locked(file.path, package.line, index)
        });
    }
}
