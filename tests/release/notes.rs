//! The release notes, for which tag, version and changelog must agree.

use std::fs;

use insta::assert_snapshot;

use crate::packages::package_script;
use crate::support::{CommandOutput, repository};

const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2027-01-02\n\n### Added\n\n- A feature.\n\n\
                         ## [1.1.0] - 2027-01-01\n\n- Another.\n\n[1.2.0]: https://example.org/\n";

/// Runs `.ci/package notes` in a repository of version 1.2.0.
fn notes(tag: &str, changelog: &str) -> CommandOutput {
    let dir = tempfile::tempdir().expect("a directory");
    fs::create_dir(dir.path().join(".ci")).expect("a directory");
    fs::copy(repository().join(".ci/package"), dir.path().join(".ci/package")).expect("the script");
    fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"carnet\"\nversion = \"1.2.0\"\n").expect("a file");
    fs::write(dir.path().join("CHANGELOG.md"), changelog).expect("a file");
    CommandOutput::run(package_script(dir.path()).args(["notes", tag]))
}

fn notes_are_section_of_changelog() {
    assert_eq!(notes("v1.2.0", CHANGELOG).assert_code(0).stdout, "### Added\n\n- A feature.\n");
}

fn notes_report_wrong_tag_and_missing_section() {
    let error = |tag: &str, changelog: &str| notes(tag, changelog).assert_code(1).stderr;
    assert_snapshot!(error("v1.1.0", CHANGELOG), @"package: the tag is v1.1.0, Cargo.toml has 1.2.0");
    assert_snapshot!(error("1.2.0", CHANGELOG), @"package: the tag is 1.2.0, Cargo.toml has 1.2.0");
    assert_snapshot!(error("v1.2.0", "# Changelog\n\n## [Unreleased]\n\n- A feature.\n"), @"package: CHANGELOG.md has no section `## [1.2.0]`");
}

crate::support::harness::register!(
    [Tool("venv/bin/python")]:
    notes_are_section_of_changelog,
    notes_report_wrong_tag_and_missing_section,
);
