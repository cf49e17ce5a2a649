//! Lock files that disagree with the declaration or with another lock file.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use super::context::RepositoryInput;
use super::relative::{file_name, parent};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::model::inventory::{Index, Inventory, Locked, Requirement};
use crate::source::manifest::{is_lock_of, normalized};

/// The rule `lock-disagrees`: `numpy>=2` declared, `numpy 1.26.4` locked.
pub(super) static RULE: Rule = Rule {
    id: "lock-disagrees",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "locked version that the declaration excludes",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Compares each lock file with the requirements declared in the same directory, and compares files that pin different versions of one
package.

## Why it breaks elsewhere

Installing from the lock file gives one version, and installing from the declaration gives a different one. Tools that compare the
two refuse to install.

## Example

`pyproject.toml` requires `numpy>=2`, and `uv.lock` in the same directory contains numpy 1.26.4.

## How to fix

Update the lock file after each change of the declaration.

## Limits

Requirements with a marker and requirements of extras or groups are not compared. Each directory is treated as a separate
environment.
";

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let inventory = &input.context.inventory;
    let mut locked: BTreeMap<(&str, &str), BTreeMap<&str, Vec<&Locked>>> = BTreeMap::new();
    for package in inventory.locked.iter().filter(|package| package.index == Index::Pypi && package.source.is_none()) {
        locked
            .entry((parent(&package.path), &package.name))
            .or_default()
            .entry(&package.path)
            .or_default()
            .push(package);
    }
    for requirement in inventory.requirements.iter().filter(|requirement| is_comparable(requirement)) {
        if let Some(locks) = locked.get(&(parent(&requirement.path), requirement.name.as_str())) {
            with_locks(requirement, locks, diagnostics);
        }
    }
    pins(inventory, diagnostics);
}

fn is_comparable(requirement: &Requirement) -> bool {
    requirement.index == Index::Pypi
        && requirement.marker.is_none()
        && requirement.group.is_none()
        && requirement.source.is_none()
        && !requirement.constraint.is_empty()
}

fn with_locks(requirement: &Requirement, locks: &BTreeMap<&str, Vec<&Locked>>, diagnostics: &mut Vec<Diagnostic>) {
    let Ok(range) = VersionSpecifiers::from_str(&requirement.constraint) else { return };
    for (path, locked) in locks.iter().filter(|(path, _)| is_lock_of(path, &requirement.path)) {
        // A lock for several platforms or Python versions may contain several versions.
        let fits =
            |package: &&Locked| Version::from_str(&package.version).is_ok_and(|version| range.contains(&version));
        let Some(first) = locked.first().filter(|first| Version::from_str(&first.version).is_ok()) else { continue };
        if !locked.iter().any(fits) {
            let (path_of_requirement, constraint) = (&requirement.path, &requirement.constraint);
            let locked = format!("{} {} is locked", first.name, first.version);
            let message = format!("{locked}, but {path_of_requirement} requires `{constraint}`");
            let identity = format!("{locked}, and {path_of_requirement} asks for `{constraint}`");
            diagnostics.push(
                Diagnostic::in_file(path, first.line, message)
                    .identity(identity)
                    .help("update the lock file, and commit it"),
            );
        }
    }
}

/// Reports different exact versions of one package in files of one directory, once for each pair of files.
fn pins(inventory: &Inventory, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<(&str, String), &Requirement> = BTreeMap::new();
    let mut pairs: BTreeMap<(&str, &str), Vec<(&Requirement, &Requirement)>> = BTreeMap::new();
    let is_plain = |requirement: &&Requirement| {
        requirement.exact && requirement.marker.is_none() && requirement.source.is_none() && requirement.group.is_none()
    };
    for requirement in
        inventory.requirements.iter().filter(is_plain).filter(|requirement| !is_one_of_many(&requirement.path))
    {
        let key = (parent(&requirement.path), normalized(&requirement.name));
        let other = *seen.entry(key).or_insert(requirement);
        if other.path != requirement.path && version(other) != version(requirement) {
            pairs.entry((&requirement.path, &other.path)).or_default().push((requirement, other));
        }
    }
    for ((path, other_path), pairs) in pairs {
        let Some((requirement, other)) = pairs.first() else { continue };
        let differences = pairs.len() - 1;
        let (more, old_more) = match differences {
            0 => (String::new(), String::new()),
            1 => ("; 1 more package differs".to_owned(), ", and 1 more differ".to_owned()),
            _ => (format!("; {differences} more packages differ"), format!(", and {differences} more differ")),
        };
        let pinned = format!("{} is pinned to {} here", requirement.name, version(requirement));
        let message = format!("{pinned} but to {} in {other_path}{more}", version(other));
        let identity = format!("{pinned} and to {} in {other_path}{old_more}", version(other));
        diagnostics.push(
            Diagnostic::in_file(path, requirement.line, message)
                .identity(identity)
                .severity(Severity::Warning)
                .confidence(Confidence::Medium)
                .help("pin one version, or use a separate directory for each environment"),
        );
    }
}

/// Reports whether a file is one of a series: `requirements-py39.txt`, `app-0.1.9-requirements.txt`.
fn is_one_of_many(path: &str) -> bool {
    file_name(path).contains(|c: char| c.is_ascii_digit())
}

fn version(requirement: &Requirement) -> &str {
    let bare = requirement.constraint.trim_start_matches(['=', ' ', '@']);
    bare.split(['=', ' ']).next().unwrap_or_default().trim()
}
