use super::RULE;
use crate::model::finding::Severity;
use crate::scan::rules::Diagnostic;
use crate::scan::rules::testing::repository_diagnostics;

/// Returns a pixi.lock of format 6 with a conda Python and these PyPI packages, for these platforms.
fn pixi(python: &str, platforms: &[&str], urls: &[&str]) -> String {
    let mut entries: Vec<String> = Vec::new();
    let mut packages: Vec<String> = Vec::new();
    for platform in platforms {
        let conda = format!("https://c/{platform}/python-{python}-0_cpython.conda");
        entries.push(format!("      {platform}:\n      - conda: {conda}\n"));
        packages.push(format!("- conda: {conda}\n  sha256: '0'\n"));
        entries.extend(urls.iter().map(|url| format!("      - pypi: {url}\n")));
    }
    for url in urls {
        let name = url.rsplit('/').next().and_then(|file| file.split('-').next()).unwrap_or_default();
        packages.push(format!("- pypi: {url}\n  name: {name}\n  version: '1'\n  requires_python: '>=3.9'\n"));
    }
    let (entries, packages) = (entries.concat(), packages.concat());
    format!("version: 6\nenvironments:\n  default:\n    packages:\n{entries}packages:\n{packages}")
}

fn headlines(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.message.split(" at ").next().unwrap_or_default().to_owned())
        .collect()
}

const OLD: &str = "https://h/old-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
const NEW: &str = "https://h/new-1-cp311-cp311-manylinux_2_34_x86_64.whl";
const PURE: &str = "https://h/pure-1-py3-none-any.whl";

#[test]
fn pixi_wheels_are_compared_with_locked_python() {
    let diagnostics =
        repository_diagnostics(&RULE, &[("pixi.lock", &pixi("3.11.9", &["linux-64"], &[OLD, NEW, PURE]))]);
    assert_eq!(headlines(&diagnostics), ["new 1 can't be installed"]);
    let diagnostic = &diagnostics[0];
    assert!(diagnostic.message.ends_with("its wheels require glibc 2.34"), "{}", diagnostic.message);
    assert_eq!(diagnostic.line, 17);
    // The lock contains Python, so that of the facility is not used.
    assert!(!diagnostic.reach.breaks.is_empty() && !diagnostic.reach.works.is_empty(), "{:?}", diagnostic.reach);
    assert_eq!(diagnostic.severity, Some(Severity::Warning));
    let other = pixi("3.12.1", &["linux-64"], &[NEW]);
    let diagnostics = repository_diagnostics(&RULE, &[("pixi.lock", &other)]);
    assert!(diagnostics[0].reach.works.is_empty() && diagnostics[0].message.ends_with("for other Python versions"));
}

#[test]
fn wheels_for_other_systems_are_skipped() {
    let mac = "https://h/mac-1-cp311-cp311-macosx_11_0_universal2.whl";
    for platforms in [&["osx-64", "osx-arm64"][..], &["win-64"], &["osx-64"]] {
        assert!(
            repository_diagnostics(&RULE, &[("pixi.lock", &pixi("3.11.9", platforms, &[mac]))]).is_empty(),
            "{platforms:?}"
        );
    }
    // The lock has wheels for Linux and for another system.
    let mut lock = pixi("3.11.9", &["osx-arm64"], &[mac]);
    lock = lock.replace("packages:\n- ", "packages:\n- conda: https://c/linux-64/python-3.11.9-0_cpython.conda\n- ");
    assert!(repository_diagnostics(&RULE, &[("pixi.lock", &lock)]).is_empty());
    let arm = "https://h/arm-1-cp311-cp311-manylinux_2_34_aarch64.whl";
    let diagnostics = repository_diagnostics(&RULE, &[("pixi.lock", &pixi("3.11.9", &["linux-aarch64"], &[arm]))]);
    assert!(
        diagnostics.iter().all(|diagnostic| !diagnostic.message.contains("other platforms")),
        "{:?}",
        headlines(&diagnostics)
    );
}

#[test]
fn lock_without_python_is_skipped() {
    let lock = pixi("3.11.9", &["linux-64"], &[NEW]).replace("python-3.11.9", "zlib-1.3");
    assert!(repository_diagnostics(&RULE, &[("pixi.lock", &lock)]).is_empty());
}

#[test]
fn wheel_is_matched_with_compatible_python() {
    let second = "- conda: https://c/linux-64/python-3.13.0-0_cp313.conda\n- ";
    let lock = pixi("3.11.9", &["linux-64"], &[OLD]).replacen("packages:\n- ", &format!("packages:\n{second}"), 1);
    assert!(repository_diagnostics(&RULE, &[("pixi.lock", &lock)]).is_empty());
}

#[test]
fn pip_packages_in_conda_lock_are_checked() {
    let package = |name: &str, manager: &str, url: &str| {
        format!("- name: {name}\n  version: 3.11.9\n  manager: {manager}\n  platform: linux-64\n  url: {url}\n")
    };
    let python = package("python", "conda", "https://c/linux-64/python-3.11.9-0_cpython.conda");
    let lock = |packages: &[String]| format!("version: 1\npackage:\n{python}{}", packages.concat());
    let new = package("new", "pip", NEW);
    let git = package("own", "pip", "git+https://h/own.git@1");
    // A package in two categories is reported once.
    let given = lock(&[package("old", "pip", OLD), new.clone(), new, git, package("pure", "pip", PURE)]);
    let diagnostics = repository_diagnostics(&RULE, &[("conda-lock.yml", &given)]);
    assert_eq!(headlines(&diagnostics), ["new 3.11.9 can't be installed"]);
    let given = lock(&[package("raw", "pip", "https://h/raw-1.tar.gz")]);
    let diagnostics = repository_diagnostics(&RULE, &[("conda-lock.yml", &given)]);
    assert_eq!(headlines(&diagnostics), ["raw 3.11.9 must be built from source"]);
    assert_eq!(diagnostics[0].severity, Some(Severity::Note));
}
