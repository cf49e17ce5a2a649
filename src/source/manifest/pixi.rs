//! Pixi: `pixi.toml`, the `tool.pixi` table in `pyproject.toml`, and `pixi.lock`.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::{File, InventoryBuilder};
use super::conda::{Spec, push_spec};
use super::explicit::{package_from_url, platform_from_url};
use super::format::Format;
use super::node::{self, Node};
use super::pylock::{archive_or_source, file_name};
use super::requirement::normalized;
use crate::model::inventory::{Index, Locked};
use crate::source::git::repository::without_credentials;

/// `pixi.toml`.
pub(super) static FORMAT: Format = Format::declaration("pixi", &["pixi.toml"], read);

/// `pixi.lock`.
pub(super) static LOCK: Format = Format::lock(
    "pixi-lock",
    &["pixi.lock"],
    |declaration| matches!(declaration, "pixi.toml" | "pyproject.toml"),
    read_lock,
);

/// Reads `pixi.toml`.
fn read(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    match node::toml(file.text) {
        Ok(root) => read_table(&root, file, builder),
        Err(error) => builder.problem(error),
    }
}

/// Reads the dependency tables: at the top, of targets and of features.
pub(super) fn read_table(root: &Node, file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    dependencies(root, None, file, builder);
    for (_, target) in root.entries_at(&["target"]) {
        dependencies(target, None, file, builder);
    }
    for (feature, table) in root.entries_at(&["feature"]) {
        dependencies(table, Some(feature), file, builder);
    }
}

fn dependencies(table: &Node, group: Option<&str>, file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    for key in ["dependencies", "host-dependencies", "build-dependencies"] {
        for (name, node) in table.entries_at(&[key]) {
            let version = node.text().or_else(|| node.text_of("version")).unwrap_or_default().trim();
            let constraint = if version == "*" { String::new() } else { version.to_owned() };
            let build = node.text_of("build").map(str::to_owned);
            let spec = Spec { name: name.to_lowercase(), constraint, build };
            push_spec(spec, node.line, group, false, file, builder);
        }
    }
    for (name, node) in table.entries_at(&["pypi-dependencies"]) {
        let version = node.text().or_else(|| node.text_of("version")).unwrap_or_default().trim();
        let source = ["git", "url", "path"].iter().find_map(|key| node.text_of(key));
        if source == Some(".") {
            continue;
        }
        builder.push(file.path, node.line, name, version.trim_start_matches('*'), group);
        if let Some(last) = builder.inventory.requirements.last_mut() {
            last.source = source.map(without_credentials);
        }
    }
}

/// Reads `pixi.lock`, formats 4 to 6.
fn read_lock(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::yaml(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    let platforms = platforms(&root);
    for package in root.items_of("packages") {
        let kind = package.text_of("kind");
        let conda = package.text_of("conda").or_else(|| package.text_of("url").filter(|_| kind == Some("conda")));
        let pypi = package.text_of("pypi").or_else(|| package.text_of("url").filter(|_| kind == Some("pypi")));
        if let Some(url) = conda {
            let named = || Some((package.text_of("name")?.to_owned(), package.text_of("version")?.to_owned()));
            let Some((name, version)) = named().or_else(|| package_from_url(url)) else { continue };
            let needs = package.items_of("depends").iter().filter_map(Node::text);
            builder.inventory.locked.push(Locked {
                name,
                version,
                files: vec![file_name(url)],
                platform: package.text_of("subdir").map(str::to_owned).or_else(|| platform_from_url(url)),
                machine: needs.filter(|need| need.starts_with("__")).map(str::to_owned).collect(),
                ..builder.locked(file.path, package.line, Index::Conda)
            });
        } else if let Some(url) = pypi {
            let Some(name) = package.text_of("name") else { continue };
            let (files, source) = archive_or_source(url);
            builder.inventory.locked.push(Locked {
                name: normalized(name),
                version: package.text_of("version").unwrap_or_default().to_owned(),
                files,
                platform: platforms.get(url).and_then(single_platform),
                requires_python: package.text_of("requires_python").map(str::to_owned),
                source,
                ..builder.locked(file.path, package.line, Index::Pypi)
            });
        }
    }
}

/// Returns the platforms of each PyPI package by its URL, over all environments.
fn platforms(root: &Node) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut platforms: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (_, environment) in root.entries_at(&["environments"]) {
        for (platform, packages) in environment.entries_at(&["packages"]) {
            for url in packages.items().iter().filter_map(|package| package.text_of("pypi")) {
                platforms.entry(url).or_default().insert(platform);
            }
        }
    }
    platforms
}

/// Returns the only platform, or the first of several without Linux. `None` if Linux is one of several.
fn single_platform(platforms: &BTreeSet<&str>) -> Option<String> {
    let has_linux = platforms.iter().any(|platform| platform.starts_with("linux"));
    let first = platforms.iter().next()?;
    (platforms.len() == 1 || !has_linux).then(|| (*first).to_owned())
}
