//! Runs a rule on a text, for tests.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{FileInput, RepositoryInput, RuleContext};
use super::{Check, Diagnostic, Rule};
use crate::facility::Catalogue;
use crate::model::finding::Severity;
use crate::model::inventory::Inventory;
use crate::source::lang;
use crate::source::lang::matcher::Matcher;
use crate::source::manifest;

/// Returns the diagnostics of a rule for a file in a repository with these paths.
pub(super) fn diagnostics_among(rule: &Rule, path: &str, text: &str, paths: &[&str]) -> Vec<Diagnostic> {
    let catalogue = Catalogue::builtin();
    let paths = paths.iter().map(|path| (*path).to_owned()).collect::<BTreeSet<_>>();
    let context = RuleContext::new(catalogue, catalogue.facilities.iter().collect(), paths, Inventory::default());
    let language = manifest::language(path, text.as_bytes());
    let view = lang::read(language, text.as_bytes());
    let matches = Matcher::new(catalogue.roots()).all(view.text.as_bytes());
    let input = FileInput { path, language, view: &view, matches: &matches, context: &context };
    let mut diagnostics = Vec::new();
    match rule.check {
        Check::File(check) => check(&input, &mut diagnostics),
        Check::Repository(_) => panic!("{} is a rule for repositories", rule.id),
    }
    diagnostics
}

/// Returns the severities of the diagnostics for a file.
pub(super) fn severities(rule: &Rule, path: &str, text: &str) -> Vec<Severity> {
    let diagnostics = diagnostics_among(rule, path, text, &[]);
    diagnostics.iter().map(|diagnostic| diagnostic.severity.unwrap_or(rule.severity)).collect()
}

/// Returns the input for an empty repository.
pub(super) fn nothing<'a>(context: &'a RuleContext<'a>) -> RepositoryInput<'a> {
    RepositoryInput {
        context,
        links: Vec::new(),
        imports: Vec::new(),
        names: BTreeMap::new(),
        references: Vec::new(),
        mentions: BTreeMap::new(),
        submodules: Vec::new(),
    }
}

/// Returns the diagnostics of a rule for a repository with these files.
pub(super) fn repository_diagnostics(rule: &Rule, files: &[(&str, &str)]) -> Vec<Diagnostic> {
    let catalogue = Catalogue::builtin();
    let texts: BTreeMap<&str, &str> = files.iter().copied().collect();
    let contents: BTreeMap<String, Vec<u8>> =
        texts.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let inventory = manifest::inventory(&contents);
    let targets = catalogue.facilities.iter().collect();
    let context = RuleContext::new(catalogue, targets, contents.into_keys().collect(), inventory);
    let mut input = nothing(&context);
    for (path, text) in texts {
        let view = lang::read(manifest::language(path, text.as_bytes()), text.as_bytes());
        input.names.extend(view.facts.names.map(|names| (path.to_owned(), names)));
        for import in view.facts.imports {
            let line = view.text[..import.range.start].matches('\n').count() + 1;
            input.imports.push((path.to_owned(), u32::try_from(line).unwrap_or(u32::MAX), import));
        }
    }
    let mut diagnostics = Vec::new();
    match rule.check {
        Check::Repository(check) => check(&input, &mut diagnostics),
        Check::File(_) => panic!("{} is a rule for files", rule.id),
    }
    diagnostics
}
