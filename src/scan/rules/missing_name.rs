//! Imported names that do not exist in the module.

mod package;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::context::RepositoryInput;
use super::module::{Declared, OwnModules};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::Import;
use package::Modules;

/// The rule `missing-name`: `from package import Processor` when the package has no `Processor`.
pub(super) static RULE: Rule = Rule {
    id: "missing-name",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "imported name that the module does not define",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Finds names that are imported from a module or package of the repository (`from package import Name`), although the module does
not define or import them and does not have a submodule with that name.

## Why it breaks elsewhere

The program was written for another version of the package: one that the author has installed, or that was never committed. With the
version in the repository, the import fails with an ImportError.

## Example

```python
from boosted import PlotProcessor  # boosted/__init__.py has no PlotProcessor
```

## How to fix

Import the name from the module that defines it, or add it to the package. Remove programs that are no longer used.

## Limits

A module is skipped if it has a star import (`from x import *`) or a `__getattr__`, creates names at run time (`globals()`,
`setattr`, `exec`), could not be parsed completely, or is compiled. Also skipped are packages without `__init__.py`, modules whose
name is also provided by Python, a known distribution or a release, and optional imports. An import inside a function is reported
as a warning, because the function may never be called. With `--changed`, a name is reported only if both files
changed.
";

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if input.names.is_empty() {
        return;
    }
    let (own, declared, modules) = (OwnModules::new(input), Declared::new(input.context), Modules::new(input));
    // Names that a file assigns to an object that may be this module.
    let assigned: BTreeSet<&str> =
        input.names.values().flat_map(|names| &names.assigned_attributes).map(String::as_str).collect();
    let mut seen: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for (path, line, import) in input.imports.iter().filter(|(_, _, import)| is_plain(import)) {
        let top = import.module.split('.').next().unwrap_or_default();
        // A relative import starts with a dot and always refers to the repository.
        if !top.is_empty() && (own.is_provided_elsewhere(top) || declared.has(top, top)) {
            continue;
        }
        let Some(found) = modules.find(path, &import.module) else { continue };
        for name in &import.names {
            let exists = assigned.contains(name.as_str()) || found.iter().any(|module| module.may_have(name, input));
            if exists || !seen.insert((path, &import.module, name)) {
                continue;
            }
            let message =
                format!("`{}` has no name `{name}`: {} neither defines nor imports it", import.module, found[0].path);
            let severity = if import.runs_at_import { Severity::Error } else { Severity::Warning };
            let help = match modules.with_name(&found[0], name) {
                Some(other) => format!("import it from {other}, which defines it"),
                None => "add it to the module, or remove the code that uses it".to_owned(),
            };
            diagnostics.push(Diagnostic::in_file(path, *line, message).severity(severity).help(help));
        }
    }
}

/// Reports whether an import names objects that the program requires.
fn is_plain(import: &Import) -> bool {
    !import.is_optional && !import.names.is_empty() && import.names.iter().all(|name| name != "*")
}
