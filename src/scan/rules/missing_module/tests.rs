use std::collections::BTreeSet;

use super::super::context::{RepositoryInput, RuleContext, Submodule};
use super::super::testing::nothing;
use super::check;
use crate::facility::Catalogue;
use crate::model::finding::Severity::{self, Error, Warning};
use crate::model::inventory::Inventory;
use crate::source::lang;
use crate::source::lang::language::Language;

/// Returns the messages for one program in a repository with a submodule `tools`.
fn missing(text: &str) -> Vec<String> {
    missing_beside(text, &[])
}

/// Returns the messages if other lines mention these files.
fn missing_beside(text: &str, mentions: &[&str]) -> Vec<String> {
    let facts = lang::read(Language::Python, text.as_bytes()).facts;
    let context = RuleContext::new(Catalogue::builtin(), Vec::new(), BTreeSet::new(), Inventory::default());
    let path = || "run.py".to_owned();
    let (url, branch) = ("https://example.org/tools".to_owned(), None);
    let input = RepositoryInput {
        imports: facts.imports.into_iter().map(|import| (path(), 1, import)).collect(),
        references: facts.references.into_iter().map(|reference| (path(), 1, reference)).collect(),
        mentions: mentions.iter().map(|name| ((*name).to_owned(), 1)).collect(),
        submodules: vec![Submodule { path: "tools".to_owned(), url, branch, line: 1, is_recorded: true }],
        ..nothing(&context)
    };
    let mut diagnostics = Vec::new();
    check(&input, &mut diagnostics);
    diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect()
}

#[test]
fn module_may_be_in_submodule_on_module_path() {
    assert_eq!(missing("import sys\nimport plot_style\n").len(), 1);
    let path = "import sys\nsys.path.append('tools/python/.')\nimport plot_style\n";
    assert_eq!(missing(path), [] as [String; 0]);
    let other = "import sys\nsys.path.append('toolsets/python')\nimport plot_style\n";
    assert_eq!(missing(other).len(), 1);
}

#[test]
fn module_may_be_in_cloned_repository() {
    assert_eq!(missing_beside("import plot_tools\n", &["plot_tools.git"]), [] as [String; 0]);
    assert_eq!(missing_beside("import plot_tools\n", &["plot-tools.git"]), [] as [String; 0]);
    assert_eq!(missing_beside("import plot_tools\n", &["other.git"]).len(), 1);
}

fn severities(text: &str) -> Vec<Severity> {
    let catalogue = Catalogue::builtin();
    let paths = BTreeSet::from(["run.py".to_owned()]);
    let context = RuleContext::new(catalogue, Vec::new(), paths, Inventory::default());
    let view = lang::read(Language::Python, text.as_bytes());
    let imports = view.facts.imports.into_iter().map(|import| ("run.py".to_owned(), 1, import)).collect();
    let input = RepositoryInput { imports, ..nothing(&context) };
    let mut diagnostics = Vec::new();
    check(&input, &mut diagnostics);
    diagnostics.iter().filter_map(|diagnostic| diagnostic.severity).collect()
}

#[test]
fn unknown_module_next_to_release_module_is_warning() {
    assert_eq!(severities("import numpy\nfrom plotter import *\n"), [Error]);
    assert_eq!(severities("import basf2\nfrom stdCharged import *\nfrom variables import variables\n"), []);
    assert_eq!(severities("import modularAnalysis\nfrom myCharmLists import *\n"), [Warning]);
}
