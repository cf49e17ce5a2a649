//! The topic of a path, which assigns it to exactly one rule.

use std::ops::Range;

use super::super::context::FileInput;
use super::usage::Usage;
use crate::facility::path::{PathFacts, PathKind, is_name};
use crate::source::lang::language::Language;
use crate::source::lang::matcher::{Form, Match};

/// The rule that a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// Storage of a site.
    Site,
    /// A user's directory.
    Home,
    /// Storage that no longer exists.
    Retired,
    /// A directory in images.
    Image,
    /// A directory for temporary files.
    Temporary,
    /// A logical name of the grid.
    Store,
    /// A repository of CVMFS.
    Software,
    /// A repository of CVMFS that changes daily.
    Nightly,
    /// A grid proxy.
    Proxy,
    /// A file of the repository itself.
    Own,
}

/// A path in a file, with its facts.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The rule it belongs to.
    pub(super) topic: Topic,
    /// How it is used.
    pub(super) usage: Usage<'a>,
    /// Facts in the catalogue.
    pub(super) facts: PathFacts<'a>,
    /// Its range in the text.
    pub(super) range: Range<usize>,
    /// The file of the repository that it names.
    pub(super) own: Option<&'a str>,
}

impl Subject<'_> {
    /// Returns the group of the diagnostic: the root of the storage and its owner.
    pub(super) fn group(&self) -> String {
        match self.facts.owner {
            Some(owner) => format!("{} of {owner}", self.facts.prefix),
            None => self.facts.prefix.to_owned(),
        }
    }
}

/// Returns the paths of a file with this topic.
pub(super) fn with_topic<'a>(input: &FileInput<'a>, topic: Topic) -> impl Iterator<Item = Subject<'a>> {
    let input = *input;
    let text = input.view.text.as_bytes();
    let is_relevant = move |found: &&Match| found.form == Form::Path && may_be(topic, &text[found.range.clone()]);
    let paths = input.matches.iter().filter(is_relevant).map(|found| found.range.clone());
    paths.filter_map(move |range| subject(&input, range)).filter(move |subject| subject.topic == topic)
}

/// Reports whether a path can have this topic, by its root. Avoids the full lookup for most paths.
fn may_be(topic: Topic, path: &[u8]) -> bool {
    let begins = |root: &str| path.starts_with(root.as_bytes());
    match topic {
        Topic::Software | Topic::Nightly => begins("/cvmfs"),
        Topic::Store => {
            ["/store", "/alice", "/lhcb", "/belle", "/ilc", "/juno", "/cta"].iter().any(|root| begins(root))
        }
        Topic::Temporary => begins("/tmp") || begins("/var") || begins("/lscratch"),
        Topic::Site | Topic::Home | Topic::Retired | Topic::Own => {
            !begins("/cvmfs") && !begins("/store/") && !begins("/tmp")
        }
        Topic::Proxy => memchr::memmem::find(path, b"x509").is_some(),
        Topic::Image => true,
    }
}

fn subject<'a>(input: &FileInput<'a>, range: Range<usize>) -> Option<Subject<'a>> {
    let usage = Usage::find(input, &range)?;
    let facts = input.context.catalogue.path_facts(usage.text)?;
    // Paths in a list are not references to files of the repository.
    let own = if input.language == Language::Data { None } else { own_file(input, usage.text, facts.kind) };
    let topic = topic(&facts, &usage, own.is_some());
    is_meant(input.language, input.path, topic, &facts, usage.text).then_some(Subject {
        topic,
        usage,
        facts,
        range,
        own,
    })
}

fn topic(facts: &PathFacts<'_>, usage: &Usage<'_>, is_own: bool) -> Topic {
    let file = usage.text.rsplit('/').next().unwrap_or_default();
    if file.contains("x509") {
        return Topic::Proxy;
    }
    if facts.retired.is_some() {
        return Topic::Retired;
    }
    if is_own {
        return Topic::Own;
    }
    match facts.kind {
        PathKind::Home => Topic::Home,
        PathKind::Site | PathKind::Shared if facts.owner.is_some_and(is_person) => Topic::Home,
        PathKind::Site | PathKind::Shared | PathKind::Public => Topic::Site,
        PathKind::Image => Topic::Image,
        PathKind::Temporary => Topic::Temporary,
        PathKind::Name => Topic::Store,
        PathKind::Software if facts.is_nightly => Topic::Nightly,
        PathKind::Software => Topic::Software,
    }
}

/// Reports whether a component can be a user name rather than a shared directory.
pub(super) fn is_person(name: &str) -> bool {
    let general = matches!(
        name.to_ascii_lowercase().as_str(),
        "results"
            | "output"
            | "outputs"
            | "out"
            | "input"
            | "inputs"
            | "analysis"
            | "analyses"
            | "code"
            | "src"
            | "scratch"
            | "software"
            | "project"
            | "projects"
            | "home"
            | "log"
            | "logs"
            | "plots"
            | "samples"
            | "ntuples"
            | "work"
            | "workspace"
            | "workdir"
            | "dir"
            | "file"
            | "files"
            | "local"
            | "scripts"
            | "notebooks"
            | "run"
            | "batch"
            | "datasets"
            | "skims"
            | "build"
            | "images"
            | "config"
            | "configs"
            | "submit"
            | "production"
    );
    is_name(name) && !general && !name.bytes().all(|byte| byte.is_ascii_digit()) && !is_file(name)
}

/// Reports whether a component looks like a file name, by its extension.
fn is_file(name: &str) -> bool {
    let extensions =
        ["root", "txt", "json", "py", "sh", "yaml", "yml", "sif", "csv", "parquet", "cfg", "toml", "gz", "C", "img"];
    name.rsplit_once('.').is_some_and(|(_, ending)| extensions.contains(&ending))
}

/// Reports whether a path is relevant in a file of this language.
fn is_meant(language: Language, file: &str, topic: Topic, facts: &PathFacts<'_>, text: &str) -> bool {
    let is_bare = text.trim_end_matches('/') == facts.prefix.trim_end_matches('/');
    let is_general = matches!(facts.kind, PathKind::Shared | PathKind::Home | PathKind::Image | PathKind::Temporary);
    // `/data` and `/home` without a subdirectory are only bound, listed or compared.
    if is_bare && is_general {
        return false;
    }
    match language {
        // Image recipes contain paths inside of the image.
        Language::Docker | Language::Apptainer => facts.kind == PathKind::Site && topic != Topic::Own,
        Language::Requirements => false,
        Language::Yaml | Language::Json | Language::Toml | Language::Ini => {
            let lower = file.to_ascii_lowercase();
            let is_service =
                [".github/", ".gitlab", "docker", "compose", "k8s", "helm", "chart", "devcontainer", "binder/"]
                    .iter()
                    .any(|word| lower.contains(word));
            let is_anybodys = is_general && facts.owner.is_none_or(|owner| !is_person(owner));
            let is_inside = is_anybodys && is_service;
            !is_inside && !matches!(topic, Topic::Temporary | Topic::Image)
        }
        Language::Data => !matches!(topic, Topic::Temporary | Topic::Image),
        _ => true,
    }
}

/// Returns the file of the repository whose path is the end of an absolute path, with at least two components.
fn own_file<'a>(input: &FileInput<'a>, text: &'a str, kind: PathKind) -> Option<&'a str> {
    if !matches!(kind, PathKind::Site | PathKind::Shared | PathKind::Home) || !is_plain(text) {
        return None;
    }
    let mut rest = text;
    while let Some((_, tail)) = rest.trim_start_matches('/').split_once('/') {
        let tail = tail.trim_start_matches('/');
        if tail.contains('/') && input.context.has_file(tail) {
            return Some(tail);
        }
        rest = tail;
    }
    None
}

/// Reports whether a path contains neither placeholders nor patterns.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.' | b'+' | b'='))
}
