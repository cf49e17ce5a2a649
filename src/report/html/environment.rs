//! Environments with their facts and their differences from the reference. Cells with equal environments share one.

use std::collections::BTreeMap;

use super::super::sort::{self, Entry};
use super::inert::anchor;
use crate::model::diff::{Diff, Relevance, Row};
use crate::model::digest::Digest;
use crate::model::document::{Cell, Document};
use crate::model::environment::Environment;
use crate::model::known::Known;
use crate::model::python::Python;
use crate::model::runtime::{Directory, SitePath};
use crate::model::text::{count, one_line};

/// Maximum number of differences of an environment in the markup.
const MAX_ROWS: usize = 150;
/// Maximum number of lines of a difference in a text or a list.
const MAX_LINES: usize = 40;
/// Maximum width of a value in columns.
const MAX_VALUE: usize = 300;
/// Maximum number of cells listed with an environment.
const MAX_USERS: usize = 12;

/// A name with its value.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
}

/// A list of facts without empty values.
#[derive(Debug, Default)]
pub(super) struct Facts(pub(super) Vec<Fact>);

impl Facts {
    pub(super) fn add(&mut self, name: &str, value: impl AsRef<str>) {
        let value = one_line(value.as_ref(), MAX_VALUE);
        if !value.is_empty() {
            self.0.push(Fact { name: one_line(name, 80), value });
        }
    }

    fn known<T>(&mut self, name: &str, value: &Known<T>, show: impl FnOnce(&T) -> String) {
        match value {
            Known::Known(value) => self.add(name, show(value)),
            Known::Unknown(reason) => self.add(name, format!("unknown: {reason}")),
        }
    }
}

/// A difference between the reference and another environment.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) name: String,
    pub(super) reference: String,
    pub(super) value: String,
    pub(super) change: &'static str,
    /// Whether it is directly relevant.
    pub(super) direct: bool,
    /// Lines of a unified diff, which replace the two values unless empty.
    pub(super) lines: Vec<String>,
}

impl Difference {
    pub(super) fn of(entry: &Entry<'_>) -> Self {
        Self::new(entry.name(), entry.row)
    }

    fn new(name: String, row: &Row) -> Self {
        let origins = sort::shows_origin(row);
        let value = |at: usize| {
            row.values
                .get(at)
                .map(|value| one_line(&sort::value(value, origins, "absent"), MAX_VALUE))
                .unwrap_or_default()
        };
        Self {
            name,
            reference: value(0),
            value: value(1),
            change: sort::word(row.change),
            direct: row.relevance == Relevance::Direct,
            lines: row.lines.iter().take(MAX_LINES).map(|line| one_line(line, MAX_VALUE)).collect(),
        }
    }
}

/// Differences under one title.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) title: String,
    pub(super) rows: Vec<Difference>,
}

/// An environment.
#[derive(Debug)]
pub(super) struct EnvironmentView {
    pub(super) digest: Digest,
    pub(super) anchor: String,
    pub(super) short: String,
    /// Cells with this environment: anchors and IDs.
    pub(super) users: Vec<(String, String)>,
    pub(super) more_users: usize,
    pub(super) is_reference: bool,
    pub(super) facts: Vec<Fact>,
    /// `41 differences, 3 of them relevant`; `None` without a comparison.
    pub(super) summary: Option<String>,
    pub(super) groups: Vec<Group>,
    /// Counts of the differences that the groups omit: `12 newer, 3 missing`.
    pub(super) rest: Option<String>,
}

/// Returns the environments in the order of the cells, the reference first.
pub(super) fn environments(document: &Document) -> Vec<EnvironmentView> {
    let reference = document.cells.iter().find(|cell| Some(&cell.id) == document.reference.as_ref());
    let reference = reference.and_then(|cell| cell.environment.as_ref());
    let mut users: Vec<(&Digest, Vec<&Cell>)> = Vec::new();
    let mut seen: BTreeMap<&Digest, usize> = BTreeMap::new();
    let with = |cell: &'_ &Cell| cell.environment.as_ref() == reference;
    let ordered = document.cells.iter().filter(with).chain(document.cells.iter().filter(|cell| !with(cell)));
    for cell in ordered {
        let Some(digest) = &cell.environment else { continue };
        let at = *seen.entry(digest).or_insert(users.len());
        if at == users.len() {
            users.push((digest, Vec::new()));
        }
        users[at].1.push(cell);
    }
    let diffs: BTreeMap<&str, &Diff> = document.diffs.iter().map(|entry| (entry.cell.as_str(), &entry.diff)).collect();
    let view = |(digest, cells): (&Digest, Vec<&Cell>)| {
        let is_reference = Some(digest) == reference;
        let diff = cells.iter().find_map(|cell| diffs.get(cell.id.as_str())).filter(|_| !is_reference);
        let (groups, rest) = diff.map_or((Vec::new(), None), |diff| groups(diff));
        EnvironmentView {
            digest: digest.clone(),
            anchor: anchor("environment", digest.short()),
            short: digest.short().to_owned(),
            more_users: cells.len().saturating_sub(MAX_USERS),
            users: cells
                .iter()
                .take(MAX_USERS)
                .map(|cell| (anchor("cell", &cell.id), one_line(&cell.id, 60)))
                .collect(),
            is_reference,
            facts: document.environments.get(digest).map_or_else(Vec::new, facts),
            summary: diff.map(|diff| describe(diff)),
            groups,
            rest,
        }
    };
    users.into_iter().map(view).collect()
}

/// Returns the number of differences and of relevant ones.
pub(super) fn describe(diff: &Diff) -> String {
    match (diff.count(Relevance::Direct), diff.count(Relevance::Rest)) {
        (_, 0) => "no differences from the reference".to_owned(),
        (0, all) => format!("{}, none directly relevant", count(all, "difference")),
        (direct, all) if direct == all => count(all, "relevant difference"),
        (direct, all) => format!("{}, {direct} of them relevant", count(all, "difference")),
    }
}

fn groups(diff: &Diff) -> (Vec<Group>, Option<String>) {
    let mut groups = Vec::new();
    let mut room = MAX_ROWS;
    let mut rest: Vec<&Row> = Vec::new();
    for section in &diff.sections {
        let (mut shown, collapsed): (Vec<&Row>, Vec<&Row>) =
            section.rows.iter().partition(|row| row.relevance != Relevance::Rest);
        rest.extend(collapsed);
        rest.extend(shown.split_off(room.min(shown.len())));
        room -= shown.len();
        if !shown.is_empty() {
            let rows = shown.into_iter().map(|row| Difference::new(one_line(&row.name, 120), row)).collect();
            groups.push(Group { title: one_line(&section.title, 80), rows });
        }
    }
    let rest = (!rest.is_empty()).then(|| sort::tally(rest.into_iter()));
    (groups, rest)
}

/// Returns the main facts of an environment.
fn facts(environment: &Environment) -> Vec<Fact> {
    let mut facts = Facts::default();
    let system = &environment.system;
    facts.known("System", &system.os, |os| if os.name.is_empty() { os.id.clone() } else { os.name.clone() });
    facts.add("Architecture", &system.arch);
    facts.known("C library", &system.libc, |libc| format!("{} {}", libc.name, libc.version));
    facts.known("libstdc++", &system.glibcxx, |version| match version.as_str() {
        "" => "none".to_owned(),
        version => format!("GLIBCXX_{version}"),
    });
    match environment.main_python() {
        Some(python) => pythons(&mut facts, python),
        None => facts.add("Python", "none"),
    }
    for root in &system.roots {
        facts.known("ROOT", &root.version, |version| format!("{version} ({}, {})", root.origin, root.prefix));
    }
    for release in &system.releases {
        facts.add("Release", format!("{} {} {}", release.name, release.version, release.platform));
    }
    let tools: Vec<String> = system
        .tools
        .iter()
        .map(|tool| format!("{} {}", tool.name, tool.version.get().map_or("?", String::as_str)))
        .collect();
    facts.add("Tools", tools.join(", "));
    for (ecosystem, packages) in &environment.packages {
        let name = format!("{} packages", format!("{ecosystem:?}").to_lowercase());
        facts.known(&name, packages, |packages| packages.len().to_string());
    }
    runtime(&mut facts, environment);
    facts.0
}

fn pythons(facts: &mut Facts, python: &Python) {
    facts.known("Python", &python.version, |version| format!("{version}, {}", python.executable));
    facts.known("Distributions", &python.distributions, |all| all.len().to_string());
}

fn runtime(facts: &mut Facts, environment: &Environment) {
    let runtime = &environment.runtime;
    let id = |value: &Known<u32>| value.get().map_or_else(|| "?".to_owned(), u32::to_string);
    let name = match &runtime.user {
        Known::Known(Some(name)) => name.clone(),
        Known::Known(None) => "no name".to_owned(),
        Known::Unknown(_) => "?".to_owned(),
    };
    facts.add("User", format!("{}:{} ({name})", id(&runtime.uid), id(&runtime.gid)));
    for (name, path) in [("HOME", &runtime.home), ("/", &runtime.root), ("/tmp", &runtime.tmp)] {
        facts.add(name, directory(name, path));
    }
    facts.known("umask", &runtime.umask, String::clone);
    facts.add("Locale", system_locale(environment));
    let paths: Vec<String> = runtime
        .site_paths
        .iter()
        .filter(|(_, what)| **what != SitePath::Absent)
        .map(|(path, what)| format!("{path} ({})", format!("{what:?}").to_lowercase()))
        .collect();
    facts.add("Site paths", if paths.is_empty() { "none".to_owned() } else { paths.join(", ") });
    if let Some(path) = environment.variables.lists.get("PATH") {
        facts.add("PATH", path.join(":"));
    }
    let imposed = &environment.imposed;
    facts.known("Kernel", &imposed.kernel, String::clone);
    facts.known("Processors", &imposed.cpus, u64::to_string);
}

fn system_locale(environment: &Environment) -> String {
    let zone = environment.system.timezone.get().map_or("unknown", String::as_str);
    format!("{}, time zone {zone}", environment.system.locale)
}

fn directory(name: &str, directory: &Directory) -> String {
    let mut parts = Vec::new();
    if directory.path.is_empty() {
        return "not set".to_owned();
    }
    if directory.path != name {
        parts.push(directory.path.clone());
    }
    if !directory.exists {
        parts.push("missing".to_owned());
    }
    parts.push(match directory.writable {
        Known::Known(true) => "writable".to_owned(),
        Known::Known(false) => "read-only".to_owned(),
        Known::Unknown(_) => "unknown whether writable".to_owned(),
    });
    if directory.noexec.get() == Some(&true) {
        parts.push("noexec".to_owned());
    }
    parts.join(", ")
}
