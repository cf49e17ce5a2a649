//! Imported packages that no file declares.

use std::collections::BTreeSet;

use super::context::RepositoryInput;
use super::module::{OwnModules, Provider};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};

/// The rule `no-declaration`: Python programs without a list of packages.
pub(super) static RULE: Rule = Rule {
    id: "no-declaration",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "imported packages without a declaration",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Checks for a file that declares packages (requirements, a project, a conda, pixi or Spack environment, a lock file) if the programs
import modules that neither Python nor the repository provides.

## Why it breaks elsewhere

Other users and other facilities can only guess which packages and versions to install: the environment exists only in the author's
account.

## Example

`import uproot, coffea` in `analysis.py`, and no requirements file.

## How to fix

Declare the imported packages with `uv add`, a `requirements.txt` or an `environment.yml`, then create a lock file. If all packages
come from a release (CMSSW, an LCG view), state the release in the README and in the CI configuration.

## Limits

Packages that a Dockerfile or a script installs do not count as declared, because they are not visible outside the image or the
script.
";

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let inventory = &input.context.inventory;
    if !inventory.requirements.is_empty() || !inventory.locked.is_empty() {
        return;
    }
    let own = OwnModules::new(input);
    let mut foreign = BTreeSet::new();
    let mut is_release_only = true;
    for (_, _, import) in &input.imports {
        let top = import.module.split('.').next().unwrap_or_default();
        match own.provider(&import.module) {
            Provider::Distribution(name) => {
                is_release_only = false;
                foreign.insert(name.to_owned())
            }
            Provider::Release => foreign.insert(top.to_owned()),
            Provider::Local | Provider::Facility | Provider::Unknown => false,
        };
    }
    if foreign.is_empty() {
        return;
    }
    let named: Vec<&str> = foreign.iter().map(String::as_str).take(6).collect();
    let more =
        if foreign.len() > named.len() { format!(" and {} more", foreign.len() - named.len()) } else { String::new() };
    // A declaration that could not be parsed is more specific than a missing one.
    let problem = inventory.files.iter().find(|file| file.problem.is_some());
    let names = format!("{}{more}", named.join(", "));
    let (message, identity) = match problem {
        Some(file) => (
            format!("no packages are declared: {} could not be parsed", file.path),
            format!("no package is declared: {} could not be read", file.path),
        ),
        None if is_release_only => (
            format!("no release is declared for the imported modules {names}"),
            format!("nothing says which release has the modules that are imported: {names}"),
        ),
        None => (
            format!("imported packages are not declared: {names}"),
            format!("no file declares the packages that are imported: {names}"),
        ),
    };
    diagnostics.push(
        Diagnostic::in_file(".", 0, message)
            .help("list them with versions in requirements.txt, pyproject.toml or environment.yml")
            .identity(identity),
    );
}
