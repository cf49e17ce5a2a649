//! Imported modules that no declared package provides.

use std::collections::BTreeMap;

use super::context::RepositoryInput;
use super::module::{Declared, OwnModules, Provider};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::workflow::test_file::is_in_test_directory;

/// The rule `undeclared-import`: `import xgboost` without xgboost in the requirements.
pub(super) static RULE: Rule = Rule {
    id: "undeclared-import",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "imported module that no declared package provides",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Compares the modules that programs and notebooks import with the packages that the repository declares or locks. Module names are
mapped to distributions (`sklearn` is scikit-learn, `yaml` is PyYAML).

## Why it breaks elsewhere

In an environment that is created from the declaration, the import fails. In the author's account the package was installed for
another reason.

## Example

`import xgboost` in `train.py`, with a `requirements.txt` that lists only coffea.

## How to fix

Declare the package with its version. Wrap optional imports in `try`.

## Limits

Dependencies of a declared package, modules of a release (ROOT, XRootD, CMSSW) and optional imports are reported as notes. If the
distribution that provides a module is unknown, the finding names the module instead.
";

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let declared = Declared::new(input.context);
    if declared.is_empty() {
        return;
    }
    let own = OwnModules::new(input);
    // The first required import, otherwise the first one.
    let mut first: BTreeMap<&str, (&str, u32, bool)> = BTreeMap::new();
    for (path, line, import) in &input.imports {
        let top = import.module.split('.').next().unwrap_or_default();
        let is_aside = import.is_optional || !import.runs_at_import || is_aside(path);
        let entry = first.entry(top).or_insert((path, *line, is_aside));
        if entry.2 && !is_aside {
            *entry = (path, *line, false);
        }
    }
    for (top, (path, line, is_aside)) in first {
        let (name, severity, why) = match own.provider(top) {
            Provider::Distribution(name) if declared.has(name, top) => continue,
            Provider::Distribution(name) if declared.is_dependency(name) => {
                (name, Severity::Note, "is only installed as a dependency of another package")
            }
            Provider::Distribution(name) => (name, severity(is_aside), "is not declared"),
            Provider::Unknown if declared.has(top, top) || super::missing_module::is_local_name(top, input) => continue,
            Provider::Unknown => (top, Severity::Note, "is not declared"),
            Provider::Release if declared.has(top, top) || declared.has("root", top) => continue,
            Provider::Release => (top, Severity::Note, "is provided by a release that is not declared"),
            Provider::Local | Provider::Facility => continue,
        };
        let message = if name == top { format!("`{top}` {why}") } else { format!("`{top}` ({name}) {why}") };
        diagnostics.push(Diagnostic::in_file(path, line, message).severity(severity).help(match severity {
            Severity::Note => "declare it, or document where it comes from",
            Severity::Warning | Severity::Error => "declare it with its version",
        }));
    }
}

fn severity(is_aside: bool) -> Severity {
    if is_aside { Severity::Note } else { Severity::Warning }
}

/// Reports whether a file is not part of the analysis itself: tests, documentation, build tools.
fn is_aside(path: &str) -> bool {
    let (dirs, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_tool = matches!(name, "setup.py" | "conf.py" | "conftest.py" | "noxfile.py" | "tasks.py");
    let is_documentation = |dir| matches!(dir, "docs" | "doc" | "examples");
    is_tool || is_in_test_directory(path) || dirs.split('/').any(is_documentation)
}
