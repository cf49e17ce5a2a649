//! The archive, the checksums, and the settings of cargo-binstall.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::Command;

use flate2::read::GzDecoder;
use insta::assert_snapshot;
use tar::Archive;

use crate::packages::{VERSION, name, package, packages, stdout};
use crate::support::repository;

/// The metadata of an entry.
struct Entry {
    name: String,
    mode: u32,
    /// Ids of the owner and the group.
    owner: (u64, u64),
    /// Seconds since 1970.
    time: u64,
}

/// The entries of the archive in their order.
fn entries() -> Vec<Entry> {
    let mut archive = Archive::new(GzDecoder::new(File::open(package(".tar.gz")).expect("the archive")));
    let entries = archive.entries().expect("entries").map(|entry| {
        let entry = entry.expect("an entry");
        let header = entry.header();
        Entry {
            name: entry.path().expect("a path").display().to_string(),
            mode: header.mode().expect("a mode") & 0o7777,
            owner: (header.uid().expect("a number"), header.gid().expect("a number")),
            time: header.mtime().expect("a time"),
        }
    });
    entries.collect()
}

/// The target triple in the name of the archive.
fn triple() -> String {
    let name = name(&package(".tar.gz"));
    let rest = name.strip_prefix(&format!("carnet-v{VERSION}-")).expect("the version");
    rest.strip_suffix(".tar.gz").expect("the end").to_owned()
}

fn archive_contains_all_files_of_release() {
    let top = format!("carnet-v{VERSION}-{}/", triple());
    let files = entries().into_iter().filter(|entry| entry.name != top).map(|entry| {
        let name = entry.name.strip_prefix(&top).unwrap_or_else(|| panic!("{} is not in {top}", entry.name));
        format!("{:o} {name}\n", entry.mode)
    });
    let (pages, files): (Vec<String>, Vec<String>) = files.partition(|line| line.contains("man1/carnet-"));
    // Each command has a manual page.
    assert!(pages.iter().any(|page| page == "644 man/man1/carnet-scan.1\n"), "{pages:?}");
    assert_snapshot!(files.concat(), @"
    644 CHANGELOG.md
    644 LICENSE-APACHE
    644 LICENSE-MIT
    644 README.md
    755 carnet
    755 completions/
    644 completions/_carnet
    644 completions/_carnet.ps1
    644 completions/carnet.bash
    644 completions/carnet.elv
    644 completions/carnet.fish
    755 man/
    755 man/man1/
    644 man/man1/carnet.1
    ");
}

fn archive_is_reproducible() {
    let entries = entries();
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert!(names.is_sorted(), "{names:?}");
    let metadata: BTreeMap<_, _> = entries.iter().map(|entry| ((entry.owner, entry.time), &entry.name)).collect();
    assert_eq!(metadata.len(), 1, "different owners or times: {metadata:?}");
    assert_eq!(entries[0].owner, (0, 0));
}

fn checksums_include_all_packages() {
    stdout(Command::new("sha256sum").args(["--check", "--strict", "sha256.sum"]).current_dir(packages()));
    let sums = fs::read_to_string(packages().join("sha256.sum")).expect("the checksums");
    let mut names: Vec<&str> = sums.lines().map(|line| line.split_once("  ").expect("two columns").1).collect();
    names.sort_unstable();
    let mut expected = [name(&package(".tar.gz")), name(&package(".whl"))];
    expected.sort();
    assert_eq!(names, expected);
}

/// Replaces the placeholders of cargo-binstall.
fn expand(template: &str, target: &str) -> String {
    let values = [
        ("{ repo }", env!("CARGO_PKG_REPOSITORY")),
        ("{ version }", VERSION),
        ("{ target }", target),
        ("{ bin }", "carnet"),
    ];
    let text = values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value));
    assert!(!text.contains('{'), "unknown placeholder: {text}");
    text
}

fn cargo_binstall_finds_archive_and_binary() {
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).expect("Cargo.toml");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let settings = &manifest["package"]["metadata"]["binstall"];
    assert_eq!(settings["pkg-fmt"].as_str(), Some("tgz"));
    let (triple, archive) = (triple(), name(&package(".tar.gz")));
    let arch = triple.split('-').next().expect("an architecture");
    let musl = format!("{arch}-unknown-linux-musl");
    for (settings, target) in [(settings, &triple), (&settings["overrides"][&musl], &musl)] {
        let url = expand(settings["pkg-url"].as_str().expect("a template"), target);
        assert_eq!(url, format!("{}/releases/download/v{VERSION}/{archive}", env!("CARGO_PKG_REPOSITORY")));
        let binary = expand(settings["bin-dir"].as_str().expect("a template"), target);
        assert!(entries().iter().any(|entry| entry.name == binary), "{binary} is not in the archive");
    }
}

crate::support::harness::register!(
    [Tool("venv/bin/python")]:
    archive_contains_all_files_of_release,
    archive_is_reproducible,
    cargo_binstall_finds_archive_and_binary,
    checksums_include_all_packages,
);
