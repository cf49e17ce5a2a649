//! Runtime properties: those of the contract and those of the machine.

use std::collections::BTreeSet;

use crate::model::diff::Relevance;
use crate::model::environment::Environment;
use crate::model::known::Known;
use crate::model::runtime::{Directory, Imposed, Runtime, SitePath};

use super::compare::{Draft, Drafts, Fact};
use super::version::Grammar;

/// Compares the properties defined by the contract.
pub(super) fn runtime(envs: &[&Environment]) -> Vec<Draft> {
    let mut drafts = Drafts::default();
    let mut add = |name: &str, read: fn(&Runtime) -> Fact, relevance| {
        drafts.add(name, envs.iter().map(|environment| read(&environment.runtime)), Grammar::None, relevance);
    };
    add("uid", |runtime| number(&runtime.uid), Relevance::Required);
    add("gid", |runtime| number(&runtime.gid), Relevance::Rest);
    add(
        "user entry",
        |runtime| Fact::from_known(&runtime.user, |user| Fact::flag(user.is_some())),
        Relevance::Required,
    );
    add("user name", |runtime| Fact::from_known(&runtime.user, |user| Fact::option(user.as_deref())), Relevance::Rest);
    add("HOME", |runtime| Fact::text(&runtime.home.path), Relevance::Rest);
    add("HOME exists", |runtime| Fact::flag(runtime.home.exists), Relevance::Required);
    add("HOME writable", |runtime| flag(&runtime.home.writable), Relevance::Required);
    add("HOME runs programs", |runtime| runs(&runtime.home), Relevance::Required);
    add("/ writable", |runtime| flag(&runtime.root.writable), Relevance::Required);
    add("/ runs programs", |runtime| runs(&runtime.root), Relevance::Rest);
    add("/tmp exists", |runtime| Fact::flag(runtime.tmp.exists), Relevance::Required);
    add("/tmp writable", |runtime| flag(&runtime.tmp.writable), Relevance::Required);
    add("/tmp runs programs", |runtime| runs(&runtime.tmp), Relevance::Required);
    add("umask", |runtime| Fact::from_known(&runtime.umask, |mask| Fact::is(mask)), Relevance::Rest);
    site_paths(envs, &mut drafts);
    drafts.0
}

fn flag(value: &Known<bool>) -> Fact {
    Fact::from_known(value, |value| Fact::flag(*value))
}

fn runs(directory: &Directory) -> Fact {
    Fact::from_known(&directory.noexec, |noexec| Fact::flag(!*noexec))
}

fn site_paths(envs: &[&Environment], drafts: &mut Drafts) {
    let paths: BTreeSet<&String> = envs.iter().flat_map(|environment| environment.runtime.site_paths.keys()).collect();
    for path in paths {
        let fact = |environment: &&Environment| {
            let found = environment.runtime.site_paths.get(path);
            found.map_or_else(|| Fact::Unknown("not read".to_owned()), |path| Fact::is(site_path(*path)))
        };
        drafts.add(path, envs.iter().map(fact), Grammar::None, Relevance::Required);
    }
}

fn site_path(path: SitePath) -> &'static str {
    match path {
        SitePath::Mount => "mounted",
        SitePath::Directory => "directory",
        SitePath::Empty => "empty",
        SitePath::Denied => "access denied",
        SitePath::Absent => "absent",
    }
}

/// Compares the properties of the machine and the engine.
pub(super) fn imposed(envs: &[&Environment]) -> Vec<Draft> {
    let mut drafts = Drafts::default();
    let mut add = |name: &str, read: fn(&Imposed) -> Fact, grammar| {
        drafts.add(name, envs.iter().map(|environment| read(&environment.imposed)), grammar, Relevance::Rest);
    };
    add("kernel", |imposed| Fact::from_known(&imposed.kernel, |release| Fact::is(release)), Grammar::Dotted);
    let level = |imposed: &Imposed| Fact::option(imposed.x86_64_level.map(|level| format!("x86-64-v{level}")));
    add("processor level", level, Grammar::None);
    add("processors", |imposed| number(&imposed.cpus), Grammar::None);
    add("bytes in /tmp", |imposed| number(&imposed.tmp_size), Grammar::None);
    add("memory limit", |imposed| limit(&imposed.cgroup.memory), Grammar::None);
    add("process limit", |imposed| limit(&imposed.cgroup.pids), Grammar::None);
    add("processor limit", |imposed| limit(&imposed.cgroup.milli_cpus), Grammar::None);
    let names: BTreeSet<&String> = envs.iter().flat_map(|environment| environment.imposed.limits.keys()).collect();
    for name in names {
        let facts = envs.iter().map(|environment| Fact::option(environment.imposed.limits.get(name)));
        drafts.add(format!("limit {name}"), facts, Grammar::None, Relevance::Rest);
    }
    drafts.0
}

fn number<T: ToString>(value: &Known<T>) -> Fact {
    Fact::from_known(value, |number| Fact::is(number.to_string()))
}

fn limit(value: &Known<Option<u64>>) -> Fact {
    Fact::from_known(value, |limit| Fact::is(limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string())))
}
