//! The main Python and its distributions.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::diff::Relevance;
use crate::model::environment::Environment;
use crate::model::known::Known;
use crate::model::provider::likely_providers;
use crate::model::python::{Distribution, DistributionFormat, Python, PythonKind};
use crate::model::text::count;

use super::RelevantModules;
use super::compare::{Draft, Drafts, Fact};
use super::version::Grammar;

/// Compares the interpreters.
pub(super) fn interpreter(envs: &[&Environment]) -> Vec<Draft> {
    let pythons: Vec<Option<&Python>> = envs.iter().map(|environment| environment.main_python()).collect();
    let mut drafts = Drafts::default();
    let mut add_known = |name: &str, read: fn(&Python) -> &Known<String>, grammar, relevance| {
        let facts =
            pythons.iter().map(|python| python.map_or(Fact::Absent, |p| Fact::from_known(read(p), |v| Fact::text(v))));
        drafts.add(name, facts, grammar, relevance);
    };
    add_known("version", |python| &python.version, Grammar::Pep440, Relevance::Direct);
    add_known("implementation", |python| &python.implementation, Grammar::None, Relevance::Direct);
    // Different versions always have different ABIs.
    add_known(
        "abi",
        |python| &python.abi,
        Grammar::None,
        if same_version(&pythons) { Relevance::Required } else { Relevance::Rest },
    );
    add_known("prefix", |python| &python.prefix, Grammar::None, Relevance::Rest);
    let kind = |python: &Option<&Python>| python.map_or(Fact::Absent, |p| Fact::is(kind_name(p.kind)));
    drafts.add("kind", pythons.iter().map(kind), Grammar::None, Relevance::Rest);
    let system_site = |python: &Option<&Python>| python.map_or(Fact::Absent, |p| Fact::flag(p.system_site));
    drafts.add("includes base packages", pythons.iter().map(system_site), Grammar::None, Relevance::Rest);
    drafts.add("commands", envs.iter().map(|environment| commands(environment)), Grammar::None, Relevance::Required);
    drafts.0
}

fn same_version(pythons: &[Option<&Python>]) -> bool {
    let mut versions = pythons.iter().map(|python| python.and_then(|python| python.version.get()));
    let first = versions.next().flatten();
    first.is_some() && versions.all(|version| version == first)
}

fn kind_name(kind: PythonKind) -> &'static str {
    match kind {
        PythonKind::System => "system",
        PythonKind::Venv => "venv",
        PythonKind::Conda => "conda",
        PythonKind::Release => "release",
    }
}

/// Returns which of the commands `python` and `python3` exist.
fn commands(environment: &Environment) -> Fact {
    let on_path: BTreeSet<&str> =
        environment.pythons.iter().flat_map(|python| &python.commands).map(String::as_str).collect();
    let found: Vec<&str> = ["python", "python3"].into_iter().filter(|name| on_path.contains(name)).collect();
    Fact::text(&found.join(", "))
}

/// Rows of distributions by relevance.
#[derive(Debug, Default)]
pub(super) struct Software {
    pub(super) imported: Vec<Draft>,
    pub(super) required: Vec<Draft>,
    pub(super) rest: Vec<Draft>,
}

/// Compares the distributions of the main Pythons.
pub(super) fn software(envs: &[&Environment], relevant: &RelevantModules) -> Software {
    let columns: Vec<Column<'_>> = envs.iter().map(|environment| Column::of(environment)).collect();
    let imported = imported(&columns, relevant);
    let required = required(&columns, &imported);
    let names: BTreeSet<&str> = columns
        .iter()
        .flat_map(|column| column.copies().keys().copied())
        .chain(imported.iter().map(String::as_str))
        .collect();

    let listed: Vec<bool> = columns.iter().map(|column| matches!(column, Column::Listed(_))).collect();
    let mut software = Software::default();
    software.rest.extend(summary(&columns));
    for name in names {
        let (drafts, relevance) = if imported.contains(name) {
            (&mut software.imported, Relevance::Direct)
        } else if required.contains(name) {
            (&mut software.required, Relevance::Required)
        } else {
            (&mut software.rest, Relevance::Rest)
        };
        let facts: Vec<Fact> = columns.iter().map(|column| column.imported_copy(name)).collect();
        let draft = match relevance {
            Relevance::Rest => Draft::among(&listed, name, facts, Grammar::Pep440, relevance),
            Relevance::Direct | Relevance::Required => row(name, facts, relevance),
        };
        drafts.extend(draft);
        let shadowed: Vec<Fact> = columns.iter().map(|column| column.shadowed_copies(name)).collect();
        // An unknown list of distributions is reported in a separate row.
        drafts.extend(row(&format!("{name} (shadowed copies)"), shadowed, relevance).filter(Draft::is_difference));
    }
    software
}

fn row(name: &str, facts: Vec<Fact>, relevance: Relevance) -> Option<Draft> {
    Draft::new(name, facts, Grammar::Pep440, relevance)
}

/// Returns one row if a column has no list.
fn summary(columns: &[Column<'_>]) -> Option<Draft> {
    let facts = columns
        .iter()
        .map(|column| match column {
            Column::Listed(copies) => Fact::is(count(copies.len(), "distribution")).with_identity("a list"),
            Column::NoPython => Fact::Absent,
            Column::Unknown(reason) => Fact::Unknown((*reason).to_owned()),
        })
        .collect();
    Draft::new("all distributions", facts, Grammar::None, Relevance::Rest)
}

/// Copies of each distribution by normalized name, the imported one first.
type Copies<'a> = BTreeMap<&'a str, Vec<&'a Distribution>>;

static NO_COPIES: Copies<'static> = BTreeMap::new();

enum Column<'a> {
    Listed(Copies<'a>),
    NoPython,
    Unknown(&'a str),
}

impl<'a> Column<'a> {
    fn of(environment: &'a Environment) -> Self {
        let Some(python) = environment.main_python() else { return Self::NoPython };
        let distributions = match &python.distributions {
            Known::Known(list) => list,
            Known::Unknown(reason) => return Self::Unknown(reason),
        };
        let mut copies = Copies::new();
        for distribution in distributions {
            copies.entry(&distribution.normalized).or_default().push(distribution);
        }
        copies.values_mut().for_each(|list| list.sort_by_key(|distribution| distribution.shadowed));
        Self::Listed(copies)
    }

    fn copies(&self) -> &Copies<'a> {
        match self {
            Self::Listed(copies) => copies,
            Self::NoPython | Self::Unknown(_) => &NO_COPIES,
        }
    }

    fn imported_copy(&self, name: &str) -> Fact {
        if let Self::Unknown(reason) = self {
            return Fact::Unknown((*reason).to_owned());
        }
        let copy = self.copies().get(name).and_then(|copies| copies.first());
        copy.map_or(Fact::Absent, |distribution| {
            let (shown, compared) = origin(distribution);
            Fact::is(version(distribution)).with_origin(shown, compared)
        })
    }

    fn shadowed_copies(&self, name: &str) -> Fact {
        if let Self::Unknown(reason) = self {
            return Fact::Unknown((*reason).to_owned());
        }
        let copies = self.copies().get(name).map_or(&[][..], |copies| &copies[1..]);
        Fact::text(&copies.iter().map(|distribution| version(distribution)).collect::<Vec<_>>().join(", "))
    }
}

fn version(distribution: &Distribution) -> &str {
    if distribution.version.is_empty() { "no version" } else { &distribution.version }
}

/// Returns the displayed and the compared origin of a distribution. Installers that use the same index are equal.
fn origin(distribution: &Distribution) -> (String, String) {
    let installer = match distribution.installer.as_str() {
        "" if in_system(distribution) => "system",
        "" => "unrecorded",
        installer => installer,
    };
    let source = match installer {
        "pip" | "uv" | "poetry" | "pdm" | "hatch" | "pixi-pypi" => "index",
        "debian" | "rpm" | "apk" => "system",
        other => other,
    };
    let mut notes = String::new();
    if distribution.editable || distribution.format == DistributionFormat::EggLink {
        notes.push_str(" editable");
    }
    if let Some(url) = &distribution.direct_url {
        notes.push(' ');
        notes.push_str(url);
    }
    if distribution.user_site {
        notes.push_str(" user site");
    }
    (format!("{installer}{notes}"), format!("{source}{notes}"))
}

fn in_system(distribution: &Distribution) -> bool {
    ["/usr/lib/", "/usr/lib64/"].iter().any(|prefix| distribution.location.starts_with(prefix))
}

/// Returns the normalized names of the distributions that provide a directly imported module in any column.
fn imported(columns: &[Column<'_>], relevant: &RelevantModules) -> BTreeSet<String> {
    let recorded: Vec<BTreeMap<&str, BTreeSet<&str>>> = columns.iter().map(modules).collect();
    let mut names = BTreeSet::new();
    for module in &relevant.imports {
        let top = module.split('.').next().unwrap_or(module);
        let likely = likely_providers(module);
        for (column, recorded) in columns.iter().zip(&recorded) {
            let providers = recorded.get(module.as_str()).or_else(|| recorded.get(top));
            match providers {
                Some(providers) => names.extend(providers.iter().map(|&name| name.to_owned())),
                None => names.extend(likely.iter().filter(|name| column.copies().contains_key(name.as_str())).cloned()),
            }
        }
    }
    names
}

/// Returns the distributions that record each module.
fn modules<'a>(column: &Column<'a>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut modules: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for copy in column.copies().values().filter_map(|copies| copies.first()) {
        for module in &copy.modules {
            modules.entry(module).or_default().insert(&copy.normalized);
        }
    }
    modules
}

/// Returns the direct and transitive requirements of distributions in any column, without the distributions themselves.
fn required(columns: &[Column<'_>], roots: &BTreeSet<String>) -> BTreeSet<String> {
    let mut seen = roots.clone();
    let mut todo: Vec<String> = roots.iter().cloned().collect();
    while let Some(name) = todo.pop() {
        let imported_copies = columns.iter().filter_map(|column| column.copies().get(name.as_str())?.first());
        for need in imported_copies.flat_map(|copy| &copy.requires) {
            if seen.insert(need.clone()) {
                todo.push(need.clone());
            }
        }
    }
    seen.retain(|name| !roots.contains(name));
    seen
}
