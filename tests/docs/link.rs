//! Relative links lead to a file, and their anchors to a heading.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::text::{Page, TOP, files};

/// Targets of the links of a line, code spans left out.
fn targets(line: &str) -> Vec<String> {
    let bare: String = line.split('`').step_by(2).collect::<Vec<_>>().join("x");
    let ends = bare.match_indices("](").map(|(at, found)| at + found.len());
    ends.filter_map(|at| bare[at..].split(')').next().map(str::to_owned)).collect()
}

/// The anchor that GitHub and GitLab make of a heading.
fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(path: &Path) -> BTreeSet<String> {
    let page = Page::read(path);
    let headings = page.prose.iter().filter_map(|(_, line)| line.strip_prefix('#'));
    headings.map(|heading| slug(heading.trim_start_matches('#').trim())).collect()
}

fn wrong(file: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let whole = Path::new(TOP).join(file);
    let place = if path.is_empty() { whole } else { whole.parent().expect("a directory").join(path) };
    if !place.exists() {
        return Some(format!("there is no {path}"));
    }
    let anchor = anchor.filter(|_| place.extension().is_some_and(|extension| extension == "md"))?;
    (!anchors(&place).contains(anchor)).then(|| format!("no heading of {} gives #{anchor}", place.display()))
}

fn relative_links_lead_somewhere() {
    let mut bad: Vec<String> = Vec::new();
    let mut count = 0;
    for file in files() {
        for (number, line) in Page::read(&Path::new(TOP).join(&file)).prose {
            for target in targets(&line) {
                count += 1;
                bad.extend(wrong(&file, &target).map(|why| format!("{}:{number}: {why}", file.display())));
            }
        }
    }
    assert!(count > 30, "the links were not found");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

fn every_page_can_be_reached_from_the_readme() {
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    let mut queue = vec![PathBuf::from("README.md")];
    while let Some(file) = queue.pop() {
        let whole = Path::new(TOP).join(&file);
        let Ok(whole) = whole.canonicalize() else { continue };
        if !seen.insert(whole.clone()) || whole.extension().is_none_or(|extension| extension != "md") {
            // A link to a directory shows what is in it.
            if whole.is_dir() {
                let inside = std::fs::read_dir(&whole).expect("a directory");
                queue.extend(inside.map(|entry| entry.expect("an entry").path()));
            }
            continue;
        }
        for (_, line) in Page::read(&whole).prose {
            let paths = targets(&line).into_iter().filter(|target| !target.contains("://"));
            let parent = whole.parent().expect("a directory").to_owned();
            queue.extend(paths.map(|target| parent.join(target.split('#').next().unwrap_or(""))));
        }
    }
    let lost: Vec<PathBuf> = files()
        .into_iter()
        .filter(|file| file.starts_with("docs"))
        .filter(|file| !seen.contains(&Path::new(TOP).join(file).canonicalize().expect("it is there")))
        .collect();
    assert!(lost.is_empty(), "no page links to {lost:?}");
}

fn broken_links_are_seen() {
    assert_eq!(targets("[a](b.md) `[c](d)` [e](f#g)"), ["b.md", "f#g"]);
    assert_eq!(slug("What it does, and `why`"), "what-it-does-and-why");
    assert!(wrong(Path::new("README.md"), "docs/nowhere.md").is_some());
    assert!(wrong(Path::new("README.md"), "docs/design.md#no-such-heading").is_some());
    assert!(wrong(Path::new("README.md"), "docs/design.md#how-a-cell-runs").is_none());
}

crate::support::harness::register!(
    []:
    relative_links_lead_somewhere,
    every_page_can_be_reached_from_the_readme,
    broken_links_are_seen,
);
