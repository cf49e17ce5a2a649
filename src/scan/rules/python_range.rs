//! Declared Python versions compared with those of the facilities.

use super::context::RepositoryInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Reach, Severity};
use crate::model::inventory::PythonRange;
use crate::source::manifest::wheel::allows;

/// The rule `python-range`: `requires-python = "<3.9"`, `python_requires='<=3.11'`, `python=3.6`.
pub(super) static RULE: Rule = Rule {
    id: "python-range",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "declared Python range that is outdated, too narrow, or does not match any facility",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Compares the range of Python versions that projects and lock files declare with the Python versions of the facilities. Also reports
upper bounds like `<=3.11`, which exclude 3.11.1, and versions that are no longer maintained.

## Why it breaks elsewhere

pip refuses to install a project on a Python version outside its range. A Python version that is no longer maintained gets no new
wheels, and new images do not include it.

## Example

```toml
requires-python = \">=3.7,<=3.11\"
```

## How to fix

Write `<3.12` instead of `<=3.11`. Omit the upper bound unless a newer version is known to fail. Move to a maintained Python.

## Limits

Conda and pixi environments include their own Python. For these, only the age of the version is checked.
";

/// The newest minor version of Python 3 that is no longer maintained (devguide.python.org, "Status of Python versions",
/// read 2026-11-22: 3.9 ended in October 2025).
const ENDED: u8 = 9;
/// The newest minor version of Python 3.
const NEWEST: u8 = 15;

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for range in &input.context.inventory.pythons {
        old(range, diagnostics);
        if includes_python(&range.path) {
            continue;
        }
        inclusive_end(range, diagnostics);
        facilities(range, input, diagnostics);
    }
}

/// Reports whether the environment of this file includes its own Python.
pub(super) fn includes_python(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    is_yaml || name.starts_with("pixi") || matches!(name, ".python-version" | "runtime.txt")
}

fn old(range: &PythonRange, diagnostics: &mut Vec<Diagnostic>) {
    let allowed = |minor: u8| allows(&range.constraint, (3, minor)) == Some(true);
    if allows(&range.constraint, (3, 0)).is_none() || (ENDED + 1..=NEWEST).any(allowed) {
        return;
    }
    let newest = (0..=ENDED).rev().find(|minor| allowed(*minor));
    let what = match newest {
        Some(minor) => format!("Python 3.{minor}"),
        None if allows(&range.constraint, (2, 7)) == Some(true) => "Python 2.7".to_owned(),
        None => return,
    };
    let message = format!("`{}` requires {what}, which is no longer maintained", range.constraint);
    let diagnostic = Diagnostic::in_file(&range.path, range.line, message)
        .identity(format!("`{}` asks for {what}, which gets no fixes any more", range.constraint))
        .help("move to a maintained Python version");
    diagnostics.push(if newest.is_some_and(|minor| minor == ENDED) {
        diagnostic.severity(Severity::Note)
    } else {
        diagnostic
    });
}

/// Reports `<=3.11`, which excludes 3.11.1.
fn inclusive_end(range: &PythonRange, diagnostics: &mut Vec<Diagnostic>) {
    for part in range.constraint.split(',').map(str::trim) {
        let Some(version) = part.strip_prefix("<=").map(str::trim) else { continue };
        let mut numbers = version.split('.');
        let (Some("3"), Some(minor), None) = (numbers.next(), numbers.next(), numbers.next()) else { continue };
        let Ok(minor) = minor.parse::<u8>() else { continue };
        let message = format!("`{part}` excludes Python {version}.1 and later patch releases");
        let help = format!("write `<3.{}`", minor.saturating_add(1));
        let identity = format!("`{part}` excludes Python {version}.1 and all later ones of {version}");
        diagnostics.push(Diagnostic::in_file(&range.path, range.line, message).identity(identity).help(help));
    }
}

fn facilities(range: &PythonRange, input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut reach = Reach::default();
    for target in input.context.targets.iter().filter(|target| !target.pythons.is_empty()) {
        let fits = target.pythons.iter().any(|python| allows(&range.constraint, *python) != Some(false));
        if fits { &mut reach.works } else { &mut reach.breaks }.push(target.id.clone());
    }
    if reach.breaks.is_empty() {
        return;
    }
    let everywhere = reach.works.is_empty();
    let constraint = &range.constraint;
    let (message, identity) = if everywhere {
        (
            format!("`{constraint}` excludes the Python versions of all facilities"),
            format!("`{constraint}` fits the Python of none of the facilities"),
        )
    } else {
        let ids = reach.breaks.join(", ");
        (
            format!("`{constraint}` excludes the Python versions of {ids}"),
            format!("`{constraint}` excludes the Python of {ids}"),
        )
    };
    diagnostics.push(
        Diagnostic::in_file(&range.path, range.line, message)
            .identity(identity)
            .severity(if everywhere { Severity::Error } else { Severity::Note })
            .confidence(if everywhere { Confidence::High } else { Confidence::Medium })
            .reach(reach)
            .help("widen the range, or provide Python with the environment (conda, pixi, uv, an image)"),
    );
}
