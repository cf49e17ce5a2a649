use super::RULE;
use crate::model::finding::Severity;
use crate::scan::rules::Diagnostic;
use crate::scan::rules::testing::reports_of;

/// A pixi.lock of format 6 with a Python of conda and these packages of PyPI, on these platforms.
fn pixi(python: &str, platforms: &[&str], places: &[&str]) -> String {
    let mut taken: Vec<String> = Vec::new();
    let mut packages: Vec<String> = Vec::new();
    for platform in platforms {
        let conda = format!("https://c/{platform}/python-{python}-0_cpython.conda");
        taken.push(format!("      {platform}:\n      - conda: {conda}\n"));
        packages.push(format!("- conda: {conda}\n  sha256: '0'\n"));
        taken.extend(places.iter().map(|place| format!("      - pypi: {place}\n")));
    }
    for place in places {
        let name = place.rsplit('/').next().and_then(|file| file.split('-').next()).unwrap_or_default();
        packages.push(format!("- pypi: {place}\n  name: {name}\n  version: '1'\n  requires_python: '>=3.9'\n"));
    }
    let (taken, packages) = (taken.concat(), packages.concat());
    format!("version: 6\nenvironments:\n  default:\n    packages:\n{taken}packages:\n{packages}")
}

fn said(reports: &[Diagnostic]) -> Vec<String> {
    reports.iter().map(|report| report.message.split(" at ").next().unwrap_or_default().to_owned()).collect()
}

const OLD: &str = "https://h/old-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
const NEW: &str = "https://h/new-1-cp311-cp311-manylinux_2_34_x86_64.whl";
const PURE: &str = "https://h/pure-1-py3-none-any.whl";

#[test]
fn a_wheel_in_a_lock_of_pixi_is_judged_against_the_python_that_the_lock_brings() {
    let reports = reports_of(&RULE, &[("pixi.lock", &pixi("3.11.9", &["linux-64"], &[OLD, NEW, PURE]))]);
    assert_eq!(said(&reports), ["new 1 can't be installed"]);
    let report = &reports[0];
    assert!(report.message.ends_with("its wheels need glibc 2.34"), "{}", report.message);
    assert_eq!(report.line, 17);
    // No facility has this Python of its own, and it doesn't matter.
    assert!(!report.reach.breaks.is_empty() && !report.reach.works.is_empty(), "{:?}", report.reach);
    assert_eq!(report.severity, Some(Severity::Warning));
    let other = pixi("3.12.1", &["linux-64"], &[NEW]);
    let reports = reports_of(&RULE, &[("pixi.lock", &other)]);
    assert!(reports[0].reach.works.is_empty() && reports[0].message.ends_with("for other Pythons"));
}

#[test]
fn wheels_of_other_systems_and_architectures_say_nothing_of_linux() {
    let mac = "https://h/mac-1-cp311-cp311-macosx_11_0_universal2.whl";
    for platforms in [&["osx-64", "osx-arm64"][..], &["win-64"], &["osx-64"]] {
        assert!(reports_of(&RULE, &[("pixi.lock", &pixi("3.11.9", platforms, &[mac]))]).is_empty(), "{platforms:?}");
    }
    // Linux has its own wheels beside those of another system.
    let mut lock = pixi("3.11.9", &["osx-arm64"], &[mac]);
    lock = lock.replace("packages:\n- ", "packages:\n- conda: https://c/linux-64/python-3.11.9-0_cpython.conda\n- ");
    assert!(reports_of(&RULE, &[("pixi.lock", &lock)]).is_empty());
    let arm = "https://h/arm-1-cp311-cp311-manylinux_2_34_aarch64.whl";
    let reports = reports_of(&RULE, &[("pixi.lock", &pixi("3.11.9", &["linux-aarch64"], &[arm]))]);
    assert!(reports.iter().all(|report| !report.message.contains("other machines")), "{:?}", said(&reports));
}

#[test]
fn a_lock_without_a_python_is_not_judged() {
    let lock = pixi("3.11.9", &["linux-64"], &[NEW]).replace("python-3.11.9", "zlib-1.3");
    assert!(reports_of(&RULE, &[("pixi.lock", &lock)]).is_empty());
}

#[test]
fn a_wheel_is_taken_for_the_python_that_it_fits_among_several() {
    let second = "- conda: https://c/linux-64/python-3.13.0-0_cp313.conda\n- ";
    let lock = pixi("3.11.9", &["linux-64"], &[OLD]).replacen("packages:\n- ", &format!("packages:\n{second}"), 1);
    assert!(reports_of(&RULE, &[("pixi.lock", &lock)]).is_empty());
}

#[test]
fn packages_of_pip_in_a_conda_lock_are_judged_as_well() {
    let package = |name: &str, manager: &str, url: &str| {
        format!("- name: {name}\n  version: 3.11.9\n  manager: {manager}\n  platform: linux-64\n  url: {url}\n")
    };
    let python = package("python", "conda", "https://c/linux-64/python-3.11.9-0_cpython.conda");
    let lock = |packages: &[String]| format!("version: 1\npackage:\n{python}{}", packages.concat());
    let new = package("new", "pip", NEW);
    let git = package("own", "pip", "git+https://h/own.git@1");
    // The same package in two categories is one.
    let given = lock(&[package("old", "pip", OLD), new.clone(), new, git, package("pure", "pip", PURE)]);
    let reports = reports_of(&RULE, &[("conda-lock.yml", &given)]);
    assert_eq!(said(&reports), ["new 3.11.9 can't be installed"]);
    let given = lock(&[package("raw", "pip", "https://h/raw-1.tar.gz")]);
    let reports = reports_of(&RULE, &[("conda-lock.yml", &given)]);
    assert_eq!(said(&reports), ["raw 3.11.9 must be built from source"]);
    assert_eq!(reports[0].severity, Some(Severity::Note));
}
