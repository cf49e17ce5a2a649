//! The notes of a release, and that its tag, version and changelog are of one mind.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::packages::{TOP, package};

const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2027-01-02\n\n### Added\n\n- A thing.\n\n\
                         ## [1.1.0] - 2027-01-01\n\n- Another.\n\n[1.2.0]: https://example.org/\n";

/// What the script says of a tag, in a repository of version 1.2.0.
fn notes(tag: &str, changelog: &str) -> Output {
    let dir = tempfile::tempdir().expect("a directory");
    fs::create_dir(dir.path().join(".ci")).expect("a directory");
    fs::copy(Path::new(TOP).join(".ci/package"), dir.path().join(".ci/package")).expect("the script");
    fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"carnet\"\nversion = \"1.2.0\"\n").expect("a file");
    fs::write(dir.path().join("CHANGELOG.md"), changelog).expect("a file");
    package(dir.path()).args(["notes", tag]).output().expect("sh starts")
}

fn they_are_what_the_changelog_says_of_the_version() {
    let output = notes("v1.2.0", CHANGELOG);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "### Added\n\n- A thing.\n");
    assert!(output.status.success());
}

fn a_tag_of_another_version_or_without_a_section_stops_the_release() {
    for (tag, changelog, wanted) in [
        ("v1.1.0", CHANGELOG, "the tag is v1.1.0, Cargo.toml has 1.2.0"),
        ("1.2.0", CHANGELOG, "the tag is 1.2.0"),
        ("v1.2.0", "# Changelog\n\n## [Unreleased]\n\n- A thing.\n", "no section `## [1.2.0]`"),
    ] {
        let output = notes(tag, changelog);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(wanted), "{tag}: {said}");
    }
}

crate::support::harness::register!(
    []:
    they_are_what_the_changelog_says_of_the_version,
    a_tag_of_another_version_or_without_a_section_stops_the_release,
);
