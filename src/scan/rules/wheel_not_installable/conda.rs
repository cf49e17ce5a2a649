//! Locks of conda: what their packages ask of glibc, and the Python that they bring for packages of PyPI.

use std::collections::{BTreeMap, BTreeSet};

use super::{LockTarget, environment, report};
use crate::model::finding::{Reach, Severity};
use crate::model::inventory::{Index, Locked};
use crate::scan::rules::Diagnostic;
use crate::scan::rules::context::RuleContext;
use crate::source::manifest::wheel::Machine;

/// The Pythons that a lock brings, by architecture; several when it has several environments.
pub(super) type Pythons<'a> = BTreeMap<&'a str, BTreeSet<(u8, u8)>>;

/// The Pythons among the packages of a lock.
pub(super) fn pythons<'a>(packages: &[&'a Locked]) -> Pythons<'a> {
    let mut pythons = Pythons::new();
    for locked in packages.iter().filter(|one| one.index == Index::Conda && one.name == "python") {
        let architecture = locked.platform.as_deref().and_then(architecture);
        if let (Some(architecture), Some(version)) = (architecture, version(&locked.version)) {
            pythons.entry(architecture).or_default().insert(version);
        }
    }
    pythons
}

/// The facilities with the machines that these Pythons make of theirs.
pub(super) fn places<'a>(pythons: &Pythons<'_>, world: &'a RuleContext<'_>) -> Vec<LockTarget<'a>> {
    let places = world.targets.iter().map(|facility| {
        let machines = facility.arch.iter().flat_map(|arch| {
            let brought = pythons.get(arch.as_str()).into_iter().flatten();
            brought.filter_map(|python| {
                let machine = Machine { python: *python, glibc: facility.glibc, arch: arch.clone() };
                Some((machine.clone(), environment(&machine)?))
            })
        });
        LockTarget { facility, machines: machines.collect() }
    });
    places.filter(|place| !place.machines.is_empty()).collect()
}

/// The architecture of a Linux platform of conda, as `uname -m` has it.
pub(super) fn architecture(platform: &str) -> Option<&str> {
    match platform.strip_prefix("linux-")? {
        "64" => Some("x86_64"),
        "32" => Some("i686"),
        other => Some(other),
    }
}

fn version(text: &str) -> Option<(u8, u8)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// What packages of conda ask of glibc.
pub(super) fn check(path: &str, packages: &[&Locked], world: &RuleContext<'_>, reports: &mut Vec<Diagnostic>) {
    let needs =
        packages.iter().filter(|one| one.platform.as_deref().is_none_or(|name| matches!(name, "linux-64" | "noarch")));
    let needs = needs.filter_map(|one| Some((glibc(one)?, *one)));
    let Some((needed, locked)) = needs.max_by_key(|(glibc, _)| *glibc) else { return };
    let mut reach = Reach::default();
    for target in &world.targets {
        let Some(have) = target.glibc else { continue };
        if have < needed { &mut reach.breaks } else { &mut reach.works }.push(target.id.clone());
    }
    if reach.breaks.is_empty() {
        return;
    }
    let message = format!(
        "{} {} asks for glibc {}.{}, which {} does not have",
        locked.name,
        locked.version,
        needed.0,
        needed.1,
        reach.breaks.join(", ")
    );
    let is_chosen = world.targets.len() < world.catalogue.facilities.len();
    let severity = if is_chosen || reach.works.is_empty() { Severity::Error } else { Severity::Warning };
    reports.push(report(Diagnostic::of(path, locked.line, message), severity, false, reach));
}

/// The glibc of `__glibc >=2.28,<3.0.a0`.
fn glibc(locked: &Locked) -> Option<(u8, u8)> {
    let need = locked.machine.iter().find_map(|need| need.strip_prefix("__glibc"))?;
    let version = need.split(',').find_map(|part| part.trim().strip_prefix(">="))?;
    let (major, rest) = version.trim().split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}
