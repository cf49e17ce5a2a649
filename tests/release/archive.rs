//! The archive, its sums, and whether cargo-binstall finds the binary in it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::Command;

use flate2::read::GzDecoder;
use tar::Archive;

use crate::packages::{TOP, file, packages, said};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What tells an entry's maker: sum of its owner's and group's ids, seconds since 1970, permissions.
struct Facts {
    owner: u64,
    time: u64,
    mode: u32,
}

/// The names in their order, and the facts of each.
fn listing() -> (Vec<String>, BTreeMap<String, Facts>) {
    let mut archive = Archive::new(GzDecoder::new(File::open(file(".tar.gz")).expect("the archive")));
    let mut names = Vec::new();
    let mut facts = BTreeMap::new();
    for entry in archive.entries().expect("entries") {
        let entry = entry.expect("an entry");
        let name = entry.path().expect("a path").display().to_string();
        let header = entry.header();
        let owner = header.uid().expect("a number") + header.gid().expect("a number");
        let (time, mode) = (header.mtime().expect("a time"), header.mode().expect("a mode") & 0o7777);
        facts.insert(name.clone(), Facts { owner, time, mode });
        names.push(name);
    }
    (names, facts)
}

/// The triple that the archive is named for.
fn triple() -> String {
    let name = file(".tar.gz").file_name().expect("a name").to_string_lossy().into_owned();
    let rest = name.strip_prefix(&format!("carnet-v{VERSION}-")).expect("the version in its name");
    rest.strip_suffix(".tar.gz").expect("the end of its name").to_owned()
}

fn the_archive_holds_a_directory_of_its_name_with_all_that_a_user_gets() {
    let (names, facts) = listing();
    let top = format!("carnet-v{VERSION}-{}/", triple());
    assert!(names.iter().all(|name| name.starts_with(&top)), "{names:?}");
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(names, sorted, "sorted, so that equal content is equal bytes");
    for (path, mode) in [
        ("carnet", 0o755),
        ("README.md", 0o644),
        ("CHANGELOG.md", 0o644),
        ("LICENSE-APACHE", 0o644),
        ("LICENSE-MIT", 0o644),
        ("man/man1/carnet.1", 0o644),
        ("man/man1/carnet-scan.1", 0o644),
        ("completions/carnet.bash", 0o644),
        ("completions/_carnet", 0o644),
        ("completions/carnet.fish", 0o644),
    ] {
        let there = facts.get(&format!("{top}{path}")).unwrap_or_else(|| panic!("no {path} in {names:?}"));
        assert_eq!((there.owner, there.mode), (0, mode), "{path}");
    }
    let times: Vec<u64> = facts.values().map(|facts| facts.time).collect();
    assert!(times.iter().all(|time| *time == times[0]), "one time, that of the commit: {times:?}");
}

fn the_sums_are_those_of_every_package() {
    said(Command::new("sha256sum").args(["--check", "--strict", "sha256.sum"]).current_dir(packages()));
    let sums = fs::read_to_string(packages().join("sha256.sum")).expect("the sums");
    assert_eq!(sums.lines().count(), 2, "{sums}");
    for line in sums.lines() {
        let (_, name) = line.split_once("  ").expect("a sum and a name");
        assert!(!name.contains('/') && packages().join(name).is_file(), "{name}");
    }
}

/// The text with cargo-binstall's placeholders filled in for a target.
fn filled(template: &str, target: &str) -> String {
    let values = [
        ("{ repo }", env!("CARGO_PKG_REPOSITORY")),
        ("{ version }", VERSION),
        ("{ target }", target),
        ("{ bin }", "carnet"),
    ];
    let text = values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value));
    assert!(!text.contains('{'), "a placeholder that this test doesn't know: {text}");
    text
}

fn cargo_binstall_is_told_where_the_archive_and_the_binary_in_it_are() {
    let manifest = fs::read_to_string(format!("{TOP}/Cargo.toml")).expect("Cargo.toml");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let told = &manifest["package"]["metadata"]["binstall"];
    assert_eq!(told["pkg-fmt"].as_str(), Some("tgz"));
    let (here, (names, _)) = (triple(), listing());
    let arch = here.split('-').next().expect("an architecture");
    let musl = &told["overrides"][&format!("{arch}-unknown-linux-musl")];
    for (told, target) in [(told, here.clone()), (musl, format!("{arch}-unknown-linux-musl"))] {
        let url = filled(told["pkg-url"].as_str().expect("a template"), &target);
        let name = file(".tar.gz").file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(url, format!("{}/releases/download/v{VERSION}/{name}", env!("CARGO_PKG_REPOSITORY")));
        let binary = filled(told["bin-dir"].as_str().expect("a template"), &target);
        assert!(names.contains(&binary), "{binary} is not in {names:?}");
    }
}

crate::support::harness::register!(
    []:
    the_archive_holds_a_directory_of_its_name_with_all_that_a_user_gets,
    the_sums_are_those_of_every_package,
    cargo_binstall_is_told_where_the_archive_and_the_binary_in_it_are,
);
