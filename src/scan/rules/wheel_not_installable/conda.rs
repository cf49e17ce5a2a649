//! Conda locks: the glibc that their packages require, and the Python that they contain for PyPI packages.

use std::collections::{BTreeMap, BTreeSet};

use super::{LockTarget, diagnostic, environment};
use crate::model::finding::{Reach, Severity};
use crate::model::inventory::{Index, Locked};
use crate::scan::rules::Diagnostic;
use crate::scan::rules::context::RuleContext;
use crate::source::manifest::wheel::Machine;

/// The Python versions in a lock, by architecture. There are several if the lock has several environments.
pub(super) type Pythons<'a> = BTreeMap<&'a str, BTreeSet<(u8, u8)>>;

/// Returns the Python versions among the packages of a lock.
pub(super) fn pythons<'a>(packages: &[&'a Locked]) -> Pythons<'a> {
    let mut pythons = Pythons::new();
    for locked in packages.iter().filter(|package| package.index == Index::Conda && package.name == "python") {
        let architecture = locked.platform.as_deref().and_then(architecture);
        if let (Some(architecture), Some(version)) = (architecture, version(&locked.version)) {
            pythons.entry(architecture).or_default().insert(version);
        }
    }
    pythons
}

/// Returns the facilities, each with its machines combined with these Python versions.
pub(super) fn targets<'a>(pythons: &Pythons<'_>, context: &'a RuleContext<'_>) -> Vec<LockTarget<'a>> {
    let targets = context.targets.iter().map(|facility| {
        let machines = facility.arch.iter().flat_map(|arch| {
            let versions = pythons.get(arch.as_str()).into_iter().flatten();
            versions.filter_map(|python| {
                let machine = Machine { python: *python, glibc: facility.glibc, arch: arch.clone() };
                Some((machine.clone(), environment(&machine)?))
            })
        });
        LockTarget { facility, machines: machines.collect() }
    });
    targets.filter(|target| !target.machines.is_empty()).collect()
}

/// Returns the architecture of a conda platform for Linux, in the spelling of `uname -m`.
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

/// Reports the highest glibc version that conda packages require if a facility has an older one.
pub(super) fn check(path: &str, packages: &[&Locked], context: &RuleContext<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let requirements = packages
        .iter()
        .filter(|package| package.platform.as_deref().is_none_or(|name| matches!(name, "linux-64" | "noarch")));
    let requirements = requirements.filter_map(|package| Some((glibc(package)?, *package)));
    let Some((needed, locked)) = requirements.max_by_key(|(glibc, _)| *glibc) else { return };
    let mut reach = Reach::default();
    for target in &context.targets {
        let Some(have) = target.glibc else { continue };
        if have < needed { &mut reach.breaks } else { &mut reach.works }.push(target.id.clone());
    }
    if reach.breaks.is_empty() {
        return;
    }
    let message = format!(
        "{} {} requires glibc {}.{}, which is not available at {}",
        locked.name,
        locked.version,
        needed.0,
        needed.1,
        reach.breaks.join(", ")
    );
    let is_chosen = context.targets.len() < context.catalogue.facilities.len();
    let severity = if is_chosen || reach.works.is_empty() { Severity::Error } else { Severity::Warning };
    diagnostics.push(diagnostic(Diagnostic::in_file(path, locked.line, message), severity, false, reach));
}

/// Returns the version in `__glibc >=2.28,<3.0.a0`.
fn glibc(locked: &Locked) -> Option<(u8, u8)> {
    let need = locked.machine.iter().find_map(|need| need.strip_prefix("__glibc"))?;
    let version = need.split(',').find_map(|part| part.trim().strip_prefix(">="))?;
    let (major, rest) = version.trim().split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}
