//! The shape of the house: which module may import which, and how large a file may be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules from the top floor to the ground; a module imports only from those below it.
const FLOORS: [&str; 17] = [
    "cli", "ui", "hook", "check", "scan", "engine", "report", "cell", "image", "source", "config", "facility", "diff",
    "sys", "model", "error", "exit",
];

/// Modules that may import less than their floor allows.
const NARROW: [(&str, &[&str]); 5] = [
    ("sys", &["model", "error", "exit"]),
    ("report", &["model", "error", "exit"]),
    ("facility", &["model", "error", "exit"]),
    ("diff", &["model", "error", "exit"]),
    ("model", &["error", "exit"]),
];

/// Modules in which functions may wait.
const ASYNC: [&str; 3] = ["cli", "check", "engine"];

/// Most lines of a file.
const MOST_LINES: usize = 600;

fn sources() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut queue = vec![PathBuf::from("src")];
    while let Some(dir) = queue.pop() {
        for entry in fs::read_dir(&dir).expect("src is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                queue.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.insert(path, text);
            }
        }
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// The module of the first level that a file belongs to; none for `lib.rs` and `main.rs`.
fn module(path: &Path) -> Option<String> {
    let inner = path.strip_prefix("src").ok()?;
    let first = inner.components().next()?.as_os_str().to_str()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(name, "lib" | "main")).then(|| name.to_owned())
}

/// Lines of code, without comments: what they name is no import.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(n, line)| (n + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Modules of the first level that a line names after `crate::`.
fn named(line: &str) -> Vec<String> {
    let starts = line.match_indices("crate::").map(|(at, found)| at + found.len());
    let rests = starts.map(|at| &line[at..]);
    let mut names = Vec::new();
    for rest in rests {
        let inner = rest.strip_prefix('{').map_or(rest, |group| group);
        let list = if rest.starts_with('{') { inner.split(',').collect() } else { vec![inner] };
        for item in list {
            let name: String = item.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            names.push(name);
        }
    }
    names
}

#[test]
fn modules_import_only_from_below() {
    let floor = |name: &str| FLOORS.iter().position(|floor| *floor == name);
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(own) = module(&path) else { continue };
        let own_floor = floor(&own).unwrap_or_else(|| panic!("{own} has no floor: give it one in this test"));
        for (n, line) in code(&text) {
            for other in named(line) {
                let Some(other_floor) = floor(&other) else { continue };
                let narrow =
                    NARROW.iter().find(|(name, _)| *name == own).is_some_and(|(_, may)| !may.contains(&other.as_str()));
                if other != own && (other_floor <= own_floor || narrow) {
                    wrong.push(format!("{}:{n}: `{own}` may not import `{other}`", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_upper_floors_wait() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(own) = module(&path) else { continue };
        for (n, line) in code(&text) {
            if !ASYNC.contains(&own.as_str()) && (line.contains("async fn") || line.contains("tokio::")) {
                wrong.push(format!("{}:{n}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "async outside of {ASYNC:?}:\n{}", wrong.join("\n"));
}

#[test]
fn files_stay_small() {
    let too_long = |(path, text): (&PathBuf, &String)| {
        let lines = text.lines().count();
        let most = if path == Path::new("src/main.rs") { 30 } else { MOST_LINES };
        (lines > most).then(|| format!("{}: {lines} lines, at most {most}", path.display()))
    };
    let wrong: Vec<String> = sources().iter().filter_map(too_long).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_stands_where_the_kernel_needs_it() {
    let allowed = Path::new("src/sys/raw.rs");
    for (path, text) in sources() {
        let uses = code(&text).any(|(_, line)| line.contains("unsafe {") || line.contains("unsafe fn"));
        assert!(!uses || path == allowed, "{} contains unsafe code; move it to {}", path.display(), allowed.display());
    }
}
