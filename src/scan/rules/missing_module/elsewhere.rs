//! Modules that come from elsewhere, and are not missing.

use std::collections::BTreeSet;

use super::super::context::{RepositoryInput, RuleContext, Submodule};
use super::super::testing::nothing;
use super::check;
use crate::facility::Catalogue;
use crate::model::inventory::Inventory;
use crate::source::lang;
use crate::source::lang::language::Language;

/// The modules that are missing of one program in a repository with a submodule `tools`.
fn missing(text: &str) -> Vec<String> {
    missing_beside(text, &[])
}

/// The same, with names of files that other lines mention.
fn missing_beside(text: &str, mentions: &[&str]) -> Vec<String> {
    let facts = lang::read(Language::Python, text.as_bytes()).facts;
    let world = RuleContext::new(Catalogue::builtin(), Vec::new(), BTreeSet::new(), Inventory::default());
    let path = || "run.py".to_owned();
    let (url, branch) = ("https://example.org/tools".to_owned(), None);
    let input = RepositoryInput {
        imports: facts.imports.into_iter().map(|import| (path(), 1, import)).collect(),
        references: facts.references.into_iter().map(|reference| (path(), 1, reference)).collect(),
        mentions: mentions.iter().map(|name| ((*name).to_owned(), 1)).collect(),
        submodules: vec![Submodule { path: "tools".to_owned(), url, branch, line: 1, is_recorded: true }],
        ..nothing(&world)
    };
    let mut reports = Vec::new();
    check(&input, &mut reports);
    reports.into_iter().map(|report| report.message).collect()
}

#[test]
fn a_module_may_lie_in_the_submodule_that_is_on_the_path() {
    assert_eq!(missing("import sys\nimport plot_style\n").len(), 1);
    let path = "import sys\nsys.path.append('tools/python/.')\nimport plot_style\n";
    assert_eq!(missing(path), [] as [String; 0]);
    let other = "import sys\nsys.path.append('toolsets/python')\nimport plot_style\n";
    assert_eq!(missing(other).len(), 1);
}

#[test]
fn a_module_may_come_from_a_repository_that_is_cloned() {
    assert_eq!(missing_beside("import plot_tools\n", &["plot_tools.git"]), [] as [String; 0]);
    assert_eq!(missing_beside("import plot_tools\n", &["plot-tools.git"]), [] as [String; 0]);
    assert_eq!(missing_beside("import plot_tools\n", &["other.git"]).len(), 1);
}
