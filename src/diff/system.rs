//! ROOT, the operating system, its libraries and tools.

use std::collections::BTreeSet;

use crate::model::diff::Relevance;
use crate::model::environment::Environment;
use crate::model::known::Known;
use crate::model::system::{RootInstallation, System};

use super::RelevantModules;
use super::compare::{Draft, Drafts, Fact};
use super::version::Grammar;

/// Compares the default ROOT of each environment.
pub(super) fn root(envs: &[&Environment], relevant: &RelevantModules) -> Vec<Draft> {
    let roots: Vec<Option<&RootInstallation>> =
        envs.iter().map(|environment| environment.system.roots.first()).collect();
    // An analysis without imports does not use Python; for a Python analysis, the imports show whether it needs ROOT.
    let imports_root = relevant.imports.iter().any(|module| matches!(module.split('.').next(), Some("ROOT" | "cppyy")));
    let relevance = if imports_root || relevant.imports.is_empty() { Relevance::Direct } else { Relevance::Required };
    let facts =
        |read: fn(&RootInstallation) -> Fact| roots.iter().map(|root| root.map_or(Fact::Absent, read)).collect();
    let version = facts(|root| Fact::from_known(&root.version, |v| Fact::is(v)));
    let mut drafts: Vec<Draft> = Draft::new("version", version, Grammar::Dotted, relevance).into_iter().collect();
    // A missing ROOT is only reported for the version.
    let present: Vec<bool> = roots.iter().map(Option::is_some).collect();
    let mut detail = |name: &str, read: fn(&RootInstallation) -> Fact, grammar, relevance| {
        drafts.extend(Draft::among(&present, name, facts(read), grammar, relevance));
    };
    detail("compiles at run time", |root| Fact::from_known(&root.jit, |v| Fact::flag(*v)), Grammar::None, relevance);
    detail("C++ standard", |root| Fact::from_known(&root.cxx_standard, |v| Fact::is(v)), Grammar::Dotted, relevance);
    detail("built for Python", |root| Fact::from_known(&root.python, |v| Fact::is(v)), Grammar::Dotted, relevance);
    detail("origin", |root| Fact::is(&root.origin), Grammar::None, Relevance::Rest);
    detail("prefix", |root| Fact::is(&root.prefix), Grammar::None, Relevance::Rest);
    drafts
}

/// Compares operating system, libraries, tools and releases.
pub(super) fn system(envs: &[&Environment]) -> Vec<Draft> {
    let systems: Vec<&System> = envs.iter().map(|environment| &environment.system).collect();
    let mut drafts = Drafts::default();
    let mut add = |name: &str, read: fn(&System) -> Fact, grammar, relevance| {
        drafts.add(name, systems.iter().map(|system| read(system)), grammar, relevance);
    };
    add("architecture", |system| Fact::is(&system.arch), Grammar::None, Relevance::Direct);
    add("C library", libc, Grammar::Dotted, Relevance::Direct);
    add("operating system", os, Grammar::Dotted, Relevance::Required);
    add("GLIBCXX", |system| known_text(&system.glibcxx), Grammar::Dotted, Relevance::Required);
    add("CXXABI", |system| known_text(&system.cxxabi), Grammar::Dotted, Relevance::Required);
    add("locale", |system| Fact::text(&system.locale), Grammar::None, Relevance::Required);
    add("time zone", |system| known_text(&system.timezone), Grammar::None, Relevance::Rest);
    tools(&systems, &mut drafts);
    releases(&systems, &mut drafts);
    drafts.0
}

fn known_text(value: &Known<String>) -> Fact {
    Fact::from_known(value, |text| Fact::text(text))
}

fn os(system: &System) -> Fact {
    Fact::from_known(&system.os, |os| Fact::is(format!("{} {}", os.id, os.version).trim_end()))
}

fn libc(system: &System) -> Fact {
    Fact::from_known(&system.libc, |libc| Fact::is(format!("{} {}", libc.name, libc.version).trim_end()))
}

fn tools(systems: &[&System], drafts: &mut Drafts) {
    let names: BTreeSet<&str> =
        systems.iter().flat_map(|system| &system.tools).map(|tool| tool.name.as_str()).collect();
    for name in names {
        let relevance = if builds(name) { Relevance::Required } else { Relevance::Rest };
        let fact = |system: &&System| {
            let tool = system.tools.iter().find(|tool| tool.name == name);
            tool.map_or(Fact::Absent, |tool| Fact::from_known(&tool.version, |version| Fact::is(version)))
        };
        drafts.add(name, systems.iter().map(fact), Grammar::Dotted, relevance);
    }
}

/// Reports whether a tool is required to compile code.
fn builds(tool: &str) -> bool {
    matches!(tool, "gcc" | "g++" | "cc" | "c++" | "gfortran" | "clang" | "clang++" | "cmake" | "make" | "nvcc")
}

fn releases(systems: &[&System], drafts: &mut Drafts) {
    let names: BTreeSet<&str> =
        systems.iter().flat_map(|system| &system.releases).map(|release| release.name.as_str()).collect();
    for name in names {
        let fact = |system: &&System| {
            let of_name = system.releases.iter().filter(|release| release.name == name);
            let texts: Vec<String> = of_name
                .map(|release| format!("{} {}", release.version, release.platform).trim_end().to_owned())
                .collect();
            Fact::text(&texts.join(", "))
        };
        drafts.add(format!("{name} release"), systems.iter().map(fact), Grammar::None, Relevance::Required);
    }
}
