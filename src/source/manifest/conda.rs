//! `environment.yml` of conda, with its pip part.

use super::found::{File, Found};
use super::node::{self, Node};
use super::requirement::{is_exact, parts};
use crate::model::inventory::{Index, Locked, Requirement};

/// A package as conda's match specifications name it: `channel::name >=1,<2 build`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) constraint: String,
    pub(super) build: Option<String>,
}

/// Reads a match specification (docs.conda.io, "Package match specifications").
pub(super) fn spec(text: &str) -> Option<Spec> {
    let text = text.split(" #").next()?.trim().trim_matches(['"', '\'']);
    let text = text.rsplit_once("::").map_or(text, |(_, rest)| rest);
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    let rest = rest.trim();
    let bracketed = |key: &str| {
        let (_, value) = rest.split_once(key)?;
        let value = value.trim_start_matches(['=', ' ', '\'', '"']);
        Some(value.split(['\'', '"', ']', ' ']).next()?.to_owned())
    };
    if rest.starts_with('[') {
        let constraint = bracketed("version").unwrap_or_default();
        return Some(Spec { name: name.to_lowercase(), constraint, build: bracketed("build") });
    }
    // `name=1.2=build` and `name 1.2 build`; operators may be followed by blanks.
    let (constraint, build) = match rest.strip_prefix('=').filter(|rest| !rest.starts_with('=')) {
        Some(inner) => match inner.split_once(['=', ' ']) {
            Some((version, build)) => (format!("={}", version.trim()), Some(build.trim())),
            None => (rest.to_owned(), None),
        },
        None => (rest.split_whitespace().collect::<Vec<_>>().join(" "), None),
    };
    let constraint = if constraint == "*" { String::new() } else { constraint };
    let build = build.filter(|build| !build.is_empty() && *build != "*").map(str::to_owned);
    Some(Spec { name: name.to_lowercase(), constraint, build })
}

/// Whether a constraint of conda allows one version alone. A single `=` is a prefix there: `=1.2` takes 1.2.9; three numbers
/// leave nothing over in practice.
pub fn asks_exactly(constraint: &str) -> bool {
    let constraint = constraint.trim();
    if constraint.contains([',', '|', '*', '<', '>', '~', '!']) {
        return false;
    }
    match constraint.strip_prefix("==") {
        Some(_) => true,
        None => {
            let version = constraint.trim_start_matches('=');
            let is_version = version.starts_with(|c: char| c.is_ascii_digit());
            is_version && (version.contains(' ') || version.matches('.').count() >= 2)
        }
    }
}

/// Whether each package of the environment has a build: `conda env export` writes such files.
pub(super) fn is_lock(text: &str) -> bool {
    let mut entries = 0;
    for line in text.lines().map(str::trim) {
        if let Some(entry) = line.strip_prefix("- ").filter(|entry| entry.contains('=')) {
            entries += 1;
            if !entry.contains("==") && entry.matches('=').count() < 2 {
                return false;
            }
        }
    }
    entries > 5
}

/// Reads one.
pub(super) fn read(file: &File<'_>, found: &mut Found<'_>) {
    let root = match node::yaml(file.text) {
        Ok(root) => root,
        Err(problem) => return found.problem(problem),
    };
    let is_lock = is_lock(file.text);
    for item in root.items_of("dependencies") {
        match item.text() {
            Some(text) => push(text, item.line, None, is_lock, file, found),
            None => item.items_of("pip").iter().for_each(|item| pip(item, file, found)),
        }
    }
}

/// A package of a channel. `python` is the Python asked for, `pip` no dependency of the analysis.
pub(super) fn push(text: &str, line: u32, group: Option<&str>, is_lock: bool, file: &File<'_>, found: &mut Found<'_>) {
    let Some(spec) = spec(text) else { return found.problem(format!("line {line}: `{text}` names no package")) };
    push_spec(spec, line, group, is_lock, file, found);
}

pub(super) fn push_spec(
    spec: Spec,
    line: u32,
    group: Option<&str>,
    is_lock: bool,
    file: &File<'_>,
    found: &mut Found<'_>,
) {
    if spec.name == "python" {
        found.push_python(file.path, line, &of_python(&spec.constraint));
        return;
    }
    let exact = spec.build.is_some() || asks_exactly(&spec.constraint);
    if is_lock {
        found.inventory.locked.push(Locked {
            name: spec.name.clone(),
            version: spec.constraint.trim_start_matches('=').to_owned(),
            ..found.locked(file.path, line, Index::Conda)
        });
    }
    let build = spec.build.map_or_else(String::new, |build| format!("={build}"));
    found.inventory.requirements.push(Requirement {
        path: file.path.to_owned(),
        line,
        index: Index::Conda,
        name: spec.name,
        constraint: spec.constraint + &build,
        exact,
        group: group.map(str::to_owned),
        source: None,
        marker: None,
        hashed: false,
    });
}

/// conda's `=3.9` as PEP 440 has it: `==3.9.*`.
pub(super) fn of_python(constraint: &str) -> String {
    let constraint = constraint.trim();
    let bare = constraint.strip_prefix('=').filter(|rest| !rest.starts_with('=')).unwrap_or(constraint);
    if bare.starts_with(|c: char| c.is_ascii_digit()) && !bare.contains([',', '|', '<', '>']) {
        let version = bare.split([' ', '=']).next().unwrap_or_default().trim_end_matches(".*");
        let any = if version.split('.').count() < 3 { ".*" } else { "" };
        return format!("=={version}{any}");
    }
    constraint.replace(' ', "")
}

fn pip(item: &Node, file: &File<'_>, found: &mut Found<'_>) {
    let Some(text) = item.text().map(str::trim) else { return };
    let option = |names: &[&str]| names.iter().find_map(|name| text.strip_prefix(name)).map(str::trim);
    if let Some(name) = option(&["-r", "--requirement", "-c", "--constraint"]) {
        return found.include(file.path, name.trim_start_matches('='), item.line);
    }
    if let Some(source) = option(&["-e", "--editable"]) {
        return found.push_source(file.path, item.line, source);
    }
    if text.starts_with('-') {
        return;
    }
    if text.starts_with(['.', '/']) || text.split('@').next().is_some_and(|head| head.contains("://")) {
        return found.push_source(file.path, item.line, text);
    }
    match parts(text) {
        Ok(parts) => {
            let (exact, group) = (is_exact(&parts.constraint), None);
            found.inventory.requirements.push(Requirement {
                path: file.path.to_owned(),
                line: item.line,
                index: Index::Pypi,
                name: parts.name,
                constraint: parts.constraint,
                exact,
                group,
                source: parts.source,
                marker: parts.marker,
                hashed: false,
            });
        }
        Err(problem) => found.problem(format!("line {}: {problem}", item.line)),
    }
}
