//! Locked packages that a facility cannot install.

mod conda;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

use super::context::{RepositoryInput, RuleContext};
use super::python_range::includes_python;
use super::relative::parent;
use super::{Check, Diagnostic, Rule};
use crate::facility::Facility;
use crate::model::finding::{Confidence, Reach, Severity};
use crate::model::inventory::{Index, Locked};
use crate::source::manifest::marker;
use crate::source::manifest::wheel::{Machine, Reason, Verdict, allows, is_archive, verdict};

/// The rule `wheel-not-installable`: wheels for glibc 2.34 at a facility with glibc 2.28.
pub(super) static RULE: Rule = Rule {
    id: "wheel-not-installable",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "locked package without a file that a facility can install",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Checks whether the files that a lock lists for each package can be installed at the facilities (uv.lock, poetry.lock, pdm.lock,
pylock.toml, and PyPI packages in pixi.lock and conda-lock.yml). It compares the wheel tags (PEP 425, 600, 656) and the package's
required Python version with the Python version, architecture and glibc of the facility. A conda lock contains its own Python but
never a glibc. For conda packages, it compares the required `__glibc` with that of the facility.

## Why it breaks elsewhere

A `manylinux_2_34` wheel is rejected on a system with glibc 2.28. pip then builds from source, which requires a compiler and
libraries, or fails. A wheel for Python 3.12 cannot be used with Python 3.9.

## Example

A `uv.lock` with an `onnxruntime` that only has wheels for `manylinux_2_27` and newer, and workers that run CentOS 7.

## How to fix

Lock a version with wheels for the oldest system, or run in an image with a newer glibc.

## Limits

Only Python versions within the range of the lock are checked. Packages from git, a path or a URL are not checked, and neither are
locks that list no files (Pipfile.lock, requirements with hashes). If a pixi.lock contains several Python versions, a wheel is matched
with the version that it fits.
";

/// Maximum number of packages of one lock that are reported separately. More become one diagnostic with a count.
const MAX_SINGLE: usize = 3;

/// A package that cannot be installed, or only built, at some facilities.
struct Incompatible<'a> {
    locked: &'a Locked,
    reach: Reach,
    reason: Reason,
    is_buildable: bool,
}

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let context = input.context;
    let mut locks: BTreeMap<&str, Vec<&Locked>> = BTreeMap::new();
    for locked in &context.inventory.locked {
        locks.entry(&locked.path).or_default().push(locked);
    }
    for (path, packages) in locks {
        // A conda lock contains Python; the other locks use the Python of the facility.
        let pythons = conda::pythons(&packages);
        let targets = if pythons.is_empty() { targets(path, context) } else { conda::targets(&pythons, context) };
        let mut incompatible: Vec<Incompatible<'_>> = wheels(&packages, &targets, &pythons);
        incompatible.retain(|package| !package.reach.breaks.is_empty());
        push_diagnostics(path, &incompatible, context, diagnostics);
        conda::check(path, &packages, context, diagnostics);
    }
}

/// A facility with the machines that the lock applies to.
struct LockTarget<'a> {
    facility: &'a Facility,
    machines: Vec<(Machine, MarkerEnvironment)>,
}

fn targets<'a>(path: &str, context: &'a RuleContext<'_>) -> Vec<LockTarget<'a>> {
    let ranges: Vec<&str> = context
        .inventory
        .pythons
        .iter()
        .filter(|range| range.path == path || parent(&range.path) == parent(path) && !includes_python(&range.path))
        .map(|range| range.constraint.as_str())
        .collect();
    let targets = context.targets.iter().map(|facility| {
        let pythons =
            facility.pythons.iter().filter(|python| ranges.iter().all(|range| allows(range, **python) != Some(false)));
        let machines = pythons.flat_map(|python| {
            let of_arch = |arch: &String| {
                let machine = Machine { python: *python, glibc: facility.glibc, arch: arch.clone() };
                Some((machine.clone(), environment(&machine)?))
            };
            facility.arch.iter().filter_map(of_arch).collect::<Vec<_>>()
        });
        LockTarget { facility, machines: machines.collect() }
    });
    targets.filter(|target| !target.machines.is_empty()).collect()
}

fn environment(machine: &Machine) -> Option<MarkerEnvironment> {
    let (major, minor) = machine.python;
    let version = format!("{major}.{minor}");
    let full = format!("{major}.{minor}.0");
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full,
        os_name: "posix",
        platform_machine: &machine.arch,
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: &full,
        python_version: &version,
        sys_platform: "linux",
    })
    .ok()
}

fn wheels<'a>(
    packages: &[&'a Locked],
    targets: &[LockTarget<'_>],
    pythons: &conda::Pythons<'_>,
) -> Vec<Incompatible<'a>> {
    let mut seen = BTreeSet::new();
    let candidates = packages.iter().filter(|package| {
        let is_named = package.files.iter().any(|file| is_archive(file));
        // A package that is also in a group is listed again.
        package.index == Index::Pypi
            && package.source.is_none()
            && is_named
            && seen.insert((&package.name, &package.files, &package.platform))
    });
    let candidates = candidates.filter(|package| {
        // Without Python, such a lock does not state which Python a wheel is for.
        let is_of_conda = package.platform.is_some() || package.path.ends_with("pixi.lock");
        !is_of_conda || !pythons.is_empty()
    });
    candidates
        .filter_map(|locked| match &locked.platform {
            Some(platform) => incompatibility(locked, targets, Some(conda::architecture(platform)?)),
            None => incompatibility(locked, targets, None),
        })
        .collect()
}

/// Returns where a package cannot be installed. `arch` limits the check to machines with this architecture.
fn incompatibility<'a>(locked: &'a Locked, targets: &[LockTarget<'_>], arch: Option<&str>) -> Option<Incompatible<'a>> {
    let marker = locked.marker.as_deref().and_then(marker);
    let mut reach = Reach::default();
    let mut worst: Option<(Reason, bool)> = None;
    for target in targets {
        let needed = target
            .machines
            .iter()
            .filter(|(machine, _)| arch.is_none_or(|arch| machine.arch == arch))
            .filter(|(_, environment)| marker.as_ref().is_none_or(|marker| marker.evaluate(environment, &[])));
        let verdicts: Vec<Verdict> =
            needed.map(|(machine, _)| verdict(&locked.files, locked.requires_python.as_deref(), machine)).collect();
        let Some(first) = verdicts.first() else { continue };
        if verdicts.contains(&Verdict::Wheel) {
            reach.works.push(target.facility.id.clone());
            continue;
        }
        reach.breaks.push(target.facility.id.clone());
        let buildable = verdicts.iter().find(|verdict| matches!(verdict, Verdict::Build(_)));
        worst = match buildable.unwrap_or(first) {
            Verdict::Nothing(reason) => Some((reason.clone(), false)),
            Verdict::Build(reason) => worst.or_else(|| Some((reason.clone(), true))),
            Verdict::Wheel => worst,
        };
    }
    let (reason, is_buildable) = worst?;
    Some(Incompatible { locked, reach, reason, is_buildable })
}

fn push_diagnostics(
    path: &str,
    incompatible: &[Incompatible<'_>],
    context: &RuleContext<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut groups: BTreeMap<(bool, Vec<String>), Vec<&Incompatible<'_>>> = BTreeMap::new();
    for package in incompatible {
        groups.entry((package.is_buildable, package.reach.breaks.clone())).or_default().push(package);
    }
    for ((is_buildable, breaks), group) in groups {
        let severity = severity(is_buildable, group[0], context);
        if group.len() <= MAX_SINGLE {
            for package in group {
                let locked = package.locked;
                let message = format!(
                    "{} {} {} at {}: {}",
                    locked.name,
                    locked.version,
                    verb(is_buildable),
                    breaks.join(", "),
                    describe_reason(&package.reason)
                );
                diagnostics.push(diagnostic(
                    Diagnostic::in_file(path, locked.line, message),
                    severity,
                    is_buildable,
                    package.reach.clone(),
                ));
            }
            continue;
        }
        let names: Vec<String> =
            group.iter().take(5).map(|package| format!("{} {}", package.locked.name, package.locked.version)).collect();
        let message = format!(
            "{} locked packages {} at {}: {}, … ({})",
            group.len(),
            verb(is_buildable),
            breaks.join(", "),
            names.join(", "),
            describe_reason(&group[0].reason)
        );
        diagnostics.push(diagnostic(
            Diagnostic::in_file(path, group[0].locked.line, message),
            severity,
            is_buildable,
            group[0].reach.clone(),
        ));
    }
}

/// Returns an error if the package breaks at all facilities or at a selected one, and a warning if it can be built.
fn severity(is_buildable: bool, package: &Incompatible<'_>, context: &RuleContext<'_>) -> Severity {
    let is_chosen = context.targets.len() < context.catalogue.facilities.len();
    match is_buildable {
        true if package.reason == Reason::NoWheels => Severity::Note,
        true => Severity::Warning,
        false if is_chosen || package.reach.works.is_empty() => Severity::Error,
        false => Severity::Warning,
    }
}

fn verb(is_buildable: bool) -> &'static str {
    if is_buildable { "must be built from source" } else { "can't be installed" }
}

fn diagnostic(diagnostic: Diagnostic, severity: Severity, is_buildable: bool, reach: Reach) -> Diagnostic {
    let help = if is_buildable {
        "lock a version with wheels for the oldest system, or run in an image with a newer system"
    } else {
        "lock a version with a compatible file, or run in a compatible image"
    };
    diagnostic.severity(severity).reach(reach).help(help)
}

fn describe_reason(reason: &Reason) -> String {
    match reason {
        Reason::Python(range) => format!("it requires Python {range}"),
        Reason::Glibc((major, minor)) => format!("its wheels require glibc {major}.{minor}"),
        Reason::OtherPythons => "its wheels are for other Python versions".to_owned(),
        Reason::OtherMachines => "its wheels are for other platforms".to_owned(),
        Reason::NoWheels => "it has no wheels".to_owned(),
    }
}
