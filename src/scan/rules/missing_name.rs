//! A name that a module of the analysis doesn't have.

mod package;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::context::RepositoryInput;
use super::module::{Declared, Own};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::Import;
use package::Modules;

/// `from package import Processor` where the package has no `Processor`.
pub(super) static RULE: Rule = Rule {
    id: "missing-name",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "a name is imported from a module of the analysis that doesn't have it",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Finds names that are taken from a module or a package of the repository itself (`from package import Name`) and that it neither
defines nor imports, and that are no module below it.

## Why it breaks elsewhere

The program was written for another version of the package: one that the author has installed, or that was never committed. With the
one in the repository the import is an ImportError.

## Example

```python
from boosted import PlotProcessor  # boosted/__init__.py has no PlotProcessor
```

## How to fix

Import the name from where it is, or add it to the package. A program that nobody uses any more is better removed.

## Limits

Nothing is said of a module that takes all of another (`from x import *`), has a `__getattr__`, makes names while it runs (`globals()`,
`setattr`, `exec`), could not be read whole, or is compiled; of packages without `__init__.py`; of modules whose name Python, a known
distribution or a release has too; and of imports that the program can go on without. An import inside a function is a warning, since
the function may never be called. When only the changes of some commits are looked at, both files must be among them.
";

fn check(input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    if input.names.is_empty() {
        return;
    }
    let (own, declared, modules) = (Own::of(input), Declared::of(input.world), Modules::of(input));
    // Names that some file gives to something which may be this module.
    let given: BTreeSet<&str> =
        input.names.values().flat_map(|names| &names.assigned_attributes).map(String::as_str).collect();
    let mut seen: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for (path, line, import) in input.imports.iter().filter(|(_, _, import)| is_plain(import)) {
        let top = import.module.split('.').next().unwrap_or_default();
        // A relative one begins with a dot, and is nobody else's.
        if !top.is_empty() && (own.is_elsewhere(top) || declared.has(top, top)) {
            continue;
        }
        let Some(found) = modules.find(path, &import.module) else { continue };
        for name in &import.names {
            let is_there = given.contains(name.as_str()) || found.iter().any(|module| module.may_have(name, input));
            if is_there || !seen.insert((path, &import.module, name)) {
                continue;
            }
            let message =
                format!("`{name}` is not in `{}`: {} neither defines nor imports it", import.module, found[0].path);
            let severity = if import.at_top { Severity::Error } else { Severity::Warning };
            let help = match modules.with_name(&found[0], name) {
                Some(other) => format!("{other} has it"),
                None => "add it to the module, or leave out what needs it".to_owned(),
            };
            reports.push(Diagnostic::of(path, *line, message).severity(severity).help(help));
        }
    }
}

/// Whether an import takes names, and the program needs them.
fn is_plain(import: &Import) -> bool {
    !import.is_optional && !import.names.is_empty() && import.names.iter().all(|name| name != "*")
}
