//! `pyproject.toml`: the standard tables (PEP 518, 621, 735) and those of Poetry, PDM, Hatch and Pixi.

use super::found::{File, Found};
use super::node::{self, Node};
use super::{pixi, poetry};

/// Reads one.
pub(super) fn read(file: &File<'_>, found: &mut Found<'_>) {
    let root = match node::toml(file.text) {
        Ok(root) => root,
        Err(problem) => return found.problem(problem),
    };
    list(root.at(&["build-system", "requires"]), Some("build"), file, found);
    if let Some(project) = root.get("project") {
        if let Some(python) = project.get("requires-python") {
            found.push_python(file.path, python.line, python.text().unwrap_or_default());
        }
        list(project.get("dependencies"), None, file, found);
        for (extra, items) in
            project.entries().filter(|(key, _)| *key == "optional-dependencies").flat_map(|(_, node)| node.entries())
        {
            list(Some(items), Some(extra), file, found);
        }
    }
    for (group, items) in root.entries_at(&["dependency-groups"]) {
        list(Some(items), Some(group), file, found);
    }
    for (group, items) in root.entries_at(&["tool", "pdm", "dev-dependencies"]) {
        list(Some(items), Some(group), file, found);
    }
    list(root.at(&["tool", "uv", "dev-dependencies"]), Some("dev"), file, found);
    for (name, environment) in root.entries_at(&["tool", "hatch", "envs"]) {
        list(environment.get("dependencies"), Some(name), file, found);
        list(environment.get("extra-dependencies"), Some(name), file, found);
    }
    if let Some(table) = root.at(&["tool", "poetry"]) {
        poetry::read_table(table, file, found);
    }
    if let Some(table) = root.at(&["tool", "pixi"]) {
        pixi::read_table(table, file, found);
    }
}

/// A list of requirements; tables in it (`{include-group = "x"}`) name what is read anyway.
fn list(node: Option<&Node>, group: Option<&str>, file: &File<'_>, found: &mut Found<'_>) {
    for item in node.map(Node::items).unwrap_or_default() {
        let Some(text) = item.text() else { continue };
        // PDM allows `-e file:///${PROJECT_ROOT}/sub`.
        match text.strip_prefix("-e ") {
            Some(source) => found.push_source(file.path, item.line, source),
            // Hatch fills in `{root:uri}` and the like.
            None if text.contains("{root") => {}
            None => found.push_pep508(file.path, item.line, text, group),
        }
    }
}
