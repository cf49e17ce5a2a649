//! conda's `environment.yml`, including its `pip` list.

use super::builder::{File, InventoryBuilder};
use super::format::{Format, Lock};
use super::node::{self, Node};
use crate::model::inventory::{Index, Locked, Requirement};

/// `environment.yml` and files with similar names: `env-dev.yaml`, `conda_env.yml`.
pub(super) static FORMAT: Format = Format {
    matches: |file| {
        matches!(file.extension, "yml" | "yaml")
            && !file.dir.starts_with(".github")
            && file.has_word(&["environment", "env", "conda", "condaenv"])
    },
    lock: Lock::If(is_lock),
    is_recorded: |name| FORMAT.file_names.contains(&name),
    ..Format::declaration("conda-environment", &["environment.yml", "environment.yaml"], read)
};

/// A conda match specification: `channel::name >=1,<2 build`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) constraint: String,
    pub(super) build: Option<String>,
}

/// Parses a match specification (docs.conda.io, "Package match specifications").
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
    // `name=1.2=build` and `name 1.2 build`; operators may be followed by spaces.
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

/// Reports whether a conda constraint allows only one version.
///
/// A single `=` matches a prefix: `=1.2` allows 1.2.9. A version of three numbers is treated as exact.
pub fn is_exact(constraint: &str) -> bool {
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

/// Reports whether each package of the environment has a build string, as in the output of `conda env export`.
fn is_lock(text: &str) -> bool {
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

fn read(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let root = match node::yaml(file.text) {
        Ok(root) => root,
        Err(error) => return builder.problem(error),
    };
    let is_lock = is_lock(file.text);
    for item in root.items_of("dependencies") {
        match item.text() {
            Some(text) => push(text, item.line, None, is_lock, file, builder),
            None => item.items_of("pip").iter().for_each(|item| pip(item, file, builder)),
        }
    }
}

/// Adds a package of a channel. `python` is a Python version.
fn push(
    text: &str,
    line: u32,
    group: Option<&str>,
    is_lock: bool,
    file: &File<'_>,
    builder: &mut InventoryBuilder<'_>,
) {
    let Some(spec) = spec(text) else {
        return builder.problem(format!("line {line}: `{text}` is not a package specification"));
    };
    push_spec(spec, line, group, is_lock, file, builder);
}

pub(super) fn push_spec(
    spec: Spec,
    line: u32,
    group: Option<&str>,
    is_lock: bool,
    file: &File<'_>,
    builder: &mut InventoryBuilder<'_>,
) {
    if spec.name == "python" {
        builder.push_python(file.path, line, &python_constraint(&spec.constraint));
        return;
    }
    let exact = spec.build.is_some() || is_exact(&spec.constraint);
    if is_lock {
        builder.inventory.locked.push(Locked {
            name: spec.name.clone(),
            version: spec.constraint.trim_start_matches('=').to_owned(),
            ..builder.locked(file.path, line, Index::Conda)
        });
    }
    let build = spec.build.map_or_else(String::new, |build| format!("={build}"));
    builder.inventory.requirements.push(Requirement {
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

/// Converts conda's `=3.9` to PEP 440: `==3.9.*`.
fn python_constraint(constraint: &str) -> String {
    let constraint = constraint.trim();
    let bare = constraint.strip_prefix('=').filter(|rest| !rest.starts_with('=')).unwrap_or(constraint);
    if bare.starts_with(|c: char| c.is_ascii_digit()) && !bare.contains([',', '|', '<', '>']) {
        let version = bare.split([' ', '=']).next().unwrap_or_default().trim_end_matches(".*");
        let any = if version.split('.').count() < 3 { ".*" } else { "" };
        return format!("=={version}{any}");
    }
    constraint.replace(' ', "")
}

/// Adds an entry of the `pip` list.
fn pip(item: &Node, file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let Some(text) = item.text().map(str::trim) else { return };
    let option = |names: &[&str]| names.iter().find_map(|name| text.strip_prefix(name)).map(str::trim);
    if let Some(name) = option(&["-r", "--requirement", "-c", "--constraint"]) {
        return builder.include(file.path, name.trim_start_matches('='), item.line);
    }
    if let Some(source) = option(&["-e", "--editable"]) {
        return builder.push_source(file.path, item.line, source);
    }
    if text.starts_with('-') {
        return;
    }
    if text.starts_with(['.', '/']) || text.split('@').next().is_some_and(|head| head.contains("://")) {
        return builder.push_source(file.path, item.line, text);
    }
    builder.push_pep508(file.path, item.line, text, None);
}
