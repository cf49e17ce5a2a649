//! A locked package that the machines of a facility can't install.

mod conda;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

use super::context::{RepositoryInput, RuleContext};
use super::python_range::brings_python;
use super::{Check, Diagnostic, Rule};
use crate::facility::Facility;
use crate::model::finding::{Confidence, Reach, Severity};
use crate::model::inventory::{Index, Locked};
use crate::source::manifest::marker;
use crate::source::manifest::wheel::{Machine, Reason, Verdict, allows, is_archive, verdict};

/// numpy locked with wheels for glibc 2.34, at a facility with glibc 2.28.
pub(super) static RULE: Rule = Rule {
    id: "wheel-not-installable",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "a locked package has no file that the machines of a facility can install",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Takes the files that a lock names for each package (uv.lock, poetry.lock, pdm.lock, pylock.toml, and those from PyPI in pixi.lock and
conda-lock.yml) and asks whether one of them can be installed at the facilities: by the tags in the names of wheels (PEP 425, 600, 656)
against the Python, the architecture and the glibc that are there, and by the Python that the package itself asks for. A lock of conda
brings its own Python, but never a glibc. For packages of conda it compares what they ask of the machine (`__glibc`) with what is there.

## Why it breaks elsewhere

A wheel for `manylinux_2_34` is refused where glibc is 2.28, and pip then builds from source, which needs a compiler and libraries, or
stops. A wheel for Python 3.12 says nothing to a Python 3.9.

## Example

A `uv.lock` with an `onnxruntime` that has wheels for `manylinux_2_27` and newer alone, and workers with CentOS 7.

## How to fix

Lock a version that has wheels for the oldest machine, or bring an environment that has a
newer glibc: an image.

## Limits

Only the Pythons that the lock's own range allows are looked at. Packages that come from git, a path or a URL, and locks that name no
files (Pipfile.lock, requirements with hashes), can't be judged. Where a pixi.lock brings several Pythons, a wheel is taken for the one
that it fits.
";

/// Reports of one lock that are told one by one; more become one with a count.
const MOST_SINGLE: usize = 3;

/// What is wrong with a package, and where.
struct Trouble<'a> {
    locked: &'a Locked,
    reach: Reach,
    reason: Reason,
    is_buildable: bool,
}

fn check(input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    let world = input.world;
    let mut locks: BTreeMap<&str, Vec<&Locked>> = BTreeMap::new();
    for locked in &world.inventory.locked {
        locks.entry(&locked.path).or_default().push(locked);
    }
    for (path, packages) in locks {
        // A lock of conda brings its Python, the others take the one that is there.
        let brought = conda::pythons(&packages);
        let places = if brought.is_empty() { places(path, world) } else { conda::places(&brought, world) };
        let mut troubles: Vec<Trouble<'_>> = wheels(&packages, &places, &brought);
        troubles.retain(|trouble| !trouble.reach.breaks.is_empty());
        tell(path, &troubles, world, reports);
        conda::check(path, &packages, world, reports);
    }
}

/// A facility with the machines that the lock is meant for.
struct LockTarget<'a> {
    facility: &'a Facility,
    machines: Vec<(Machine, MarkerEnvironment)>,
}

fn places<'a>(path: &str, world: &'a RuleContext<'_>) -> Vec<LockTarget<'a>> {
    let dir = |path: &str| path.rsplit_once('/').map_or(String::new(), |(dir, _)| dir.to_owned());
    let ranges: Vec<&str> = world
        .inventory
        .pythons
        .iter()
        .filter(|range| range.path == path || dir(&range.path) == dir(path) && !brings_python(&range.path))
        .map(|range| range.constraint.as_str())
        .collect();
    let places = world.targets.iter().map(|facility| {
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
    places.filter(|place| !place.machines.is_empty()).collect()
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

fn wheels<'a>(packages: &[&'a Locked], places: &[LockTarget<'_>], brought: &conda::Pythons<'_>) -> Vec<Trouble<'a>> {
    let mut seen = BTreeSet::new();
    let judged = packages.iter().filter(|one| {
        let is_named = one.files.iter().any(|file| is_archive(file));
        // What a group takes too is listed again.
        one.index == Index::Pypi
            && one.source.is_none()
            && is_named
            && seen.insert((&one.name, &one.files, &one.platform))
    });
    let judged = judged.filter(|one| {
        // Without its Python such a lock doesn't say what a single wheel is for.
        let is_of_conda = one.platform.is_some() || one.path.ends_with("pixi.lock");
        !is_of_conda || !brought.is_empty()
    });
    judged
        .filter_map(|locked| match &locked.platform {
            Some(platform) => trouble(locked, places, Some(conda::architecture(platform)?)),
            None => trouble(locked, places, None),
        })
        .collect()
}

/// What becomes of a package, on machines of this architecture when it is for one alone.
fn trouble<'a>(locked: &'a Locked, places: &[LockTarget<'_>], arch: Option<&str>) -> Option<Trouble<'a>> {
    let marker = locked.marker.as_deref().and_then(marker);
    let mut reach = Reach::default();
    let mut worst: Option<(Reason, bool)> = None;
    for place in places {
        let needed = place
            .machines
            .iter()
            .filter(|(machine, _)| arch.is_none_or(|arch| machine.arch == arch))
            .filter(|(_, environment)| marker.as_ref().is_none_or(|marker| marker.evaluate(environment, &[])));
        let verdicts: Vec<Verdict> =
            needed.map(|(machine, _)| verdict(&locked.files, locked.requires_python.as_deref(), machine)).collect();
        let Some(first) = verdicts.first() else { continue };
        if verdicts.contains(&Verdict::Wheel) {
            reach.works.push(place.facility.id.clone());
            continue;
        }
        reach.breaks.push(place.facility.id.clone());
        let buildable = verdicts.iter().find(|one| matches!(one, Verdict::Build(_)));
        worst = match buildable.unwrap_or(first) {
            Verdict::Nothing(reason) => Some((reason.clone(), false)),
            Verdict::Build(reason) => worst.or_else(|| Some((reason.clone(), true))),
            Verdict::Wheel => worst,
        };
    }
    let (reason, is_buildable) = worst?;
    Some(Trouble { locked, reach, reason, is_buildable })
}

fn tell(path: &str, troubles: &[Trouble<'_>], world: &RuleContext<'_>, reports: &mut Vec<Diagnostic>) {
    let mut groups: BTreeMap<(bool, Vec<String>), Vec<&Trouble<'_>>> = BTreeMap::new();
    for trouble in troubles {
        groups.entry((trouble.is_buildable, trouble.reach.breaks.clone())).or_default().push(trouble);
    }
    for ((is_buildable, breaks), group) in groups {
        let severity = severity(is_buildable, group[0], world);
        if group.len() <= MOST_SINGLE {
            for trouble in group {
                let locked = trouble.locked;
                let message = format!(
                    "{} {} {} at {}: {}",
                    locked.name,
                    locked.version,
                    verb(is_buildable),
                    breaks.join(", "),
                    why(&trouble.reason)
                );
                reports.push(report(
                    Diagnostic::of(path, locked.line, message),
                    severity,
                    is_buildable,
                    trouble.reach.clone(),
                ));
            }
            continue;
        }
        let names: Vec<String> =
            group.iter().take(5).map(|one| format!("{} {}", one.locked.name, one.locked.version)).collect();
        let message = format!(
            "{} locked packages {} at {}: {}, … ({})",
            group.len(),
            verb(is_buildable),
            breaks.join(", "),
            names.join(", "),
            why(&group[0].reason)
        );
        reports.push(report(
            Diagnostic::of(path, group[0].locked.line, message),
            severity,
            is_buildable,
            group[0].reach.clone(),
        ));
    }
}

/// An error where it breaks at all targets, or at one that was chosen; what can be built is a risk.
fn severity(is_buildable: bool, trouble: &Trouble<'_>, world: &RuleContext<'_>) -> Severity {
    let is_chosen = world.targets.len() < world.catalogue.facilities.len();
    match is_buildable {
        true if trouble.reason == Reason::NoWheels => Severity::Note,
        true => Severity::Warning,
        false if is_chosen || trouble.reach.works.is_empty() => Severity::Error,
        false => Severity::Warning,
    }
}

fn verb(is_buildable: bool) -> &'static str {
    if is_buildable { "must be built from source" } else { "can't be installed" }
}

fn report(report: Diagnostic, severity: Severity, is_buildable: bool, reach: Reach) -> Diagnostic {
    let help = if is_buildable {
        "lock a version with wheels for the oldest machine, or run in an image with a newer one"
    } else {
        "lock a version that has a file for it, or run in an image that fits"
    };
    report.severity(severity).reach(reach).help(help)
}

fn why(reason: &Reason) -> String {
    match reason {
        Reason::Python(range) => format!("it asks for Python {range}"),
        Reason::Glibc((major, minor)) => format!("its wheels need glibc {major}.{minor}"),
        Reason::OtherPythons => "its wheels are for other Pythons".to_owned(),
        Reason::OtherMachines => "its wheels are for other machines".to_owned(),
        Reason::NoWheels => "it has no wheels".to_owned(),
    }
}
