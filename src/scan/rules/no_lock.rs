//! Declared packages without a lock file.

use super::context::RepositoryInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::model::inventory::Index;
use crate::model::text::count;

/// The rule `no-lock`: declared packages without a lock file.
pub(super) static RULE: Rule = Rule {
    id: "no-lock",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "declared packages without a lock file",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Checks for a lock file if the repository declares packages. If every declared package has an exact version, the finding is a note,
because only transitive dependencies are unpinned.

## Why it breaks elsewhere

A list of packages is resolved again at each facility and on each day. A lock file records a complete set of versions that worked.

## Example

A repository with an `environment.yml` that lists `coffea` and `uproot`, and no `conda-lock.yml`.

## How to fix

Run `uv lock`, `pip-compile --generate-hashes`, `poetry lock`, `conda-lock` or `pixi lock`, and commit the result. Alternatively,
reference the image that the analysis runs in by its digest.

## Limits

Lock files outside the repository are not found.
";

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let inventory = &input.context.inventory;
    let declared: Vec<_> = inventory
        .requirements
        .iter()
        .filter(|requirement| requirement.index != Index::System && requirement.group.is_none())
        .collect();
    let Some(first) = declared.first() else { return };
    if inventory.files.iter().any(|file| file.lock) {
        return;
    }
    let unpinned = declared.iter().find(|requirement| !requirement.exact);
    let path = unpinned.unwrap_or(first).path.clone();
    let severity = if unpinned.is_some() { Severity::Warning } else { Severity::Note };
    let count = count(declared.len(), "package");
    diagnostics.push(
        Diagnostic::in_file(&path, 0, format!("{count} declared without a lock file"))
            .identity(format!("what is declared here or beside it ({count}) is fixed by no lock file"))
            .severity(severity)
            .help("create a lock file with uv lock, pip-compile, conda-lock or pixi lock, and commit it"),
    );
}
