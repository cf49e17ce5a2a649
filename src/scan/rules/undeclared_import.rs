//! A module that a program imports and that no declared package provides.

use std::collections::BTreeMap;

use super::context::RepositoryInput;
use super::module::{Declared, Own, Provider};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::workflow::test_file::is_in_test_directory;

/// `import xgboost` while the requirements don't have it.
pub(super) static RULE: Rule = Rule {
    id: "undeclared-import",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "a module is imported that no declared package provides",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Compares the modules that programs and notebooks import with the packages that the repository declares or locks, by the names of
their distributions (`sklearn` is scikit-learn, `yaml` is PyYAML).

## Why it breaks elsewhere

In an environment made from the declaration the import fails. On the author's account the package is there for another reason.

## Example

`import xgboost` in `train.py`, with a `requirements.txt` that lists coffea alone.

## How to fix

Add the package to what is declared, with its version. An import that the program can go on without belongs into `try`.

## Limits

What a declared package brings along, modules of a release (ROOT, XRootD, CMSSW) and optional imports are worth a note. A module of
which the distribution isn't known is reported with its own name.
";

fn check(input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    let declared = Declared::of(input.world);
    if declared.is_empty() {
        return;
    }
    let own = Own::of(input);
    // The first place that can't do without it, else the first.
    let mut first: BTreeMap<&str, (&str, u32, bool)> = BTreeMap::new();
    for (path, line, import) in &input.imports {
        let top = import.module.split('.').next().unwrap_or_default();
        let is_aside = import.is_optional || !import.at_top || is_aside(path);
        let entry = first.entry(top).or_insert((path, *line, is_aside));
        if entry.2 && !is_aside {
            *entry = (path, *line, false);
        }
    }
    for (top, (path, line, is_aside)) in first {
        let (name, severity, why) = match own.provider(top) {
            Provider::Distribution(name) if declared.has(name, top) => continue,
            Provider::Distribution(name) if declared.is_brought(name) => {
                (name, Severity::Note, "only comes along with another package")
            }
            Provider::Distribution(name) => (name, severity(is_aside), "is not declared"),
            Provider::Unknown if declared.has(top, top) || super::missing_module::is_local_name(top, input) => continue,
            Provider::Unknown => (top, Severity::Note, "is not declared"),
            Provider::Release if declared.has(top, top) || declared.has("root", top) => continue,
            Provider::Release => (top, Severity::Note, "comes with a release, which is not declared"),
            Provider::Here | Provider::Place => continue,
        };
        let message = if name == top { format!("`{top}` {why}") } else { format!("`{top}` ({name}) {why}") };
        reports.push(Diagnostic::of(path, line, message).severity(severity).help(match severity {
            Severity::Note => "declare it, or say where it comes from",
            Severity::Warning | Severity::Error => "add it to what is declared, with its version",
        }));
    }
}

fn severity(is_aside: bool) -> Severity {
    if is_aside { Severity::Note } else { Severity::Warning }
}

/// Whether a file is no part of the analysis itself: tests, documentation, what builds it.
fn is_aside(path: &str) -> bool {
    let (dirs, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_tool = matches!(name, "setup.py" | "conf.py" | "conftest.py" | "noxfile.py" | "tasks.py");
    let is_documentation = |dir| matches!(dir, "docs" | "doc" | "examples");
    is_tool || is_in_test_directory(path) || dirs.split('/').any(is_documentation)
}
