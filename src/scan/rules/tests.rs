//! The list of rules.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::all;

/// Sections of a manual page, in order.
const SECTIONS: [&str; 5] =
    ["## What it does", "## Why it breaks elsewhere", "## Example", "## How to fix", "## Limits"];

/// Returns the source files of all rules.
fn sources() -> Vec<PathBuf> {
    let mut sources = Vec::new();
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scan/rules")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { &mut directories } else { &mut sources }.push(path);
        }
    }
    sources
}

#[test]
fn every_file_with_a_rule_is_registered() {
    let registered: BTreeSet<&str> = all().map(|rule| rule.id).collect();
    let mut defined = 0;
    for path in sources().iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        let text = fs::read_to_string(path).expect("a source file");
        let Some(start) = text.find("static RULE: Rule") else { continue };
        if path.ends_with("tests.rs") {
            continue;
        }
        defined += 1;
        let id = match text[start..].split_once("id: \"").and_then(|(_, rest)| rest.split_once('"')) {
            Some((id, _)) if text[start..].find("id: \"").is_some_and(|offset| offset < 60) => id,
            _ => super::unused_ignore::ID,
        };
        assert!(registered.contains(id), "{}: rule `{id}` is not listed in RULES", path.display());
    }
    assert_eq!(defined, registered.len());
}

#[test]
fn rule_ids_are_unique_and_in_kebab_case() {
    let mut ids: Vec<&str> = all().map(|rule| rule.id).collect();
    for id in &ids {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        assert!(id.split('-').all(is_word), "{id}");
    }
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn every_page_has_all_sections_in_order() {
    for rule in all() {
        let positions: Vec<usize> = SECTIONS
            .iter()
            .map(|section| rule.page.find(section).unwrap_or_else(|| panic!("{}: no section `{section}`", rule.id)))
            .collect();
        assert!(positions.is_sorted(), "{}", rule.id);
    }
}
