//! `pyproject.toml`: the standard tables (PEP 518, 621, 735) and the tables of Poetry, PDM, uv, Hatch and Pixi.

use super::builder::{File, InventoryBuilder};
use super::format::Format;
use super::node::{self, Node};
use super::{pixi, poetry};

/// `pyproject.toml`.
pub(super) static FORMAT: Format = Format::declaration("pyproject", &["pyproject.toml"], read);

fn read(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::toml(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    read_list(root.at(&["build-system", "requires"]), Some("build"), file, builder);
    if let Some(project) = root.get("project") {
        if let Some(python) = project.get("requires-python") {
            builder.push_python(file.path, python.line, python.text().unwrap_or_default());
        }
        read_list(project.get("dependencies"), None, file, builder);
        for (extra, items) in
            project.entries().filter(|(key, _)| *key == "optional-dependencies").flat_map(|(_, node)| node.entries())
        {
            read_list(Some(items), Some(extra), file, builder);
        }
    }
    for (group, items) in root.entries_at(&["dependency-groups"]) {
        read_list(Some(items), Some(group), file, builder);
    }
    for (group, items) in root.entries_at(&["tool", "pdm", "dev-dependencies"]) {
        read_list(Some(items), Some(group), file, builder);
    }
    read_list(root.at(&["tool", "uv", "dev-dependencies"]), Some("dev"), file, builder);
    for (name, environment) in root.entries_at(&["tool", "hatch", "envs"]) {
        read_list(environment.get("dependencies"), Some(name), file, builder);
        read_list(environment.get("extra-dependencies"), Some(name), file, builder);
    }
    if let Some(table) = root.at(&["tool", "poetry"]) {
        poetry::read_table(table, file, builder);
    }
    if let Some(table) = root.at(&["tool", "pixi"]) {
        pixi::read_table(table, file, builder);
    }
}

/// Reads a list of requirements. Skips tables (`{include-group = "x"}`), because every group is read.
fn read_list(node: Option<&Node>, group: Option<&str>, file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    for item in node.map(Node::items).unwrap_or_default() {
        let Some(text) = item.text() else { continue };
        // PDM supports `-e file:///${PROJECT_ROOT}/sub`.
        match text.strip_prefix("-e ") {
            Some(source) => builder.push_source(file.path, item.line, source),
            // Hatch replaces `{root:uri}`.
            None if text.contains("{root") => {}
            None => builder.push_pep508(file.path, item.line, text, group),
        }
    }
}
