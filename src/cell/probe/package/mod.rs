//! Packages of the system's managers and of conda.

pub(super) mod apk;
pub(super) mod conda;
pub(super) mod dpkg;
pub(super) mod rpm;

use std::collections::BTreeMap;

use super::file_tree::FileTree;
use crate::model::environment::Ecosystem;
use crate::model::known::Known;
use crate::model::package::Package;

/// Packages by manager.
pub(super) type Packages = BTreeMap<Ecosystem, Known<Vec<Package>>>;

/// The packages of every manager of the system whose database is there; one that can't be read is unknown.
pub(super) fn of_system(root: &FileTree) -> Packages {
    let found = [
        (Ecosystem::Apk, apk::packages(root)),
        (Ecosystem::Dpkg, dpkg::packages(root)),
        (Ecosystem::Rpm, rpm::packages(root)),
    ];
    found.into_iter().filter_map(|(name, packages)| Some((name, packages?.map(sorted)))).collect()
}

/// The packages of these conda prefixes, if there are any.
pub(super) fn of_conda(root: &FileTree, prefixes: &[String]) -> Option<Known<Vec<Package>>> {
    conda::packages(root, prefixes).map(|packages| packages.map(sorted))
}

fn sorted(mut packages: Vec<Package>) -> Vec<Package> {
    packages.sort();
    packages.dedup();
    packages
}

/// The version of the first of these packages that is installed, without epoch and distribution revision.
pub(super) fn upstream_version(packages: &Packages, names: impl Fn(Ecosystem) -> Vec<String>) -> Option<String> {
    packages.iter().filter(|(ecosystem, _)| **ecosystem != Ecosystem::Conda).find_map(|(ecosystem, packages)| {
        let packages = packages.get()?;
        names(*ecosystem).iter().find_map(|name| {
            let at = packages.partition_point(|package| package.name < *name);
            let package = packages.get(at).filter(|package| package.name == *name)?;
            Some(upstream(&package.version).to_owned())
        })
    })
}

/// A package version without its epoch and its distribution's revision: `1:2.39.5-0+deb12u1` is `2.39.5`.
fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let version = version.rsplit_once('-').map_or(version, |(upstream, _)| upstream);
    version.split(['+', '~']).next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::upstream;

    #[test]
    fn epoch_and_revision_are_no_part_of_the_upstream_version() {
        assert_eq!(upstream("1:2.39.5-0+deb12u1"), "2.39.5");
        assert_eq!(upstream("12.2.0-14+deb12u1"), "12.2.0");
        assert_eq!(upstream("4.3-r8"), "4.3");
        assert_eq!(upstream("5.1.8"), "5.1.8");
    }
}
