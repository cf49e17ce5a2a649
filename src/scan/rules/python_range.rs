//! The Python versions that a repository asks for, and those that facilities have.

use super::context::RepositoryInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Reach, Severity};
use crate::model::inventory::PythonRange;
use crate::source::manifest::wheel::allows;

/// `requires-python = "<3.9"`, `python_requires='<=3.11'`, `python=3.6`.
pub(super) static RULE: Rule = Rule {
    id: "python-range",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "the Python that is asked for is old, excludes more than meant, or is at no facility",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Compares the range of Python versions that projects and lock files declare with the Pythons of the facilities. Tells upper bounds like
`<=3.11`, which exclude 3.11.1, and versions that get no fixes any more.

## Why it breaks elsewhere

pip refuses to install a project for a Python outside its range. For a Python that has ended there are no new wheels, and images
without it.

## Example

```toml
requires-python = \">=3.7,<=3.11\"
```

## How to fix

Say `<3.12` where `<=3.11` is meant. Leave the upper end away unless something is known to break. Move to a Python that is maintained.

## Limits

Environments of conda and pixi bring their own Python: of these only the age is looked at.
";

/// The newest minor version of Python 3 that gets no fixes any more (devguide.python.org, \"Status of Python versions\",
/// read 2026-11-22: 3.9 ended in October 2025).
const ENDED: u8 = 9;
/// The newest minor version that exists.
const NEWEST: u8 = 15;

fn check(input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    for range in &input.world.inventory.pythons {
        old(range, reports);
        if brings_python(&range.path) {
            continue;
        }
        inclusive_end(range, reports);
        facilities(range, input, reports);
    }
}

/// Whether the environment of this file comes with its own Python.
pub(super) fn brings_python(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    is_yaml || name.starts_with("pixi") || matches!(name, ".python-version" | "runtime.txt")
}

fn old(range: &PythonRange, reports: &mut Vec<Diagnostic>) {
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
    let message = format!("`{}` asks for {what}, which gets no fixes any more", range.constraint);
    let report = Diagnostic::of(&range.path, range.line, message).help("move to a Python that is maintained");
    reports.push(if newest.is_some_and(|minor| minor == ENDED) { report.severity(Severity::Note) } else { report });
}

/// `<=3.11`: 3.11.1 is newer.
fn inclusive_end(range: &PythonRange, reports: &mut Vec<Diagnostic>) {
    for part in range.constraint.split(',').map(str::trim) {
        let Some(version) = part.strip_prefix("<=").map(str::trim) else { continue };
        let mut numbers = version.split('.');
        let (Some("3"), Some(minor), None) = (numbers.next(), numbers.next(), numbers.next()) else { continue };
        let Ok(minor) = minor.parse::<u8>() else { continue };
        let message = format!("`{part}` excludes Python {version}.1 and all later ones of {version}");
        let help = format!("write `<3.{}`", minor.saturating_add(1));
        reports.push(Diagnostic::of(&range.path, range.line, message).help(help));
    }
}

fn facilities(range: &PythonRange, input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    let mut reach = Reach::default();
    for target in input.world.targets.iter().filter(|target| !target.pythons.is_empty()) {
        let fits = target.pythons.iter().any(|python| allows(&range.constraint, *python) != Some(false));
        if fits { &mut reach.works } else { &mut reach.breaks }.push(target.id.clone());
    }
    if reach.breaks.is_empty() {
        return;
    }
    let everywhere = reach.works.is_empty();
    let message = if everywhere {
        format!("`{}` fits the Python of none of the facilities", range.constraint)
    } else {
        format!("`{}` excludes the Python of {}", range.constraint, reach.breaks.join(", "))
    };
    reports.push(
        Diagnostic::of(&range.path, range.line, message)
            .severity(if everywhere { Severity::Error } else { Severity::Note })
            .confidence(if everywhere { Confidence::High } else { Confidence::Medium })
            .reach(reach)
            .help("widen the range, or bring a Python with the environment (conda, pixi, uv, an image)"),
    );
}
