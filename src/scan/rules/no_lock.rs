//! Packages are declared, and nothing fixes them.

use super::context::RepositoryInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::model::inventory::Index;
use crate::model::text::count;

/// A repository that declares packages and has no lock file.
pub(super) static RULE: Rule = Rule {
    id: "no-lock",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "packages are declared, and no lock file fixes them",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Looks for a lock file when the repository declares packages. Where everything declared has an exact version, the packages that those
need in turn are still open: that is worth a note.

## Why it breaks elsewhere

A list of packages is resolved anew at each place and each day. A lock is the list that worked, with everything it pulled in.

## Example

A repository with `environment.yml` that says `coffea` and `uproot`, and no `conda-lock.yml`.

## How to fix

`uv lock`, `pip-compile --generate-hashes`, `poetry lock`, `conda-lock` or `pixi lock`, and commit what it writes. Or name the image
that the analysis runs in by its digest.

## Limits

Locks that lie outside the repository are not seen.
";

fn check(input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    let inventory = &input.world.inventory;
    let declared: Vec<_> =
        inventory.requirements.iter().filter(|one| one.index != Index::System && one.group.is_none()).collect();
    let Some(first) = declared.first() else { return };
    if inventory.files.iter().any(|file| file.lock) {
        return;
    }
    let open = declared.iter().find(|one| !one.exact);
    let path = open.unwrap_or(first).path.clone();
    let severity = if open.is_some() { Severity::Warning } else { Severity::Note };
    reports.push(
        Diagnostic::of(
            &path,
            0,
            format!(
                "what is declared here or beside it ({}) is fixed by no lock file",
                count(declared.len(), "package")
            ),
        )
        .severity(severity)
        .help("commit a lock file: uv lock, pip-compile, conda-lock or pixi lock write one"),
    );
}
