//! Every place that names the version to use names this one. `CARNET_BLESS=1` writes them anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::packages::{TOP, said};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What stands before a version that is ours.
const MARKS: &[&str] = &[
    "carnet-hep/carnet@v",
    "carnet-hep/carnet/v",
    "/carnet/check@",
    "CARNET_VERSION: \"",
    "| `CARNET_VERSION` | `",
    "version: {default: \"",
    "rev: v",
];

/// The text with this version behind every mark, and how many marks there are.
fn current(text: &str) -> (String, usize) {
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

fn documents_and_templates_name_this_version() {
    let mut git = Command::new("git");
    let files = said(git.args(["ls-files", "--", "*.md", "*.yml", "*.yaml", ":!tests/data"]).current_dir(TOP));
    let mut number = 0;
    for name in files.lines() {
        let path = Path::new(TOP).join(name);
        let there = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (wanted, marks) = current(&there);
        number += marks;
        if std::env::var_os("CARNET_BLESS").is_some() && there != wanted {
            fs::write(&path, &wanted).expect("a file");
        } else {
            assert!(there == wanted, "{name} names another version: run this test with CARNET_BLESS=1");
        }
    }
    assert!(number >= 10, "{number} places only: the marks don't fit the documents any more");
}

fn versions_of_others_are_left_alone() {
    for (there, wanted) in [
        ("uses: carnet-hep/carnet@v0.0.9\n", format!("uses: carnet-hep/carnet@v{VERSION}\n")),
        ("uses: carnet-hep/carnet@main", "uses: carnet-hep/carnet@main".to_owned()),
        ("uses: actions/checkout@v9.9.9 # v7.0.1", "uses: actions/checkout@v9.9.9 # v7.0.1".to_owned()),
    ] {
        assert_eq!(current(there).0, wanted);
    }
}

crate::support::harness::register!(
    []:
    documents_and_templates_name_this_version,
    versions_of_others_are_left_alone,
);
