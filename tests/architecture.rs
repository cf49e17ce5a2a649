//! The structure of the source tree: imports between modules, calls that only one module may use, and the size of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules of the crate from top to bottom. A module imports only from modules after it.
const LAYERS: [&str; 17] = [
    "cli", "ui", "hook", "check", "scan", "engine", "report", "cell", "image", "source", "config", "facility", "diff",
    "sys", "model", "error", "exit",
];

/// Modules that may import less than their layer allows, by their path below `src`.
const RESTRICTED: [(&str, &[&str]); 6] = [
    ("scan/rules", &["scan", "source", "facility", "model", "error", "exit"]),
    ("report", &["model", "error", "exit"]),
    ("facility", &["sys", "model", "error", "exit"]),
    ("diff", &["model", "error", "exit"]),
    ("sys", &["model", "error", "exit"]),
    ("model", &["error", "exit"]),
];

/// Modules that contain async functions.
const ASYNC: [&str; 3] = ["cli", "check", "engine"];

/// The only file with unsafe code.
const UNSAFE: [&str; 1] = ["src/sys/raw.rs"];

/// Calls that read the environment variables or the date. Only `sys` uses them.
const SYSTEM_CALLS: [&str; 4] = ["env::var", "SystemTime::now", "Timestamp::now", "Zoned::now"];

/// Modules that use the monotonic clock, by their path below `src`. It sets deadlines and measures durations; the result of
/// a check does not depend on it otherwise.
const MONOTONIC_CLOCK: [(&str, &str); 8] = [
    ("cell", "time limits of commands and probes, and their durations"),
    ("check/driver", "duration of a check"),
    ("check/execute", "duration of a cell"),
    ("cli/hook/push", "time limit of the hook"),
    ("engine/output", "number of lines shown in a time window"),
    ("hook/scan", "time limit of the hook"),
    ("scan", "duration of a scan"),
    ("sys", "the clock of the machine"),
];

/// Maximum number of lines of a file.
const MAX_LINES: usize = 600;

/// Modules of one kind: what they are, their directory, and the items that only the `mod.rs` of the directory imports. A new module of
/// the kind touches the number of files that CONTRIBUTING.md states, because no other file refers to it.
const LISTED: [(&str, &[&str], &[&str]); 3] = [
    ("engine", &["engine"], &["docker", "embedded", "host"]),
    ("rule", &["scan", "rules"], &["RULE"]),
    ("manifest format", &["source", "manifest"], &["LOCK", "FORMAT"]),
];

/// Files outside of the listings that refer to one rule: suppression itself reports unused ignores.
const REFERENCES: [&str; 1] = ["src/scan/suppress/unused.rs"];

/// The path of a module, as in `["scan", "rules", "path"]`.
type ModulePath = Vec<String>;

/// One source file.
struct Source {
    path: PathBuf,
    module: ModulePath,
    text: String,
}

impl Source {
    /// Code without comments and without the unit tests at the end of the file, with line numbers from 1.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let starts = self.text.match_indices("\n#[cfg(test)]\nmod ").map(|(at, _)| at);
        let mut inline = starts.filter(|at| self.text[*at..].lines().nth(2).is_some_and(|line| line.ends_with('{')));
        let end = inline.next().unwrap_or(self.text.len());
        (1..).zip(self.text[..end].lines()).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Whether the whole file is compiled for tests only.
    fn is_test(&self) -> bool {
        let name = self.module.last().map_or("", String::as_str);
        let is_named =
            |name: &str| matches!(name, "tests" | "testing" | "fixture" | "golden") || name.ends_with("_tests");
        self.module.iter().any(|part| is_named(part)) || is_named(name)
    }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut queue = vec![PathBuf::from("src")];
    while let Some(directory) = queue.pop() {
        for entry in fs::read_dir(&directory).expect("src exists") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                queue.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.push(Source { module: module_path(&path), path, text });
            }
        }
    }
    assert!(found.len() > 20, "found only {} source files", found.len());
    found
}

fn module_path(path: &Path) -> ModulePath {
    let inner = path.strip_prefix("src").expect("a path below src").with_extension("");
    let parts = inner.iter().map(|part| part.to_string_lossy().into_owned());
    parts.filter(|part| !matches!(part.as_str(), "mod" | "lib" | "main")).collect()
}

/// Paths after `crate::`, `super::` or `self::` in a line, and paths of `use` declarations, as absolute module paths with the item's
/// name at the end.
fn imports(source: &Source, modules: &BTreeSet<ModulePath>) -> Vec<(usize, ModulePath)> {
    let mut found = Vec::new();
    let mut declaration: Option<(usize, String)> = None;
    for (number, line) in source.code() {
        let trimmed = line.trim();
        let is_use = trimmed.starts_with("use ") || trimmed.starts_with("pub") && trimmed.contains(" use ");
        if declaration.is_none() && is_use {
            let text = trimmed.split_once("use ").map_or("", |(_, rest)| rest);
            declaration = Some((number, text.to_owned()));
        } else if let Some((_, text)) = &mut declaration {
            text.push_str(trimmed);
        } else {
            found.extend(inline_paths(trimmed).into_iter().map(|path| (number, path)));
        }
        if declaration.as_ref().is_some_and(|(_, text)| text.ends_with(';')) {
            let (number, text) = declaration.take().expect("checked above");
            let mut paths = Vec::new();
            expand(&mut Vec::new(), text.trim_end_matches(';'), &mut paths);
            found.extend(paths.into_iter().map(|path| (number, path)));
        }
    }
    found.into_iter().filter_map(|(number, path)| Some((number, resolve(&source.module, path, modules)?))).collect()
}

/// Paths in an expression that start with `crate`, `super` or `self`.
fn inline_paths(line: &str) -> Vec<ModulePath> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = line.split(|c: char| !is_word(c) && c != ':').filter(|word| word.contains("::"));
    let paths = words.map(|word| word.split("::").map(str::to_owned).collect::<ModulePath>());
    paths.filter(|path| matches!(path[0].as_str(), "crate" | "super" | "self")).collect()
}

/// Lists every path of a `use` tree.
fn expand(prefix: &mut ModulePath, tree: &str, found: &mut Vec<ModulePath>) {
    let tree = tree.split(" as ").next().unwrap_or(tree).trim();
    match tree.split_once('{') {
        Some((start, rest)) if !start.contains(',') => {
            let depth = prefix.len();
            prefix.extend(start.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned));
            for part in split_top_level(rest.strip_suffix('}').unwrap_or(rest)) {
                expand(prefix, part, found);
            }
            prefix.truncate(depth);
        }
        _ if !tree.is_empty() => {
            let path =
                tree.split("::").map(|part| part.trim().to_owned()).filter(|part| part != "self" || prefix.is_empty());
            found.push(prefix.iter().cloned().chain(path).collect());
        }
        _ => {}
    }
}

/// Splits a list at the commas outside of braces.
fn split_top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// The absolute path, or `None` for another crate.
fn resolve(module: &[String], path: ModulePath, modules: &BTreeSet<ModulePath>) -> Option<ModulePath> {
    let first = path.first()?.as_str();
    let child = || module.iter().cloned().chain([first.to_owned()]).collect::<ModulePath>();
    let supers = path.iter().take_while(|part| *part == "super").count();
    match first {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some(module.iter().chain(&path[1..]).cloned().collect()),
        "super" => Some(module[..module.len().checked_sub(supers)?].iter().chain(&path[supers..]).cloned().collect()),
        _ if modules.contains(&child()) => Some(module.iter().chain(&path).cloned().collect()),
        _ => None,
    }
}

/// The longest prefix of a path that is a module.
fn module_of<'a>(path: &'a [String], modules: &BTreeSet<ModulePath>) -> &'a [String] {
    (0..=path.len()).rev().map(|length| &path[..length]).find(|prefix| modules.contains(*prefix)).unwrap_or(&[])
}

#[test]
fn modules_import_only_from_lower_layers() {
    let sources = sources();
    let modules: BTreeSet<ModulePath> = sources.iter().map(|source| source.module.clone()).collect();
    let layer = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| !source.module.is_empty() && !source.is_test()) {
        let own = &source.module[0];
        let own_layer = layer(own).unwrap_or_else(|| panic!("{own} has no layer: add it to LAYERS"));
        let dir = source.module.join("/");
        let allowed = RESTRICTED.iter().find(|(path, _)| dir == *path || dir.starts_with(&format!("{path}/")));
        for (number, import) in imports(source, &modules) {
            let Some(other) = import.first() else { continue };
            let Some(other_layer) = layer(other) else { continue };
            let is_restricted = allowed.is_some_and(|(_, allowed)| !allowed.contains(&other.as_str()));
            if other != own && (other_layer <= own_layer || is_restricted) {
                wrong.push(format!("{}:{number}: `{own}` must not import `{other}`", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// In every directory, the graph of imports between its modules has no cycle. A module counts with everything below it. The file of
/// the directory itself (`mod.rs`) is not part of the graph: it declares the others and may define what they share.
#[test]
fn siblings_do_not_import_each_other_in_cycles() {
    let sources = sources();
    let modules: BTreeSet<ModulePath> = sources.iter().map(|source| source.module.clone()).collect();
    let mut graph: BTreeMap<ModulePath, BTreeSet<ModulePath>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        for (_, import) in imports(source, &modules) {
            let target = module_of(&import, &modules);
            let common = source.module.iter().zip(target).take_while(|(own, other)| own == other).count();
            if common < source.module.len() && common < target.len() {
                graph.entry(source.module[..=common].to_vec()).or_default().insert(target[..=common].to_vec());
            }
        }
    }
    let mut wrong = BTreeSet::new();
    for start in graph.keys() {
        if let Some(mut cycle) = path_back(start, &graph) {
            cycle.sort();
            wrong.insert(cycle.iter().map(|module| module.join("/")).collect::<Vec<_>>().join(", "));
        }
    }
    assert!(wrong.is_empty(), "modules that import each other:\n{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

/// The shortest chain of imports from a module back to itself.
fn path_back(start: &ModulePath, graph: &BTreeMap<ModulePath, BTreeSet<ModulePath>>) -> Option<Vec<ModulePath>> {
    let mut seen = BTreeSet::new();
    let mut chains = vec![vec![start.clone()]];
    while !chains.is_empty() {
        let mut longer = Vec::new();
        for chain in chains {
            for next in chain.last().and_then(|last| graph.get(last)).into_iter().flatten() {
                if next == start {
                    return Some(chain);
                }
                if seen.insert(next.clone()) {
                    longer.push([chain.clone(), vec![next.clone()]].concat());
                }
            }
        }
        chains = longer;
    }
    None
}

#[test]
fn only_upper_layers_are_async() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(own) = source.module.first() else { continue };
        for (number, line) in source.code() {
            if !ASYNC.contains(&own.as_str()) && (line.contains("async fn") || line.contains("tokio::")) {
                wrong.push(format!("{}:{number}: {}", source.path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "async code outside of {ASYNC:?}:\n{}", wrong.join("\n"));
}

#[test]
fn files_have_at_most_600_lines() {
    let too_long = |source: &Source| {
        let lines = source.text.lines().count();
        let max = if source.path == Path::new("src/main.rs") { 30 } else { MAX_LINES };
        (lines > max).then(|| format!("{}: {lines} lines, at most {max}", source.path.display()))
    };
    let wrong: Vec<String> = sources().iter().filter_map(too_long).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_is_in_one_file() {
    for source in sources() {
        let is_unsafe = source.code().any(|(_, line)| line.contains("unsafe {") || line.contains("unsafe fn"));
        let is_allowed = UNSAFE.iter().any(|path| source.path == Path::new(path));
        assert!(!is_unsafe || is_allowed, "{} contains unsafe code", source.path.display());
    }
}

/// The item of an engine is its module, whose files may import each other.
#[test]
fn engines_rules_and_formats_are_referenced_only_where_they_are_listed() {
    let sources = sources();
    let modules: BTreeSet<ModulePath> = sources.iter().map(|source| source.module.clone()).collect();
    for (kind, dir, items) in LISTED {
        let is_below = |path: &[String]| path.iter().zip(dir).filter(|(part, name)| part == *name).count() == dir.len();
        for item in items {
            let listing = format!("src/{}/mod.rs", dir.join("/"));
            let listed = sources.iter().any(|source| source.path.ends_with(&listing) && source.text.contains(item));
            assert!(listed, "{listing} does not list `{item}`");
        }
        for source in sources.iter().filter(|source| !source.is_test()) {
            for (number, import) in imports(source, &modules).into_iter().filter(|(_, import)| is_below(import)) {
                let Some(at) = import.iter().position(|part| items.contains(&part.as_str())) else { continue };
                let is_own = source.module.starts_with(&import[..=at]);
                let is_listing = source.path.ends_with("mod.rs") && is_below(&source.module);
                let path = source.path.display();
                let is_exception = REFERENCES.iter().any(|file| source.path == Path::new(file));
                assert!(
                    is_own || is_listing || is_exception,
                    "{path}:{number} refers to one {kind}: {}",
                    import.join("::")
                );
            }
        }
    }
}

#[test]
fn only_sys_reads_variables_and_the_clock() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let module = source.module.join("/");
        let is_in = |path: &str| module == path || module.starts_with(&format!("{path}/"));
        let may_measure = MONOTONIC_CLOCK.iter().any(|(path, _)| is_in(path));
        for (number, line) in source.code() {
            let is_system_call = SYSTEM_CALLS.iter().any(|call| line.contains(call)) && !is_in("sys");
            if is_system_call || line.contains("Instant::now") && !may_measure {
                wrong.push(format!("{}:{number}: {}", source.path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "use `sys::environment` or `sys::clock`:\n{}", wrong.join("\n"));
}
