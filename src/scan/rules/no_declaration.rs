//! Programs import packages, and nothing says which ones are needed.

use std::collections::BTreeSet;

use super::context::RepositoryInput;
use super::module::{Own, Provider};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};

/// A repository with Python programs and no list of packages.
pub(super) static RULE: Rule = Rule {
    id: "no-declaration",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "packages are imported, and no file says which ones are needed",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Looks for a file that declares packages (requirements, a project, a conda, pixi or Spack environment, a lock) when the repository's
programs import modules that neither Python nor the repository has.

## Why it breaks elsewhere

Another user, or another facility, can only guess what to install and in which versions: the environment lives on the author's account.

## Example

`import uproot, coffea` in `analysis.py`, and no requirements file.

## How to fix

Write down what is imported: `uv add`, a `requirements.txt`, an `environment.yml`. Then lock it. Where everything comes from a release
(CMSSW, an LCG view), name the release in the README and in the CI file.

## Limits

Packages installed by a Dockerfile or a script are no declaration: nobody outside that image sees them.
";

fn check(input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    let inventory = &input.world.inventory;
    if !inventory.requirements.is_empty() || !inventory.locked.is_empty() {
        return;
    }
    let own = Own::of(input);
    let mut foreign = BTreeSet::new();
    let mut is_release_alone = true;
    for (_, _, import) in &input.imports {
        let top = import.module.split('.').next().unwrap_or_default();
        match own.provider(&import.module) {
            Provider::Distribution(name) => {
                is_release_alone = false;
                foreign.insert(name.to_owned())
            }
            Provider::Release => foreign.insert(top.to_owned()),
            Provider::Here | Provider::Place | Provider::Unknown => false,
        };
    }
    if foreign.is_empty() {
        return;
    }
    let named: Vec<&str> = foreign.iter().map(String::as_str).take(6).collect();
    let more =
        if foreign.len() > named.len() { format!(" and {} more", foreign.len() - named.len()) } else { String::new() };
    // A file that declares something but could not be read says more than none.
    let problem = inventory.files.iter().find(|file| file.problem.is_some());
    let message = match problem {
        Some(file) => format!("no package is declared: {} could not be read", file.path),
        None if is_release_alone => {
            format!("nothing says which release has the modules that are imported: {}{more}", named.join(", "))
        }
        None => format!("no file declares the packages that are imported: {}{more}", named.join(", ")),
    };
    reports.push(
        Diagnostic::of(".", 0, message)
            .help("list them in requirements.txt, pyproject.toml or environment.yml, with versions"),
    );
}
