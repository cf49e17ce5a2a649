//! What a path is, so that one rule and no other speaks of it.

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
    /// Gone everywhere.
    Retired,
    /// Exists in images.
    Image,
    /// Belongs to one machine for a while.
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

/// A path of a file, with what is known of it.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The rule it belongs to.
    pub(super) topic: Topic,
    /// How it is used.
    pub(super) usage: Usage<'a>,
    /// What the catalogue knows.
    pub(super) place: PathFacts<'a>,
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// The file of the repository that it names.
    pub(super) own: Option<&'a str>,
}

impl Subject<'_> {
    /// The root of storage and its owner: what several findings have in common.
    pub(super) fn group(&self) -> String {
        match self.place.owner {
            Some(owner) => format!("{} of {owner}", self.place.prefix),
            None => self.place.prefix.to_owned(),
        }
    }
}

/// The paths of a file that belong to one rule.
pub(super) fn of<'a>(input: &FileInput<'a>, topic: Topic) -> impl Iterator<Item = Subject<'a>> {
    let input = *input;
    let text = input.view.text.as_bytes();
    let is_wanted = move |found: &&Match| found.form == Form::Path && may_be(topic, &text[found.range.clone()]);
    let paths = input.matches.iter().filter(is_wanted).map(|found| found.range.clone());
    paths.filter_map(move |range| subject(&input, range)).filter(move |subject| subject.topic == topic)
}

/// Whether a path can belong to a rule, by its root alone: most rules look at most paths for nothing otherwise.
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
    let usage = Usage::of(input, &range)?;
    let place = input.world.catalogue.place(usage.text)?;
    // A list tells nothing of what its files are to the repository.
    let own = if input.language == Language::Data { None } else { own_file(input, usage.text, place.kind) };
    let topic = topic(&place, &usage, own.is_some());
    is_meant(input.language, input.path, topic, &place, usage.text).then_some(Subject {
        topic,
        usage,
        place,
        range,
        own,
    })
}

fn topic(place: &PathFacts<'_>, usage: &Usage<'_>, is_own: bool) -> Topic {
    let file = usage.text.rsplit('/').next().unwrap_or_default();
    if file.contains("x509") {
        return Topic::Proxy;
    }
    if place.retired.is_some() {
        return Topic::Retired;
    }
    if is_own {
        return Topic::Own;
    }
    match place.kind {
        PathKind::Home => Topic::Home,
        PathKind::Site | PathKind::Shared if place.owner.is_some_and(is_person) => Topic::Home,
        PathKind::Site | PathKind::Shared | PathKind::Public => Topic::Site,
        PathKind::Image => Topic::Image,
        PathKind::Temporary => Topic::Temporary,
        PathKind::Name => Topic::Store,
        PathKind::Software if place.is_nightly => Topic::Nightly,
        PathKind::Software => Topic::Software,
    }
}

/// Whether a component can be a person's name, and not that of a directory for everybody.
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

/// Whether a component looks like a file: a dot with letters behind it.
fn is_file(name: &str) -> bool {
    let known =
        ["root", "txt", "json", "py", "sh", "yaml", "yml", "sif", "csv", "parquet", "cfg", "toml", "gz", "C", "img"];
    name.rsplit_once('.').is_some_and(|(_, ending)| known.contains(&ending))
}

/// Whether a path is meant as one in a file of this language.
fn is_meant(language: Language, file: &str, topic: Topic, place: &PathFacts<'_>, text: &str) -> bool {
    let is_bare = text.trim_end_matches('/') == place.prefix.trim_end_matches('/');
    let is_general = matches!(place.kind, PathKind::Shared | PathKind::Home | PathKind::Image | PathKind::Temporary);
    // `/data`, `/home` alone are bound, listed, compared; they lead nowhere.
    if is_bare && is_general {
        return false;
    }
    match language {
        // Recipes of images name what is inside them.
        Language::Docker | Language::Apptainer => place.kind == PathKind::Site && topic != Topic::Own,
        Language::Requirements => false,
        Language::Yaml | Language::Json | Language::Toml | Language::Ini => {
            let lower = file.to_ascii_lowercase();
            let is_service =
                [".github/", ".gitlab", "docker", "compose", "k8s", "helm", "chart", "devcontainer", "binder/"]
                    .iter()
                    .any(|word| lower.contains(word));
            let is_anybodys = is_general && place.owner.is_none_or(|owner| !is_person(owner));
            let is_inside = is_anybodys && is_service;
            !is_inside && !matches!(topic, Topic::Temporary | Topic::Image)
        }
        Language::Data => !matches!(topic, Topic::Temporary | Topic::Image),
        _ => true,
    }
}

/// The file of the repository whose path is the end of an absolute one; at least two components, or one in the top
/// directory that no other place would have.
fn own_file<'a>(input: &FileInput<'a>, text: &'a str, kind: PathKind) -> Option<&'a str> {
    if !matches!(kind, PathKind::Site | PathKind::Shared | PathKind::Home) || !is_plain(text) {
        return None;
    }
    let mut rest = text;
    while let Some((_, tail)) = rest.trim_start_matches('/').split_once('/') {
        let tail = tail.trim_start_matches('/');
        if tail.contains('/') && input.world.has_file(tail) {
            return Some(tail);
        }
        rest = tail;
    }
    None
}

/// Whether a path has no placeholder and no pattern in it.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.' | b'+' | b'='))
}
