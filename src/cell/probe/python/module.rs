//! The importable module names of a distribution.

use std::collections::BTreeSet;

use super::super::file_tree::{Entry, FileTree, Kind};
use super::site;
use crate::model::python::normalize;

/// Maximum size of a `RECORD` in bytes; the largest distributions have 5 MB.
const MAX_RECORD_SIZE: u64 = 32 << 20;
/// Maximum number of names of one distribution.
const MAX_MODULES: usize = 1000;

/// Files that may contain the names.
pub(super) struct Sources<'a> {
    pub(super) root: &'a FileTree,
    /// The directory that contains the distribution.
    pub(super) directory: &'a str,
    /// Its metadata directory.
    pub(super) metadata: Option<&'a str>,
    /// The file of an editable installation.
    pub(super) finder: Option<Finder>,
}

/// The file with which an editable installation finds its modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finder {
    /// `__editable__.NAME-VERSION.pth`: a path.
    Path(String),
    /// `__editable___NAME_VERSION_finder.py`: a table in Python.
    Table(String),
}

/// Returns the importable names, sorted: from `top_level.txt`, otherwise from the editable installation, otherwise from
/// `RECORD`.
pub(super) fn modules(sources: &Sources<'_>) -> Vec<String> {
    let listed = sources.metadata.and_then(|metadata| sources.root.text(format!("{metadata}/top_level.txt")).ok());
    let mut names: BTreeSet<String> = listed
        .iter()
        .flat_map(|text| text.lines())
        .map(str::trim)
        .filter(|name| is_name(name))
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        names = match &sources.finder {
            Some(Finder::Path(file)) => from_path(sources, file),
            Some(Finder::Table(file)) => from_table(sources, file),
            None => BTreeSet::new(),
        };
    }
    if names.is_empty()
        && let Some(metadata) = sources.metadata
    {
        // The lines of a truncated file are still valid.
        let _ =
            sources.root.lines(format!("{metadata}/RECORD"), MAX_RECORD_SIZE, |line| add_from_record(line, &mut names));
    }
    names.into_iter().take(MAX_MODULES).collect()
}

/// Returns the file of an editable installation (named by setuptools) in the directory of a distribution.
pub(super) fn editable(entries: &[Entry], name: &str, version: &str) -> Option<Finder> {
    // Entries are sorted, so matching names are adjacent.
    let from = entries.partition_point(|entry| entry.name.as_str() < "__editable__");
    let expected = normalize(&format!("{name}-{version}"));
    entries[from..].iter().take_while(|entry| entry.name.starts_with("__editable__")).find_map(|entry| {
        let rest = entry.name.strip_prefix("__editable__")?;
        let matches = |rest: &str| normalize(rest.trim_start_matches(['_', '.'])) == expected;
        if let Some(rest) = rest.strip_suffix("_finder.py") {
            return matches(rest).then(|| Finder::Table(entry.name.clone()));
        }
        // If there is a table, the `.pth` file only loads it.
        let table = format!(
            "__editable___{}_finder.py",
            rest.strip_suffix(".pth")?.trim_start_matches('.').replace(['-', '.'], "_")
        );
        let path = matches(rest.strip_suffix(".pth")?) && !entries[from..].iter().any(|entry| entry.name == table);
        path.then(|| Finder::Path(entry.name.clone()))
    })
}

fn from_path(sources: &Sources<'_>, file: &str) -> BTreeSet<String> {
    let text = sources.root.text(format!("{}/{file}", sources.directory)).unwrap_or_default();
    let mut names = BTreeSet::new();
    for path in site::paths(&text).filter(|path| path.starts_with('/')) {
        for entry in sources.root.list(path).unwrap_or_default() {
            let package =
                entry.kind == Kind::Directory && sources.root.exists(format!("{path}/{}/__init__.py", entry.name));
            let name = if package { Some(entry.name.as_str()) } else { entry.name.strip_suffix(".py") };
            names
                .extend(name.filter(|name| is_name(name) && !matches!(*name, "setup" | "conftest")).map(str::to_owned));
        }
    }
    names
}

/// Returns the keys of the line `MAPPING: dict[str, str] = {'name': '/path', …}`.
fn from_table(sources: &Sources<'_>, file: &str) -> BTreeSet<String> {
    let text = sources.root.text(format!("{}/{file}", sources.directory)).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("MAPPING")).and_then(|line| line.split_once('{'));
    let Some((_, table)) = line else { return BTreeSet::new() };
    let quoted: Vec<&str> = table.split('\'').skip(1).step_by(2).collect();
    quoted
        .chunks(2)
        .filter_map(|pair| pair.first())
        .filter(|name| is_name(name))
        .map(|name| (*name).to_owned())
        .collect()
}

/// Adds the first path component of a line of `RECORD`, if the file is Python code or an extension module.
fn add_from_record(line: &str, names: &mut BTreeSet<String>) {
    let path = line
        .strip_prefix('"')
        .map_or_else(|| line.split(',').next(), |rest| rest.split('"').next())
        .unwrap_or_default();
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let name = if rest.is_some() { first } else { first.split('.').next().unwrap_or_default() };
    if names.contains(name) {
        return;
    }
    let code = path.ends_with(".py") || path.ends_with(".so") || path.ends_with(".pyc");
    if code && is_name(name) && name != "__pycache__" && !(rest.is_none() && name.starts_with("__editable__")) {
        names.insert(name.to_owned());
    }
}

/// Reports whether a text is a Python identifier.
fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic()) && chars.all(|c| c == '_' || c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn record_lists_packages_modules_and_extensions() {
        let record = "numpy/__init__.py,sha256=x,1\nnumpy.libs/libfoo.so,,\nsix.py,,\n_cffi.cpython-311-x86_64-linux-gnu.so,,\n\
            ../../../bin/f2py,,\nnumpy-1.dist-info/RECORD,,\nshare/x.txt,,\n__pycache__/six.cpython-311.pyc,,\nx.pth,,\n\"a,b\",,\n";
        let mut names = BTreeSet::new();
        record.lines().for_each(|line| add_from_record(line, &mut names));
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["_cffi", "numpy", "six"]);
    }

    #[test]
    fn editable_installations_have_modules() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, text).expect("a file");
        };
        write("site/__editable__.my_tool-0.1.pth", "/src\n");
        write(
            "site/__editable___other_1_0_finder.py",
            "import sys\nMAPPING: dict[str, str] = {'other': '/o', 'more': '/m'}\n",
        );
        write("site/__editable__.other-1.0.pth", "import __editable___other_1_0_finder");
        write("src/my_tool/__init__.py", "");
        write("src/setup.py", "");
        let root = FileTree::new(dir.path());
        let entries = root.list("/site").expect("entries");
        let names = |name: &str, version: &str| {
            let finder = editable(&entries, name, version);
            assert!(finder.is_some());
            modules(&Sources { root: &root, directory: "/site", metadata: None, finder })
        };
        assert_eq!(names("my-tool", "0.1"), ["my_tool"]);
        assert_eq!(names("other", "1.0"), ["more", "other"]);
    }
}
