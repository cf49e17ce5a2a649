//! A module of the analysis that is not in the repository.

#[cfg(test)]
mod elsewhere;

use std::collections::BTreeSet;

use super::context::RepositoryInput;
use super::module::{Declared, Own, Provider, leads_inside};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Import, Usage};

/// `from plotter import *` where no `plotter.py` is.
pub(super) static RULE: Rule = Rule {
    id: "missing-module",
    severity: Severity::Error,
    confidence: Confidence::Medium,
    summary: "a module of the analysis is imported, and it is not in the repository",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Finds imports of modules that look like the analysis' own and that the repository doesn't have: relative imports without a file,
modules below one of its packages, and names that neither Python, a known package, a release nor what is declared provides and
that are taken whole (`from x import *`), or named as people name their own helpers.

## Why it breaks elsewhere

The file lies in the author's directory, outside git. Everybody else gets an ImportError.

## Example

```python
from plotter import *
```

## How to fix

Add the file to the repository, or declare the package that has the module.

## Limits

A module that a build writes (a compiled extension, `_version.py`) is not reported when `.gitignore` or the build names it by pattern.
Whether a name is somebody's own is judged by the name; the confidence is medium. In a steering file of basf2, Gaudi, Athena or
IceTray it is a warning, as the release may have the module.
";

fn check(input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    let own = Own::of(input);
    let declared = Declared::of(input.world);
    let reaching = reaching(input);
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (path, line, import) in &input.imports {
        let reason = if import.module.starts_with('.') {
            relative(path, import, input)
        } else {
            let is_hidden = reaching.contains(path.as_str());
            below_own(import, input).or_else(|| unknown(import, &own, &declared, input).filter(|_| !is_hidden))
        };
        let Some((message, confidence)) = reason else { continue };
        if import.module.rsplit('.').next().is_some_and(is_generated) || !seen.insert((path, &import.module)) {
            continue;
        }
        let is_steering = STEERING.iter().any(|release| steers(input, path, release));
        let severity = match (import.is_optional, is_steering && !import.module.starts_with('.')) {
            (true, _) => Severity::Note,
            (false, true) => Severity::Warning,
            (false, false) => Severity::Error,
        };
        let report = Diagnostic::of(path, *line, message).severity(severity).confidence(confidence);
        reports.push(report.help("add the file to the repository, or declare the package that has it"));
    }
}

/// Modules of releases that run a program as their steering file: a release has more modules than anybody lists, and a name
/// that nobody knows may well be one of them.
const STEERING: &[&str] = &[
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

/// Whether a file imports a release.
fn steers(input: &RepositoryInput<'_>, path: &str, release: &str) -> bool {
    let from = input.imports.partition_point(|(other, _, _)| other.as_str() < path);
    let own = input.imports[from..].iter().take_while(|(other, _, _)| other == path);
    own.into_iter().any(|(_, _, import)| import.module.split('.').next() == Some(release))
}

/// Files that put a directory of a submodule on their path: what lies in it is not seen.
fn reaching<'a>(input: &'a RepositoryInput<'_>) -> BTreeSet<&'a str> {
    let is_inside = |path: &str| {
        let path = path.trim_start_matches("./").trim_start_matches("../");
        input.submodules.iter().any(|one| path == one.path || path.starts_with(&format!("{}/", one.path)))
    };
    let code = input.references.iter().filter(|(_, _, reference)| reference.usage == Usage::Code);
    code.filter(|(_, _, reference)| is_inside(&reference.path)).map(|(path, _, _)| path.as_str()).collect()
}

/// Names of modules that builds write.
pub(super) fn is_generated(name: &str) -> bool {
    name.starts_with('_') || name.contains("version") || name.ends_with("_pb2") || name.ends_with("_pb2_grpc")
}

type Reason = Option<(String, Confidence)>;

/// `from .x import y`: below the directory of the file.
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
    let place = parts.join("/");
    if exists(&place, input) {
        return None;
    }
    Some((format!("`{}` is not in the repository: there is no {place}.py", import.module), Confidence::High))
}

/// `from package.x import y` where the package, with its `__init__.py`, is the repository's own.
fn below_own(import: &Import, input: &RepositoryInput<'_>) -> Reason {
    let mut parts = import.module.split('.');
    let (top, second) = (parts.next()?, parts.next()?);
    let roots = ["", "src/", "python/"];
    let root = roots.iter().find(|root| input.world.has_file(&format!("{root}{top}/__init__.py")))?;
    let place = format!("{root}{top}/{second}");
    // Nothing is known of extensions that are compiled, and of packages that live in several places.
    let has_build = ["setup.py", "CMakeLists.txt", "meson.build"].iter().any(|name| input.world.has_file(name));
    let other = input.world.paths.iter().any(|path| path.contains(&format!("{top}/{second}")));
    if exists(&place, input) || other || has_build && second.starts_with('_') {
        return None;
    }
    Some((format!("`{}` is not in the repository: there is no {place}.py", import.module), Confidence::Medium))
}

/// Whether a module, a package or a directory of this path is there; links to it count.
fn exists(place: &str, input: &RepositoryInput<'_>) -> bool {
    let world = input.world;
    let ends = [".py", ".pyx", ".so", ".pyi", ""];
    let is_dead =
        |path: &str| input.links.iter().any(|(link, target)| link == path && !leads_inside(link, target, world));
    let prefix = format!("{place}.");
    ends.iter().map(|end| format!("{place}{end}")).any(|path| world.has_file(&path) && !is_dead(&path))
        || world.has_directory(place)
        || world.paths.range(prefix.clone()..).next().is_some_and(|next| next.starts_with(&prefix) && next.ends_with(".so"))
        // Inside a link or a submodule nothing is seen.
        || input.links.iter().filter(|(link, target)| leads_inside(link, target, world)).any(|(link, _)| place.starts_with(&format!("{link}/")) || place == link)
        || input.submodules.iter().any(|one| place.starts_with(&one.path))
}

fn unknown(import: &Import, own: &Own<'_>, declared: &Declared, input: &RepositoryInput<'_>) -> Reason {
    let top = import.module.split('.').next().unwrap_or_default();
    if own.provider(&import.module) != Provider::Unknown
        || own.has(top)
        || declared.has(top, top)
        || is_fetched(top, input)
    {
        return None;
    }
    // A dotted name is a package that somebody installs, or the repository under its own name in a release area.
    if import.module.contains('.') {
        return None;
    }
    let is_taken_whole = import.names.iter().any(|name| name == "*");
    if !is_taken_whole && !is_local_name(top, input) {
        return None;
    }
    Some((
        format!("`{top}` is not in the repository, and no known package has a module of that name"),
        Confidence::Medium,
    ))
}

/// Whether a program or a setting names a repository of git that is called like a module: it is cloned or installed there.
fn is_fetched(name: &str, input: &RepositoryInput<'_>) -> bool {
    [name.to_owned(), name.replace('_', "-")].iter().any(|name| input.mentions.contains_key(&format!("{name}.git")))
}

/// Words that people name their own helpers with.
const OWN_WORDS: &[&str] = &[
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

/// Whether a name is one that people give to files of their own: a helper's word, or several of them joined.
pub(super) fn is_local_name(name: &str, input: &RepositoryInput<'_>) -> bool {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split('_').filter(|word| !word.is_empty()).collect();
    let has_word = words.iter().any(|word| OWN_WORDS.contains(word));
    let camel = OWN_WORDS.iter().any(|word| word.len() > 4 && lower != *word && name != lower && lower.ends_with(word));
    let is_ignored = input.world.paths.contains(&format!("{name}.py"));
    (has_word || camel) && !is_ignored
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::context::{RepositoryInput, RuleContext};
    use super::super::testing::nothing;
    use super::check;
    use crate::facility::Catalogue;
    use crate::model::finding::Severity::{self, Error, Warning};
    use crate::model::inventory::Inventory;
    use crate::source::lang;
    use crate::source::lang::language::Language;

    fn severities(text: &str) -> Vec<Severity> {
        let catalogue = Catalogue::builtin();
        let paths = BTreeSet::from(["run.py".to_owned()]);
        let world = RuleContext::new(catalogue, Vec::new(), paths, Inventory::default());
        let view = lang::read(Language::Python, text.as_bytes());
        let imports = view.facts.imports.into_iter().map(|import| ("run.py".to_owned(), 1, import)).collect();
        let input = RepositoryInput { imports, ..nothing(&world) };
        let mut reports = Vec::new();
        check(&input, &mut reports);
        reports.iter().filter_map(|report| report.severity).collect()
    }

    #[test]
    fn a_module_of_a_release_is_not_missing_and_an_unknown_one_beside_it_may_be_the_release_s() {
        assert_eq!(severities("import numpy\nfrom plotter import *\n"), [Error]);
        assert_eq!(severities("import basf2\nfrom stdCharged import *\nfrom variables import variables\n"), []);
        assert_eq!(severities("import modularAnalysis\nfrom myCharmLists import *\n"), [Warning]);
    }
}
