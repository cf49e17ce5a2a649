//! Relative links lead to existing files and headings.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::text::{Page, TOP, files};

/// Targets of the links of a line, without code spans.
fn targets(line: &str) -> Vec<String> {
    let bare: String = line.split('`').step_by(2).collect::<Vec<_>>().join("x");
    let ends = bare.match_indices("](").map(|(at, found)| at + found.len());
    ends.filter_map(|at| bare[at..].split(')').next().map(str::to_owned)).collect()
}

/// The anchor of a heading on GitHub and GitLab.
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

/// Whether a link leads to another site.
fn is_external(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

/// Returns the error in the target of a link.
fn find_error(file: &Path, target: &str) -> Option<String> {
    if is_external(target) {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let source = Path::new(TOP).join(file);
    let linked = if path.is_empty() { source } else { source.parent().expect("a directory").join(path) };
    if !linked.exists() {
        return Some(format!("{path} does not exist"));
    }
    let anchor = anchor.filter(|_| linked.extension().is_some_and(|extension| extension == "md"))?;
    (!anchors(&linked).contains(anchor)).then(|| format!("{} has no heading #{anchor}", linked.display()))
}

fn relative_links_resolve() {
    let mut errors: Vec<String> = Vec::new();
    let mut count = 0;
    for file in files() {
        for (number, line) in Page::read(&Path::new(TOP).join(&file)).prose {
            for target in targets(&line) {
                count += 1;
                errors.extend(find_error(&file, &target).map(|why| format!("{}:{number}: {why}", file.display())));
            }
        }
    }
    assert!(count > 30, "only {count} links were found");
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

fn readme_leads_to_every_page() {
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    let mut queue = vec![PathBuf::from("README.md")];
    while let Some(file) = queue.pop() {
        let whole = Path::new(TOP).join(&file);
        let Ok(whole) = whole.canonicalize() else { continue };
        if !seen.insert(whole.clone()) || whole.extension().is_none_or(|extension| extension != "md") {
            // A link to a directory shows its entries.
            if whole.is_dir() {
                let inside = std::fs::read_dir(&whole).expect("a directory");
                queue.extend(inside.map(|entry| entry.expect("an entry").path()));
            }
            continue;
        }
        for (_, line) in Page::read(&whole).prose {
            let paths = targets(&line).into_iter().filter(|target| !is_external(target));
            let parent = whole.parent().expect("a directory").to_owned();
            queue.extend(paths.map(|target| parent.join(target.split('#').next().unwrap_or(""))));
        }
    }
    let unreachable: Vec<PathBuf> = files()
        .into_iter()
        .filter(|file| file.starts_with("docs"))
        .filter(|file| !seen.contains(&Path::new(TOP).join(file).canonicalize().expect("the file exists")))
        .collect();
    assert!(unreachable.is_empty(), "no page links to {unreachable:?}");
}

fn broken_links_are_found() {
    assert_eq!(targets("[a](b.md) `[c](d)` [e](f#g)"), ["b.md", "f#g"]);
    assert_eq!(slug("What it does, and `why`"), "what-it-does-and-why");
    assert!(find_error(Path::new("README.md"), "docs/nowhere.md").is_some());
    assert!(find_error(Path::new("README.md"), "docs/design.md#no-such-heading").is_some());
    assert!(find_error(Path::new("README.md"), "docs/design.md#how-a-cell-runs").is_none());
}

crate::support::harness::register!(
    []:
    relative_links_resolve,
    readme_leads_to_every_page,
    broken_links_are_found,
);
