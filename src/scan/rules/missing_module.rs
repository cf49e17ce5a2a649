//! Modules of the analysis that are not in the repository.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::context::RepositoryInput;
use super::module::{Declared, OwnModules, Provider, leads_inside};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Import, Usage};

/// The rule `missing-module`: `from plotter import *` without a `plotter.py`.
pub(super) static RULE: Rule = Rule {
    id: "missing-module",
    severity: Severity::Error,
    confidence: Confidence::Medium,
    summary: "imported module of the analysis that is not in the repository",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Finds imports of modules that appear to belong to the analysis and are not in the repository: relative imports without a file,
modules of one of its packages, and names that are not provided by Python, a known package, a release or the declared
dependencies. Names in the last group are reported only for star imports (`from x import *`) and for typical names of helper
modules.

## Why it breaks elsewhere

The file is in the author's directory, outside git. For everyone else the import fails with an ImportError.

## Example

```python
from plotter import *
```

## How to fix

Add the file to the repository, or declare the package that provides the module.

## Limits

A module that a build generates (a compiled extension, `_version.py`) is not reported if `.gitignore` or the build names its
pattern. The rule guesses from the name whether a module belongs to the analysis, so the confidence is medium. In a steering file
of basf2, Gaudi, Athena or IceTray the finding is a warning, because the release may provide the module.
";

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let own = OwnModules::new(input);
    let declared = Declared::new(input.context);
    let submodule_users = submodule_users(input);
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (path, line, import) in &input.imports {
        let reason = if import.module.starts_with('.') {
            relative(path, import, input)
        } else {
            let is_hidden = submodule_users.contains(path.as_str());
            below_own(import, input).or_else(|| unknown(import, &own, &declared, input).filter(|_| !is_hidden))
        };
        let Some((message, confidence)) = reason else { continue };
        if import.module.rsplit('.').next().is_some_and(is_generated) || !seen.insert((path, &import.module)) {
            continue;
        }
        let is_steering = STEERING_MODULES.iter().any(|release| imports_release(input, path, release));
        let severity = match (import.is_optional, is_steering && !import.module.starts_with('.')) {
            (true, _) => Severity::Note,
            (false, true) => Severity::Warning,
            (false, false) => Severity::Error,
        };
        let diagnostic = Diagnostic::in_file(path, *line, message).severity(severity).confidence(confidence);
        diagnostics
            .push(diagnostic.help("add the file to the repository, or declare the package that provides the module"));
    }
}

/// Modules of releases that run a program as their steering file. An unknown module may be part of such a release, because
/// the table of modules is not complete.
const STEERING_MODULES: &[&str] = &[
    "AthenaCommon",
    "AthenaConfiguration",
    "Configurables",
    "Gaudi",
    "GaudiConf",
    "I3Tray",
    "basf2",
    "icecube",
    "modularAnalysis",
];

/// Reports whether a file imports a release.
fn imports_release(input: &RepositoryInput<'_>, path: &str, release: &str) -> bool {
    let from = input.imports.partition_point(|(other, _, _)| other.as_str() < path);
    let own = input.imports[from..].iter().take_while(|(other, _, _)| other == path);
    own.into_iter().any(|(_, _, import)| import.module.split('.').next() == Some(release))
}

/// Returns files that add a directory of a submodule to their module path. The content of submodules is not scanned.
fn submodule_users<'a>(input: &'a RepositoryInput<'_>) -> BTreeSet<&'a str> {
    let is_inside = |path: &str| {
        let path = path.trim_start_matches("./").trim_start_matches("../");
        input
            .submodules
            .iter()
            .any(|submodule| path == submodule.path || path.starts_with(&format!("{}/", submodule.path)))
    };
    let code = input.references.iter().filter(|(_, _, reference)| reference.usage == Usage::Code);
    code.filter(|(_, _, reference)| is_inside(&reference.path)).map(|(path, _, _)| path.as_str()).collect()
}

/// Reports whether a build generates modules with this name.
pub(super) fn is_generated(name: &str) -> bool {
    name.starts_with('_') || name.contains("version") || name.ends_with("_pb2") || name.ends_with("_pb2_grpc")
}

type Reason = Option<(String, Confidence)>;

/// Checks `from .x import y`, which is resolved relative to the directory of the file.
fn relative(path: &str, import: &Import, input: &RepositoryInput<'_>) -> Reason {
    let name = import.module.trim_start_matches('.');
    let up = import.module.len() - name.len();
    if name.is_empty() || !path.ends_with(".py") {
        return None;
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    for _ in 0..up {
        parts.pop()?;
    }
    let first = name.split('.').next().unwrap_or_default();
    parts.push(first);
    let location = parts.join("/");
    if exists(&location, input) {
        return None;
    }
    Some((
        format!("module `{}` is not in the repository: {location}.py does not exist", import.module),
        Confidence::High,
    ))
}

/// Checks `from package.x import y`, where the package with its `__init__.py` is part of the repository.
fn below_own(import: &Import, input: &RepositoryInput<'_>) -> Reason {
    let mut parts = import.module.split('.');
    let (top, second) = (parts.next()?, parts.next()?);
    let roots = ["", "src/", "python/"];
    let root = roots.iter().find(|root| input.context.has_file(&format!("{root}{top}/__init__.py")))?;
    let location = format!("{root}{top}/{second}");
    // Compiled extensions, and packages in several locations, are not known.
    let has_build = ["setup.py", "CMakeLists.txt", "meson.build"].iter().any(|name| input.context.has_file(name));
    let other = input.context.paths.iter().any(|path| path.contains(&format!("{top}/{second}")));
    if exists(&location, input) || other || has_build && second.starts_with('_') {
        return None;
    }
    Some((
        format!("module `{}` is not in the repository: {location}.py does not exist", import.module),
        Confidence::Medium,
    ))
}

/// Reports whether a module, package or directory with this path exists. Links count.
fn exists(location: &str, input: &RepositoryInput<'_>) -> bool {
    let context = input.context;
    let ends = [".py", ".pyx", ".so", ".pyi", ""];
    let is_dead =
        |path: &str| input.links.iter().any(|(link, target)| link == path && !leads_inside(link, target, context));
    let prefix = format!("{location}.");
    ends.iter().map(|end| format!("{location}{end}")).any(|path| context.has_file(&path) && !is_dead(&path))
        || context.has_directory(location)
        || context.paths.range(prefix.clone()..).next().is_some_and(|next| next.starts_with(&prefix) && next.ends_with(".so"))
        // The content of links and submodules is not scanned.
        || input.links.iter().filter(|(link, target)| leads_inside(link, target, context)).any(|(link, _)| location.starts_with(&format!("{link}/")) || location == link)
        || input.submodules.iter().any(|submodule| location.starts_with(&submodule.path))
}

fn unknown(import: &Import, own: &OwnModules<'_>, declared: &Declared, input: &RepositoryInput<'_>) -> Reason {
    let top = import.module.split('.').next().unwrap_or_default();
    if own.provider(&import.module) != Provider::Unknown
        || own.has(top)
        || declared.has(top, top)
        || is_fetched(top, input)
    {
        return None;
    }
    // A dotted name is an installed package, or the repository itself in a release area.
    if import.module.contains('.') {
        return None;
    }
    let is_star_import = import.names.iter().any(|name| name == "*");
    if !is_star_import && !is_local_name(top, input) {
        return None;
    }
    Some((format!("module `{top}` is not in the repository, and no known package provides it"), Confidence::Medium))
}

/// Reports whether a program or setting mentions a git repository with the name of a module, which it clones or installs.
fn is_fetched(name: &str, input: &RepositoryInput<'_>) -> bool {
    [name.to_owned(), name.replace('_', "-")].iter().any(|name| input.mentions.contains_key(&format!("{name}.git")))
}

/// Words in typical names of helper modules.
const HELPER_WORDS: &[&str] = &[
    "util",
    "utils",
    "utilities",
    "helper",
    "helpers",
    "plot",
    "plots",
    "plotter",
    "plotting",
    "functions",
    "func",
    "funcs",
    "common",
    "tools",
    "cuts",
    "samples",
    "selections",
    "selection",
    "corrections",
    "mytools",
    "mystyle",
    "histos",
    "style",
    "tdrstyle",
    "datasets",
    "processor",
    "processors",
    "analyzer",
    "config",
    "cfg",
    "settings",
    "drawing",
    "fitting",
    "weights",
    "systematics",
    "variables",
    "binning",
    "sfs",
    "xsec",
    "xsecs",
    "lumis",
];

/// Reports whether a name is typical of a helper module: it contains one of the helper words.
pub(super) fn is_local_name(name: &str, input: &RepositoryInput<'_>) -> bool {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split('_').filter(|word| !word.is_empty()).collect();
    let has_word = words.iter().any(|word| HELPER_WORDS.contains(word));
    let camel =
        HELPER_WORDS.iter().any(|word| word.len() > 4 && lower != *word && name != lower && lower.ends_with(word));
    let is_ignored = input.context.paths.contains(&format!("{name}.py"));
    (has_word || camel) && !is_ignored
}
