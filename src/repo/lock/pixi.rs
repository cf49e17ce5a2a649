//! Pixi: `pixi.toml`, its table in `pyproject.toml`, and `pixi.lock`.

use super::conda::{Spec, push_spec};
use super::explicit::{of_url, platform};
use super::found::{File, Found};
use super::node::{self, Node};
use super::pylock::file_name;
use super::requirement::normalized;
use crate::model::inventory::{Index, Locked};
use crate::repo::git::without_credentials;

/// Reads `pixi.toml`.
pub(super) fn read(file: &File<'_>, found: &mut Found<'_>) {
    match node::toml(file.text) {
        Ok(root) => read_table(&root, file, found),
        Err(problem) => found.problem(problem),
    }
}

/// Reads the tables of dependencies: at the top, of targets and of features.
pub(super) fn read_table(root: &Node, file: &File<'_>, found: &mut Found<'_>) {
    dependencies(root, None, file, found);
    for (_, target) in root.entries_at(&["target"]) {
        dependencies(target, None, file, found);
    }
    for (feature, table) in root.entries_at(&["feature"]) {
        dependencies(table, Some(feature), file, found);
    }
}

fn dependencies(table: &Node, group: Option<&str>, file: &File<'_>, found: &mut Found<'_>) {
    for key in ["dependencies", "host-dependencies", "build-dependencies"] {
        for (name, node) in table.entries_at(&[key]) {
            let version = node.text().or_else(|| node.text_of("version")).unwrap_or_default().trim();
            let constraint = if version == "*" { String::new() } else { version.to_owned() };
            let build = node.text_of("build").map(str::to_owned);
            let spec = Spec { name: name.to_lowercase(), constraint, build };
            push_spec(spec, node.line, group, false, file, found);
        }
    }
    for (name, node) in table.entries_at(&["pypi-dependencies"]) {
        let version = node.text().or_else(|| node.text_of("version")).unwrap_or_default().trim();
        let source = ["git", "url", "path"].iter().find_map(|key| node.text_of(key));
        if source == Some(".") {
            continue;
        }
        found.push(file.path, node.line, name, version.trim_start_matches('*'), group);
        if let Some(last) = found.inventory.requirements.last_mut() {
            last.source = source.map(without_credentials);
        }
    }
}

/// Reads `pixi.lock`, formats 4 to 6.
pub(super) fn read_lock(file: &File<'_>, found: &mut Found<'_>) {
    let root = match node::yaml(file.text) {
        Ok(root) => root,
        Err(problem) => return found.problem(problem),
    };
    for package in root.items_of("packages") {
        let kind = package.text_of("kind");
        let conda = package.text_of("conda").or_else(|| package.text_of("url").filter(|_| kind == Some("conda")));
        let pypi = package.text_of("pypi").or_else(|| package.text_of("url").filter(|_| kind == Some("pypi")));
        if let Some(url) = conda {
            let named = || Some((package.text_of("name")?.to_owned(), package.text_of("version")?.to_owned()));
            let Some((name, version)) = named().or_else(|| of_url(url)) else { continue };
            let needs = package.items_of("depends").iter().filter_map(Node::text);
            found.inventory.locked.push(Locked {
                name,
                version,
                files: vec![file_name(url)],
                platform: package.text_of("subdir").map(str::to_owned).or_else(|| platform(url)),
                machine: needs.filter(|need| need.starts_with("__")).map(str::to_owned).collect(),
                ..found.locked(file.path, package.line, Index::Conda)
            });
        } else if let Some(url) = pypi {
            let Some(name) = package.text_of("name") else { continue };
            let is_file = url.contains("://") && !url.starts_with("git+");
            found.inventory.locked.push(Locked {
                name: normalized(name),
                version: package.text_of("version").unwrap_or_default().to_owned(),
                files: if is_file { vec![file_name(url)] } else { Vec::new() },
                requires_python: package.text_of("requires_python").map(str::to_owned),
                source: (!is_file).then(|| without_credentials(url)),
                ..found.locked(file.path, package.line, Index::Pypi)
            });
        }
    }
}
