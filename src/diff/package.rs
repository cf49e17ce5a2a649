//! Packages of system package managers and of conda.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::diff::Relevance;
use crate::model::environment::{Ecosystem, Environment};
use crate::model::known::Known;
use crate::model::package::Package;
use crate::model::text::count;

use super::compare::{Draft, Fact};
use super::version::Grammar;

/// Returns identifier, title and rows of each ecosystem, in a fixed order.
pub(super) fn sections(envs: &[&Environment]) -> impl Iterator<Item = (&'static str, &'static str, Vec<Draft>)> {
    [
        (Ecosystem::Dpkg, "packages-dpkg", "Debian packages", Grammar::Dpkg),
        (Ecosystem::Rpm, "packages-rpm", "RPM packages", Grammar::Rpm),
        // The version formats of apk and conda are not supported.
        (Ecosystem::Apk, "packages-apk", "Alpine packages", Grammar::None),
        (Ecosystem::Conda, "packages-conda", "Conda packages", Grammar::None),
    ]
    .map(|(ecosystem, id, title, grammar)| (id, title, rows(envs, ecosystem, grammar)))
    .into_iter()
}

enum Column<'a> {
    /// Packages by name; several packages may have the same name (architectures, prefixes, kernels).
    Listed(BTreeMap<&'a str, Vec<&'a Package>>),
    None,
    Unknown(&'a str),
}

impl<'a> Column<'a> {
    fn of(environment: &'a Environment, ecosystem: Ecosystem) -> Self {
        match environment.packages.get(&ecosystem) {
            None => Self::None,
            Some(Known::Unknown(reason)) => Self::Unknown(reason),
            Some(Known::Known(packages)) => {
                let mut by_name: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
                for package in packages {
                    by_name.entry(&package.name).or_default().push(package);
                }
                Self::Listed(by_name)
            }
        }
    }

    fn fact(&self, name: &str, ecosystem: Ecosystem) -> Fact {
        let packages = match self {
            Self::Listed(by_name) => by_name.get(name),
            Self::None => None,
            Self::Unknown(reason) => return Fact::Unknown((*reason).to_owned()),
        };
        let Some(packages) = packages else { return Fact::Absent };
        let joined = |read: fn(&Package) -> &str| {
            let texts: BTreeSet<&str> = packages.iter().map(|package| read(package)).collect();
            texts.into_iter().collect::<Vec<_>>().join(", ")
        };
        let fact = Fact::is(joined(|package| &package.version));
        // For Debian, the origin is the source package.
        if ecosystem == Ecosystem::Dpkg {
            return fact;
        }
        let origin = joined(|package| &package.origin);
        fact.with_origin(origin.clone(), origin)
    }
}

/// Returns the rows of one ecosystem. A missing or unreadable database is one row, not one row per package.
fn rows(envs: &[&Environment], ecosystem: Ecosystem, grammar: Grammar) -> Vec<Draft> {
    let columns: Vec<Column<'_>> = envs.iter().map(|environment| Column::of(environment, ecosystem)).collect();
    let listed: Vec<bool> = columns.iter().map(|column| matches!(column, Column::Listed(_))).collect();
    let mut drafts: Vec<Draft> = summary(&columns).into_iter().collect();
    let names: BTreeSet<&str> = columns
        .iter()
        .flat_map(|column| match column {
            Column::Listed(by_name) => by_name.keys().copied().collect(),
            Column::None | Column::Unknown(_) => Vec::new(),
        })
        .collect();
    for name in names {
        let facts = columns.iter().map(|column| column.fact(name, ecosystem)).collect();
        drafts.extend(Draft::among(&listed, name, facts, grammar, Relevance::Rest));
    }
    drafts
}

fn summary(columns: &[Column<'_>]) -> Option<Draft> {
    let facts = columns
        .iter()
        .map(|column| match column {
            Column::Listed(by_name) => Fact::is(count(by_name.len(), "package")).with_identity("a list"),
            Column::None => Fact::Absent,
            Column::Unknown(reason) => Fact::Unknown((*reason).to_owned()),
        })
        .collect();
    Draft::new("all packages", facts, Grammar::None, Relevance::Rest)
}
