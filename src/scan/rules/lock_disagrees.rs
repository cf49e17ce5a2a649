//! A lock that doesn't fit what is declared, or another lock.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use super::context::RepositoryInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::model::inventory::{Index, Inventory, Locked, Requirement};
use crate::source::manifest::{is_lock_of, normalized};

/// `numpy>=2` declared, `numpy 1.26.4` locked.
pub(super) static RULE: Rule = Rule {
    id: "lock-disagrees",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "a lock file has a version that the declaration beside it excludes",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Compares each lock file with the requirements declared in the same directory, and files that pin different versions of one package.

## Why it breaks elsewhere

Who installs from the lock gets one version, who installs from the declaration another; tools that check refuse to install at all.

## Example

`pyproject.toml` says `numpy>=2`, `uv.lock` beside it has numpy 1.26.4.

## How to fix

Lock again after changing what is declared.

## Limits

Requirements with a marker, of extras and of groups are not compared. Different directories are taken for different environments.
";

fn check(input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    let inventory = &input.world.inventory;
    let mut locked: BTreeMap<(&str, &str), BTreeMap<&str, Vec<&Locked>>> = BTreeMap::new();
    for one in inventory.locked.iter().filter(|one| one.index == Index::Pypi && one.source.is_none()) {
        locked.entry((dir(&one.path), &one.name)).or_default().entry(&one.path).or_default().push(one);
    }
    for requirement in inventory.requirements.iter().filter(|one| is_comparable(one)) {
        if let Some(beside) = locked.get(&(dir(&requirement.path), requirement.name.as_str())) {
            with_locks(requirement, beside, reports);
        }
    }
    pins(inventory, reports);
}

fn is_comparable(one: &Requirement) -> bool {
    one.index == Index::Pypi
        && one.marker.is_none()
        && one.group.is_none()
        && one.source.is_none()
        && !one.constraint.is_empty()
}

fn with_locks(requirement: &Requirement, beside: &BTreeMap<&str, Vec<&Locked>>, reports: &mut Vec<Diagnostic>) {
    let Ok(range) = VersionSpecifiers::from_str(&requirement.constraint) else { return };
    for (path, locked) in beside.iter().filter(|(path, _)| is_lock_of(path, &requirement.path)) {
        // A lock for several platforms or Pythons may hold several versions.
        let fits = |one: &&Locked| Version::from_str(&one.version).is_ok_and(|version| range.contains(&version));
        let Some(first) = locked.first().filter(|first| Version::from_str(&first.version).is_ok()) else { continue };
        if !locked.iter().any(fits) {
            let message = format!(
                "{} {} is locked, and {} asks for `{}`",
                first.name, first.version, requirement.path, requirement.constraint
            );
            reports.push(Diagnostic::of(path, first.line, message).help("lock again, and commit the result"));
        }
    }
}

/// Different exact versions of one package in files of one directory: one report for two files.
fn pins(inventory: &Inventory, reports: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<(&str, String), &Requirement> = BTreeMap::new();
    let mut pairs: BTreeMap<(&str, &str), Vec<(&Requirement, &Requirement)>> = BTreeMap::new();
    let is_plain =
        |one: &&Requirement| one.exact && one.marker.is_none() && one.source.is_none() && one.group.is_none();
    for one in inventory.requirements.iter().filter(is_plain).filter(|one| !is_one_of_many(&one.path)) {
        let key = (dir(&one.path), normalized(&one.name));
        let other = *seen.entry(key).or_insert(one);
        if other.path != one.path && version(other) != version(one) {
            pairs.entry((&one.path, &other.path)).or_default().push((one, other));
        }
    }
    for ((path, other_path), pairs) in pairs {
        let Some((one, other)) = pairs.first() else { continue };
        let more = if pairs.len() > 1 { format!(", and {} more differ", pairs.len() - 1) } else { String::new() };
        let message =
            format!("{} is pinned to {} here and to {} in {other_path}{more}", one.name, version(one), version(other));
        reports.push(
            Diagnostic::of(path, one.line, message)
                .severity(Severity::Warning)
                .confidence(Confidence::Medium)
                .help("pin one version, or put the environments into directories of their own"),
        );
    }
}

/// Whether a file is one of a series on purpose: `requirements-py39.txt`, `app-0.1.9-requirements.txt`.
fn is_one_of_many(path: &str) -> bool {
    name(path).contains(|c: char| c.is_ascii_digit())
}

fn version(one: &Requirement) -> &str {
    let bare = one.constraint.trim_start_matches(['=', ' ', '@']);
    bare.split(['=', ' ']).next().unwrap_or_default().trim()
}

fn dir(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
