//! The version in documents and templates. `CARNET_BLESS=1` updates it.

use std::fs;
use std::process::Command;

use crate::packages::{VERSION, stdout};
use crate::support::repository;

/// Texts that precede a version of carnet.
const MARKS: &[&str] = &[
    "carnet-hep/carnet@v",
    "carnet-hep/carnet/v",
    "/carnet/check@",
    "CARNET_VERSION: \"",
    "| `CARNET_VERSION` | `",
    "version: {default: \"",
    "rev: v",
];

/// The text with the current version after every mark, and the number of versions.
fn update(text: &str) -> (String, usize) {
    let (mut text, mut number) = (text.to_owned(), 0);
    for mark in MARKS {
        let mut parts = text.split(mark);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(part.len());
            let is_version = part[..end].split('.').filter(|number| !number.is_empty()).count() == 3;
            out.push_str(mark);
            out.push_str(if is_version { VERSION } else { &part[..end] });
            out.push_str(&part[end..]);
            number += usize::from(is_version);
        }
        text = out;
    }
    (text, number)
}

fn documents_and_templates_use_this_version() {
    let mut git = Command::new("git");
    let files =
        stdout(git.args(["ls-files", "--", "*.md", "*.yml", "*.yaml", ":!tests/data"]).current_dir(repository()));
    let mut number = 0;
    for name in files.lines() {
        let path = repository().join(name);
        let current = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (expected, versions) = update(&current);
        number += versions;
        if std::env::var_os("CARNET_BLESS").is_some() && current != expected {
            fs::write(&path, &expected).expect("a file");
        } else {
            assert!(current == expected, "{name} contains another version: run this test with CARNET_BLESS=1");
        }
    }
    assert!(number >= 10, "only {number} versions found: update the marks");
}

fn update_changes_only_versions_of_carnet() {
    for (text, expected) in [
        ("uses: carnet-hep/carnet@v0.0.9\n", format!("uses: carnet-hep/carnet@v{VERSION}\n")),
        ("uses: carnet-hep/carnet@main", "uses: carnet-hep/carnet@main".to_owned()),
        ("uses: actions/checkout@v9.9.9 # v7.0.1", "uses: actions/checkout@v9.9.9 # v7.0.1".to_owned()),
    ] {
        assert_eq!(update(text).0, expected);
    }
}

crate::support::harness::register!(
    []:
    documents_and_templates_use_this_version,
    update_changes_only_versions_of_carnet,
);
