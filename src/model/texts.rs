//! Visits the texts of a result, for example to redact secrets.

use std::collections::{BTreeMap, BTreeSet};

use super::cell::{Captured, CellResult, End, FileDigest, Step, TestCase};
use super::digest::Digest;
use super::environment::{Environment, Variables};
use super::known::Known;
use super::package::Package;
use super::python::{Distribution, Python};
use super::runtime::{Cgroup, Directory, Imposed, Runtime};
use super::system::{Libc, OsRelease, Release, RootInstallation, System, Tool};

/// A function that may change a text.
type Change<'a> = &'a mut dyn FnMut(&mut String);

/// A value that contains texts.
///
/// Texts are all strings whose content carnet does not choose: neither names of formats, digests and outcomes nor keys of
/// objects. Every implementation names all fields, so that a new field is not forgotten.
pub trait Texts {
    /// Calls a function with every text.
    fn each_text(&mut self, change: Change<'_>);
}

impl Texts for String {
    fn each_text(&mut self, change: Change<'_>) {
        change(self);
    }
}

/// Implements [`Texts`] for types without texts.
macro_rules! without_texts {
    ($($type:ty),+) => {
        $(impl Texts for $type {
            fn each_text(&mut self, _: Change<'_>) {}
        })+
    };
}

without_texts!(bool, u32, u64, Digest);

impl<T: Texts> Texts for Option<T> {
    fn each_text(&mut self, change: Change<'_>) {
        self.iter_mut().for_each(|value| value.each_text(change));
    }
}

impl<T: Texts> Texts for Vec<T> {
    fn each_text(&mut self, change: Change<'_>) {
        self.iter_mut().for_each(|value| value.each_text(change));
    }
}

impl<K, T: Texts> Texts for BTreeMap<K, T> {
    fn each_text(&mut self, change: Change<'_>) {
        self.values_mut().for_each(|value| value.each_text(change));
    }
}

impl Texts for BTreeSet<String> {
    fn each_text(&mut self, change: Change<'_>) {
        let changed = std::mem::take(self).into_iter().map(|mut text| {
            change(&mut text);
            text
        });
        *self = changed.collect();
    }
}

impl<T: Texts> Texts for Known<T> {
    fn each_text(&mut self, change: Change<'_>) {
        match self {
            Self::Known(value) => value.each_text(change),
            Self::Unknown(reason) => change(reason),
        }
    }
}

/// Implements [`Texts`] from the fields with texts and those without.
macro_rules! texts {
    ($($type:ident { $($text:ident),* ; $($other:ident),* })+) => {
        $(impl Texts for $type {
            fn each_text(&mut self, change: Change<'_>) {
                let Self { $($text,)* $($other: _,)* } = self;
                $($text.each_text(change);)*
            }
        })+
    };
}

texts! {
    CellResult {
        version, environment, steps, inputs, outputs, not_enforced, trouble;
        schema, cell, timing
    }
    Step { name, run, end, output, cases, unread; kind, attempts, timing }
    Captured { text; dropped }
    TestCase { name, class, file, message, output; line, outcome, tried_network, timing }
    Environment { system, pythons, packages, runtime, variables, imposed; schema }
    Variables { lists, values, names; }
    Package { name, version, arch, origin, prefix; }
    Python {
        executable, commands, implementation, version, abi, prefix, base_prefix, path, distributions;
        kind, system_site
    }
    Distribution {
        name, normalized, version, location, installer, direct_url, modules, requires;
        format, editable, user_site, shadowed
    }
    System { os, arch, libc, glibcxx, cxxabi, locale, timezone, tools, roots, releases; }
    OsRelease { id, version, name; }
    Libc { name, version; }
    Tool { name, path, version; }
    RootInstallation { version, origin, prefix, cxx_standard, python, jit; }
    Release { name, version, platform, path; }
    Runtime { uid, gid, user, home, root, tmp, umask; site_paths }
    Directory { path, writable, noexec; exists }
    Imposed { kernel, cpus, limits, cgroup, tmp_size, system_calls; x86_64_level }
    Cgroup { memory, pids, milli_cpus; }
    FileDigest { path, digest; bytes }
}

impl Texts for End {
    fn each_text(&mut self, change: Change<'_>) {
        match self {
            Self::NotStarted { reason } => change(reason),
            Self::Exit { .. } | Self::Signal { .. } | Self::OutOfMemory {} | Self::Timeout { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::Texts as _;
    use crate::model::cell::CellResult;
    use crate::model::{canonical, limit};

    /// Adds the path of every string that is not `x`.
    fn unchanged(path: &str, value: &Value, paths: &mut Vec<String>) {
        match value {
            Value::String(text) if text != "x" => paths.push(path.to_owned()),
            Value::Array(items) => items.iter().for_each(|item| unchanged(&format!("{path}[]"), item, paths)),
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| unchanged(&format!("{path}.{key}"), value, paths));
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    #[test]
    fn every_text_is_visited() {
        let file = format!("{}/tests/data/golden/0.1.0/cell.json", env!("CARGO_MANIFEST_DIR"));
        let mut result: CellResult =
            limit::read(&std::fs::read(file).expect("a file"), &limit::RESULT).expect("a result");
        result.each_text(&mut |text| "x".clone_into(text));
        let value: Value = serde_json::from_str(&canonical::to_string(&result).expect("JSON")).expect("JSON");
        let mut paths = Vec::new();
        unchanged("", &value, &mut paths);
        paths.sort();
        paths.dedup();
        insta::assert_snapshot!(paths.join("\n"), @"
        .cell
        .environment.pythons[].distributions[].format
        .environment.pythons[].kind
        .environment.runtime.site_paths./Users
        .environment.runtime.site_paths./afs
        .environment.runtime.site_paths./afs/cern.ch
        .environment.runtime.site_paths./cvmfs
        .environment.runtime.site_paths./eos
        .environment.schema
        .inputs[].digest
        .outputs[].digest
        .schema
        .steps[].cases[].outcome
        .steps[].kind
        ");
    }
}
