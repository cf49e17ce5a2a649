//! Comparison of environments, and merging of documents.
//!
//! Invariants, each a property test in `tests/diff.rs`: an environment without unknown values does not differ from
//! itself, and one with unknown values only in rows that are not compared; swapping two environments reverses their
//! difference; many columns are consistent with their pairs; the order is deterministic.

mod compare;
pub mod document;
mod dpkg;
mod package;
mod path;
mod python;
mod runtime;
mod system;
pub mod text;
mod variable;
mod version;

use std::collections::BTreeSet;

use crate::model::diff::{Diff, Section};
use crate::model::environment::Environment;

use compare::{Draft, sorted};

/// The modules that are relevant to the analysis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelevantModules {
    /// Modules that the analysis imports directly, with or without submodules: `numpy`, `google.protobuf`.
    pub imports: BTreeSet<String>,
}

impl RelevantModules {
    /// Selects these modules.
    pub fn new<S: Into<String>>(modules: impl IntoIterator<Item = S>) -> Self {
        Self { imports: modules.into_iter().map(Into::into).collect() }
    }
}

/// Compares several environments, each with the name of its column; the first is the reference.
///
/// The result contains only rows in which a column differs from the reference or cannot be compared with it. Fewer than
/// two columns never differ.
pub fn environments(columns: &[(&str, &Environment)], relevant: &RelevantModules) -> Diff {
    let envs: Vec<&Environment> = columns.iter().map(|(_, environment)| *environment).collect();
    let software = python::software(&envs, relevant);
    let mut sections = vec![
        section("python", "Python", python::interpreter(&envs)),
        section("imported", "Imported by the analysis", software.imported),
        section("required", "Required by imported packages", software.required),
        section("root", "ROOT", system::root(&envs, relevant)),
        section("system", "System", system::system(&envs)),
        section("runtime", "Runtime contract", runtime::runtime(&envs)),
        section("paths", "Search paths", path::paths(&envs)),
        section("variables", "Environment variables", variable::variables(&envs)),
        section("packages-python", "Other Python distributions", software.rest),
    ];
    sections.extend(package::sections(&envs).map(|(id, title, drafts)| section(id, title, drafts)));
    sections.push(section("imposed", "Machine and engine", runtime::imposed(&envs)));
    sections.retain(|section| !section.rows.is_empty());
    Diff { columns: columns.iter().map(|(name, _)| (*name).to_owned()).collect(), sections }
}

fn section(id: &str, title: &str, drafts: Vec<Draft>) -> Section {
    Section { id: id.to_owned(), title: title.to_owned(), rows: sorted(drafts) }
}
