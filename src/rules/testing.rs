//! Runs a rule on a text, for tests.

use std::collections::BTreeSet;

use super::input::{FileInput, World};
use super::{Check, Report, Rule};
use crate::facility::Catalogue;
use crate::model::finding::Severity;
use crate::model::inventory::Inventory;
use crate::repo::matcher::Matcher;
use crate::repo::source::{self, language::Language};

/// What a rule says of a file of a repository that has these paths.
pub(super) fn reports_among(rule: &Rule, path: &str, text: &str, paths: &[&str]) -> Vec<Report> {
    let catalogue = Catalogue::builtin();
    let paths = paths.iter().map(|path| (*path).to_owned()).collect::<BTreeSet<_>>();
    let world = World::new(catalogue, catalogue.facilities.iter().collect(), paths, Inventory::default());
    let language = Language::of(path, text.as_bytes());
    let view = source::read(language, text.as_bytes());
    let matches = Matcher::new(catalogue.roots()).all(view.text.as_bytes());
    let input = FileInput { path, language, view: &view, matches: &matches, world: &world };
    let mut reports = Vec::new();
    match rule.check {
        Check::File(check) => check(&input, &mut reports),
        Check::Repository(_) => panic!("{} looks at repositories", rule.id),
    }
    reports
}

/// The severities that a rule gives in a file.
pub(super) fn severities(rule: &Rule, path: &str, text: &str) -> Vec<Severity> {
    let reports = reports_among(rule, path, text, &[]);
    reports.iter().map(|report| report.severity.unwrap_or(rule.severity)).collect()
}
