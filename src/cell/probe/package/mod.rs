//! Packages of system package managers and of conda.

pub(super) mod apk;
pub(super) mod conda;
pub(super) mod dpkg;
pub(super) mod rpm;

use std::collections::BTreeMap;

use super::file_tree::FileTree;
use crate::model::environment::Ecosystem;
use crate::model::known::Known;
use crate::model::package::Package;

/// Packages by package manager.
pub(super) type Packages = BTreeMap<Ecosystem, Known<Vec<Package>>>;

/// Returns the packages of every system package manager with a database; an unreadable database is unknown.
pub(super) fn system_packages(root: &FileTree) -> Packages {
    let found = [
        (Ecosystem::Apk, apk::packages(root)),
        (Ecosystem::Dpkg, dpkg::packages(root)),
        (Ecosystem::Rpm, rpm::packages(root)),
    ];
    found.into_iter().filter_map(|(name, packages)| Some((name, packages?.map(sorted)))).collect()
}

/// Returns the packages of these conda prefixes, if there are any.
pub(super) fn conda_packages(root: &FileTree, prefixes: &[String]) -> Option<Known<Vec<Package>>> {
    conda::packages(root, prefixes).map(|packages| packages.map(sorted))
}

fn sorted(mut packages: Vec<Package>) -> Vec<Package> {
    packages.sort();
    packages.dedup();
    packages
}

/// Returns the version of the first installed package of a list, without epoch and distribution revision.
pub(super) fn upstream_version(packages: &Packages, names: impl Fn(Ecosystem) -> Vec<String>) -> Option<String> {
    packages.iter().filter(|(ecosystem, _)| **ecosystem != Ecosystem::Conda).find_map(|(ecosystem, packages)| {
        let packages = packages.get()?;
        names(*ecosystem).iter().find_map(|name| {
            let index = packages.partition_point(|package| package.name < *name);
            let package = packages.get(index).filter(|package| package.name == *name)?;
            Some(upstream(&package.version).to_owned())
        })
    })
}

/// Removes epoch and distribution revision from a package version: `1:2.39.5-0+deb12u1` becomes `2.39.5`.
fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let version = version.rsplit_once('-').map_or(version, |(upstream, _)| upstream);
    version.split(['+', '~']).next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::upstream;

    #[test]
    fn upstream_version_has_no_epoch_and_revision() {
        assert_eq!(upstream("1:2.39.5-0+deb12u1"), "2.39.5");
        assert_eq!(upstream("12.2.0-14+deb12u1"), "12.2.0");
        assert_eq!(upstream("4.3-r8"), "4.3");
        assert_eq!(upstream("5.1.8"), "5.1.8");
    }
}
