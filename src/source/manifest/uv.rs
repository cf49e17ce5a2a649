//! `uv.lock`: one resolution for all platforms, with markers on dependencies.

use std::collections::{BTreeMap, VecDeque};

use pep508_rs::MarkerTree;

use super::builder::{File, InventoryBuilder};
use super::format::Format;
use super::node::{self, Node};
use super::pylock::archive;
use super::requirement::normalized;
use crate::model::inventory::{Index, Locked};
use crate::source::git::repository::without_credentials;

/// `uv.lock`.
pub(super) static LOCK: Format =
    Format::lock("uv-lock", &["uv.lock"], |declaration| declaration == "pyproject.toml", read);

/// Maximum number of changes to the marker of a package. After that, the package counts as always required.
const MAX_STEPS: usize = 64;

fn read(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::toml(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    if let Some(python) = root.get("requires-python") {
        builder.push_python(file.path, python.line, python.text().unwrap_or_default());
    }
    let packages = root.items_of("package");
    let markers = markers(packages);
    for (package, marker) in packages.iter().zip(markers) {
        let Some(name) = package.get("name") else { continue };
        let source = package.get("source");
        // Skips the analysis itself and its workspace.
        if is_own(package) {
            continue;
        }
        let elsewhere = source.and_then(|node| ["git", "url", "path"].iter().find_map(|key| node.text_of(key)));
        let archives = package.items_of("wheels").iter().chain(package.get("sdist"));
        builder.inventory.locked.push(Locked {
            name: normalized(name.text().unwrap_or_default()),
            version: package.text_of("version").unwrap_or_default().to_owned(),
            files: archives.filter_map(archive).collect(),
            marker,
            source: elsewhere.map(without_credentials),
            ..builder.locked(file.path, name.line, Index::Pypi)
        });
    }
}

fn is_own(package: &Node) -> bool {
    let source = package.get("source");
    source.is_some_and(|node| ["editable", "virtual", "directory"].iter().any(|key| node.get(key).is_some()))
}

/// Returns the marker under which each package is required: the markers on the paths to it from the packages of the analysis.
fn markers(packages: &[Node]) -> Vec<Option<String>> {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, package) in packages.iter().enumerate() {
        by_name.entry(package.text_of("name").unwrap_or_default()).or_default().push(index);
    }
    let roots: Vec<usize> = (0..packages.len()).filter(|index| is_own(&packages[*index])).collect();
    if roots.is_empty() {
        return vec![None; packages.len()];
    }
    let mut when = vec![MarkerTree::FALSE; packages.len()];
    let mut steps = vec![0; packages.len()];
    let mut queue: VecDeque<usize> = roots.into();
    for index in &queue {
        when[*index] = MarkerTree::TRUE;
    }
    while let Some(index) = queue.pop_front() {
        for dependency in dependencies(&packages[index]) {
            let mut path = when[index].clone();
            if let Some(marker) = dependency.text_of("marker") {
                path.and(without_extras(marker));
            }
            for &to in by_name.get(dependency.text_of("name").unwrap_or_default()).into_iter().flatten() {
                let is_other = dependency
                    .text_of("version")
                    .is_some_and(|version| packages[to].text_of("version") != Some(version));
                if is_other {
                    continue;
                }
                let mut sum = when[to].clone();
                sum.or(path.clone());
                if sum != when[to] {
                    steps[to] += 1;
                    when[to] = if steps[to] > MAX_STEPS { MarkerTree::TRUE } else { sum };
                    queue.push_back(to);
                }
            }
        }
    }
    let forks = packages.iter().map(forks);
    when.into_iter()
        .zip(forks)
        .map(|(mut when, fork)| {
            // A package that no other requires (an unused extra) counts as always required.
            if when.is_false() {
                when = MarkerTree::TRUE;
            }
            when.and(fork);
            when.try_to_string()
        })
        .collect()
}

/// Returns the dependencies of a package, including extras and groups.
fn dependencies(package: &Node) -> impl Iterator<Item = &Node> {
    let tables = ["optional-dependencies", "dev-dependencies"];
    let grouped =
        tables.into_iter().flat_map(|key| package.get(key)).flat_map(Node::entries).flat_map(|(_, list)| list.items());
    package.items_of("dependencies").iter().chain(grouped)
}

/// Returns the forks of the resolution that a package belongs to.
fn forks(package: &Node) -> MarkerTree {
    let forks = package.items_of("resolution-markers");
    if forks.is_empty() {
        return MarkerTree::TRUE;
    }
    let mut any = MarkerTree::FALSE;
    for fork in forks.iter().filter_map(Node::text) {
        any.or(without_extras(fork));
    }
    any
}

/// Parses a marker with its conditions on extras set to true. An invalid marker is always true.
fn without_extras(marker: &str) -> MarkerTree {
    super::requirement::marker(marker).map_or(MarkerTree::TRUE, |tree| tree.simplify_extras_with(|_| true))
}
